import { concatBytes, hexToBytes } from './bytes.ts'
import { encodeRlp, integerPayload, type RlpValue } from './rlp.ts'
import type { Transaction } from './transaction.ts'

/** The fields of a transaction that its sender chooses. */
export type UnsignedTransaction = Pick<
  Transaction,
  'type' | 'chainId' | 'nonce' | 'maxPriorityFeePerGas' | 'maxFeePerGas' | 'gasLimit' | 'to' | 'value' | 'data' | 'accessList'
>

type Signature = Pick<Transaction, 'signature' | 'yParity'>

const EMPTY = new Uint8Array(0)

/** Encodes the fields for signing. The sender signs the keccak256 of the result (EIP-155, EIP-2930, EIP-1559). */
export function signingPreimage(transaction: UnsignedTransaction): Uint8Array {
  const { type, chainId } = transaction
  return encode(type, type === 0 ? [...fieldsOf(transaction), integerPayload(chainId), EMPTY, EMPTY] : fieldsOf(transaction))
}

/**
 * Encodes a signed transaction for the network. `decodeTransaction` decodes it.
 *
 * @param signature r ‖ s in 64 bytes, and yParity, as `Crypto.sign` returns them.
 */
export function encodeTransaction(transaction: UnsignedTransaction, { signature, yParity }: Signature): Uint8Array {
  const { type, chainId } = transaction
  const v = type === 0 ? 35 + 2 * chainId + yParity : yParity
  const words = [signature.subarray(0, 32), signature.subarray(32)].map(withoutZeros)
  return encode(type, [...fieldsOf(transaction), integerPayload(v), ...words])
}

const encode = (type: number, fields: readonly RlpValue[]): Uint8Array =>
  type === 0 ? encodeRlp(fields) : concatBytes(Uint8Array.of(type), encodeRlp(fields))

function fieldsOf(transaction: UnsignedTransaction): readonly RlpValue[] {
  const { type, chainId, nonce, maxPriorityFeePerGas, maxFeePerGas, gasLimit, to, value, data, accessList } = transaction
  const common = [gasLimit, to === undefined ? EMPTY : hexToBytes(to), value].map((field) =>
    field instanceof Uint8Array ? field : integerPayload(field),
  )
  const prices =
    type === 2 ? [integerPayload(maxPriorityFeePerGas), integerPayload(maxFeePerGas)] : [integerPayload(maxFeePerGas)]
  const head = [integerPayload(nonce), ...prices, ...common, data]
  if (type === 0) return head
  const list = accessList.map(({ address, storageKeys }) => [hexToBytes(address), storageKeys.map((key) => hexToBytes(key))])
  return [integerPayload(chainId), ...head, list]
}

function withoutZeros(word: Uint8Array): Uint8Array {
  const start = word.findIndex((byte) => byte !== 0)
  return start < 0 ? EMPTY : word.subarray(start)
}
