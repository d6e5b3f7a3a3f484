import {
  type Address,
  addressOfPublicKey,
  type Crypto,
  encodeTransaction,
  publicKeyOf,
  signingPreimage,
  type UnsignedTransaction,
} from '@quoin/protocol'

/** The account of the node's operator, from which the node sends transactions. */
export interface OperatorAccount {
  readonly address: Address
  /** The network encoding of a signed transaction. */
  sign(transaction: UnsignedTransaction): Uint8Array
}

/** The account of a secret key; undefined if the bytes are not one. */
export function operatorAccount(crypto: Crypto, secretKey: Uint8Array): OperatorAccount | undefined {
  const compressed = crypto.publicKey(secretKey)
  const address = compressed && addressOfPublicKey(crypto, publicKeyOf(compressed))
  return (
    address && {
      address,
      sign: (transaction) =>
        encodeTransaction(transaction, crypto.sign(crypto.keccak256(signingPreimage(transaction)), secretKey)),
    }
  )
}
