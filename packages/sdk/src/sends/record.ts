import { type Address, concatHex, type Hash, type Hex, keccak256, numberToHex } from 'viem'

/** What a send does. */
export interface Call {
  /** Null creates a contract. */
  readonly to: Address | null
  readonly data: Hex
  readonly value: bigint
}

/** Why a send failed for good, as it is stored. */
export type Failure =
  | { readonly reason: 'expired'; readonly hash?: Hash | undefined }
  | { readonly reason: 'refused'; readonly refusal: string; readonly message: string }
  | { readonly reason: 'nonce-taken'; readonly nonce: number; readonly by?: Hash | undefined }
  | { readonly reason: 'cancelled' }

/** What is known of a send from the call on. */
interface Order {
  readonly id: string
  /** Position among the sends of the key. */
  readonly order: number
  /** Stands for the call: an id belongs to one call. */
  readonly fingerprint: Hash
}

interface Wanted extends Order {
  readonly call: Call
  /** Gas limit, if the caller chose one. */
  readonly gas?: bigint | undefined
  /** Wall clock, ms. Only an unsigned send expires by it. */
  readonly createdMs: number
  /** Time from the call, and once more from signing, until it expires. */
  readonly deadlineMs: number
  /** How often other software took its nonce before it had left. */
  readonly resigned: number
}

/** A transaction that was signed. */
export interface Signed {
  readonly raw: Hex
  readonly hash: Hash
}

export interface QueuedRecord extends Wanted {
  readonly status: 'queued'
}

export interface SignedRecord extends Wanted, Signed {
  readonly status: 'signed'
  readonly nonce: number
  /** Unix time in ms: a block with a later time ends the send. */
  readonly deadline: number
  readonly maxFeePerGas: bigint
  readonly maxPriorityFeePerGas: bigint
  /** A transfer of nothing to itself that uses the nonce instead, with the failure that follows from its inclusion. */
  readonly filler?: (Signed & { readonly cause: Failure }) | undefined
}

export interface IncludedRecord extends Order {
  readonly status: 'included'
  readonly hash: Hash
  readonly blockNumber: bigint
  /** False: it reverted. */
  readonly success: boolean
  /** Kept of a reverted one, to ask why. */
  readonly call?: Call | undefined
}

export interface FailedRecord extends Order {
  readonly status: 'failed'
  readonly failure: Failure
}

/** One send in the store, as JSON. Numbers of 256 bits are texts with an n at the end. */
export type SendRecord = QueuedRecord | SignedRecord | IncludedRecord | FailedRecord

export const isFinished = (record: SendRecord): record is IncludedRecord | FailedRecord =>
  record.status === 'included' || record.status === 'failed'

/** A record that only uses a nonce: see `Owner.#fillGap`. No caller's id has a slash in the store. */
export const gapId = (nonce: number, order: number): string => `gap/${nonce}/${order}`
export const isGap = ({ id }: SendRecord): boolean => id.startsWith('gap/')

export const fingerprintOf = ({ to, data, value }: Call): Hash =>
  keccak256(concatHex([to === null ? '0x' : to, numberToHex(value, { size: 32 }), data]))

export const recordText = (record: SendRecord): string =>
  JSON.stringify(record, (_, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value))

/** Texts of callers are in `id` and `message` only; they stay texts. */
export const parseRecord = (text: string): SendRecord =>
  JSON.parse(text, (key, value: unknown) =>
    BIG.has(key) && typeof value === 'string' ? BigInt(value.slice(0, -1)) : value,
  ) as SendRecord

const BIG = new Set(['value', 'gas', 'blockNumber', 'maxFeePerGas', 'maxPriorityFeePerGas'])
