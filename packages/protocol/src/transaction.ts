import { Address, concatBytes, emptyBytes, Hash, hexToBytes } from './bytes.ts'
import type { Crypto } from './crypto.ts'
import { addressOfUncompressedKey } from './keys.ts'
import { LIMITS } from './limits.ts'
import { Gas, type Nonce, U32_MAX, Wei } from './numbers.ts'
import { err, ok, type Result } from './result.ts'
import { encodeRlp, integerPayload, listHead, RlpFailure, RlpReader } from './rlp.ts'

/**
 * An Ethereum transaction of type 0 (legacy, with EIP-155 replay protection), 1 (EIP-2930) or 2 (EIP-1559). Decoding is strict: exactly one byte
 * string decodes to each transaction.
 */
export interface Transaction {
  readonly type: 0 | 1 | 2
  readonly chainId: number
  readonly nonce: Nonce
  /** For types 0 and 1, both fee fields are the gas price. */
  readonly maxPriorityFeePerGas: Wei
  readonly maxFeePerGas: Wei
  readonly gasLimit: Gas
  /** Undefined for the creation of a contract. */
  readonly to: Address | undefined
  readonly value: Wei
  readonly data: Uint8Array
  readonly accessList: readonly AccessListEntry[]
  readonly yParity: 0 | 1
  /** r ‖ s, 32 bytes each. */
  readonly signature: Uint8Array
  /** keccak256 of `raw`. */
  readonly hash: Hash
  /** The network encoding from which this was decoded. */
  readonly raw: Uint8Array
}

export interface AccessListEntry {
  readonly address: Address
  readonly storageKeys: readonly Hash[]
}

/** A transaction with the account that signed it, recovered from its signature. */
export interface SignedTransaction extends Transaction {
  readonly sender: Address
}

export type TransactionErrorCode =
  | 'malformed'
  | 'oversized'
  | 'type-not-supported'
  | 'unprotected'
  | 'wrong-chain'
  | 'bad-signature'

export interface TransactionError {
  readonly code: TransactionErrorCode
  readonly message: string
}

/** Half the order of secp256k1. A larger s is refused (EIP-2). */
const HALF_ORDER = hexToBytes('0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0')

class Refusal extends Error {
  readonly code: TransactionErrorCode
  constructor(code: TransactionErrorCode, message: string) {
    super(message)
    this.code = code
  }
}

/**
 * Decodes a transaction. The form of the signature is checked here; `recoverSender` finds the signer.
 *
 * @param chainId the id of this chain. A transaction for another chain is refused.
 * @param raw the network encoding, as in eth_sendRawTransaction.
 * @param hash keccak256 of `raw`, if the caller has it: hashing is most of the work for a large transaction.
 */
export function decodeTransaction(
  crypto: Crypto,
  chainId: number,
  raw: Uint8Array,
  hash?: Hash,
): Result<Transaction, TransactionError> {
  try {
    if (raw.length > LIMITS.transactionBytesMax) {
      throw new Refusal('oversized', `transaction has ${raw.length} bytes, at most ${LIMITS.transactionBytesMax} are allowed`)
    }
    const type = raw[0]
    if (type === undefined) throw new Refusal('malformed', 'transaction is empty')
    const fields = type >= 0xc0 ? readLegacy(chainId, raw) : type === 1 || type === 2 ? readTyped(chainId, raw, type) : undefined
    if (fields !== undefined) return ok({ ...fields, hash: hash ?? Hash(crypto.keccak256(raw)) })
    throw new Refusal(
      'type-not-supported',
      `transaction type not valid: first byte ${type}, supported are legacy, 1 (EIP-2930) and 2 (EIP-1559)`,
    )
  } catch (failure) {
    if (failure instanceof Refusal) return err({ code: failure.code, message: failure.message })
    if (failure instanceof RlpFailure)
      return err({ code: 'malformed', message: `transaction is not canonical RLP: ${failure.message}` })
    throw failure
  }
}

type Fields = Omit<Transaction, 'hash'>

function readLegacy(chainId: number, raw: Uint8Array): Fields {
  const outer = new RlpReader(raw)
  const fields = outer.list('transaction')
  outer.finish()
  const nonce = readNonce(fields)
  const gasPrice = Wei(fields.bigint('gasPrice'))
  const common = readCommon(fields)
  const v = fields.number('v')
  if (v === 27 || v === 28) throw new Refusal('unprotected', 'only replay-protected (EIP-155) transactions allowed')
  if (v < 35) throw new Refusal('malformed', `v is ${v}, not an EIP-155 value`)
  const ownChain = Math.floor((v - 35) / 2)
  checkChain(ownChain, chainId)
  const signature = readSignature(fields)
  fields.finish()
  return {
    type: 0,
    chainId,
    nonce,
    maxPriorityFeePerGas: gasPrice,
    maxFeePerGas: gasPrice,
    ...common,
    accessList: [],
    yParity: ((v - 35) % 2) as 0 | 1,
    signature,
    raw,
  }
}

function readTyped(chainId: number, raw: Uint8Array, type: 1 | 2): Fields {
  const outer = new RlpReader(raw, 1)
  const fields = outer.list('transaction')
  outer.finish()
  checkChain(fields.number('chainId'), chainId)
  const nonce = readNonce(fields)
  const maxPriorityFeePerGas = Wei(fields.bigint(type === 1 ? 'gasPrice' : 'maxPriorityFeePerGas'))
  const maxFeePerGas = type === 1 ? maxPriorityFeePerGas : Wei(fields.bigint('maxFeePerGas'))
  const common = readCommon(fields)
  const accessList = readAccessList(fields)
  const yParity = fields.number('yParity', 1) as 0 | 1
  const signature = readSignature(fields)
  fields.finish()
  return {
    type,
    chainId,
    nonce,
    maxPriorityFeePerGas,
    maxFeePerGas,
    ...common,
    accessList,
    yParity,
    signature,
    raw,
  }
}

const readNonce = (fields: RlpReader): Nonce => fields.number('nonce', U32_MAX) as Nonce

function readCommon(fields: RlpReader): Pick<Transaction, 'gasLimit' | 'to' | 'value' | 'data'> {
  const gasLimit = Gas(fields.number('gasLimit'))
  const to = fields.string('to')
  if (to.length !== 0 && to.length !== 20) throw new RlpFailure(`to has ${to.length} bytes, must have 20 or 0`)
  return {
    gasLimit,
    to: to.length === 0 ? undefined : Address(to),
    value: Wei(fields.bigint('value')),
    data: fields.string('data'),
  }
}

function readAccessList(fields: RlpReader): readonly AccessListEntry[] {
  const list = fields.list('accessList')
  const entries: AccessListEntry[] = []
  let keyCount = 0
  while (!list.done) {
    const entry = list.list('accessList entry')
    const address = Address(entry.string('accessList address', 20))
    const keys = entry.list('accessList keys')
    const storageKeys: Hash[] = []
    while (!keys.done) storageKeys.push(Hash(keys.string('accessList key', 32)))
    entry.finish()
    entries.push({ address, storageKeys })
    keyCount += storageKeys.length
    if (entries.length > LIMITS.accessListEntriesMax || keyCount > LIMITS.accessListKeysMax)
      throw new Refusal(
        'oversized',
        `access list is too long: at most ${LIMITS.accessListEntriesMax} addresses and ${LIMITS.accessListKeysMax} storage keys are allowed`,
      )
  }
  return entries
}

/** Reads r ‖ s. Recovery checks later that r is below the order and that a key exists. */
function readSignature(fields: RlpReader): Uint8Array {
  const signature = new Uint8Array(64)
  for (const [name, end] of [
    ['r', 32],
    ['s', 64],
  ] as const) {
    const part = fields.string(name)
    if (part.length === 0 || part.length > 32 || part[0] === 0)
      throw new Refusal('bad-signature', `${name} is not an integer from 1 to 2^256 - 1`)
    signature.set(part, end - part.length)
  }
  for (let i = 0; i < 32; i++) {
    const difference = signature[32 + i]! - HALF_ORDER[i]!
    if (difference > 0) throw new Refusal('bad-signature', 's is above half the order (EIP-2): sign with a low s')
    if (difference < 0) break
  }
  return signature
}

function checkChain(found: number, wanted: number): void {
  if (found !== wanted) throw new Refusal('wrong-chain', `transaction is signed for chain id ${found}, this chain is ${wanted}`)
}

/** Number of the fields before the signature, by type. */
const SIGNED_FIELDS = [6, 8, 9] as const

/**
 * The 32-byte digest that the sender of a transaction signed (EIP-155, EIP-2930, EIP-1559). Not part of the decoded transaction, because only recovery
 * needs it, and it takes as long as the hash.
 */
export function signingHash(crypto: Crypto, { type, chainId, raw }: Pick<Transaction, 'type' | 'chainId' | 'raw'>): Uint8Array {
  const fields = new RlpReader(raw, type === 0 ? 0 : 1).list('transaction')
  const start = fields.at
  for (let i = 0; i < SIGNED_FIELDS[type]; i++) fields.item()
  const signed = raw.subarray(start, fields.at)
  const chain = type === 0 ? encodeRlp([integerPayload(chainId), new Uint8Array(0), new Uint8Array(0)]).subarray(1) : emptyBytes()
  const head = listHead(signed.length + chain.length)
  return crypto.keccak256(concatBytes(Uint8Array.from(type === 0 ? head : [type, ...head]), signed, chain))
}

/** Recovers the account that signed a transaction; undefined if no key can have made the signature. */
export function recoverSender(crypto: Crypto, transaction: Transaction): Address | undefined {
  const key = crypto.recover(signingHash(crypto, transaction), transaction.signature, transaction.yParity)
  return key === undefined ? undefined : addressOfUncompressedKey(crypto, key)
}
