import { Address, bytesToHex, type Hash, hexToBytes, type SignedTransaction } from '@quoin/protocol'
import type { PoolEntry } from '../src/mempool/sender-queue.ts'

/** The nth sender of a test. */
export const senderOf = (n: number): Address => Address(hexToBytes(`0x${(n + 1).toString(16).padStart(40, '0')}`))

export interface WaitingSpec {
  readonly sender: number
  readonly nonce: number
  readonly gasLimit?: number
  readonly bytes?: number
}

let made = 0

/** A unique transaction without a valid signature, with the fields that the pool's parts use. */
export function waitingTransaction({ sender, nonce, gasLimit = 21_000, bytes = 110 }: WaitingSpec): SignedTransaction {
  const mark = new Uint8Array(32)
  new DataView(mark.buffer).setUint32(0, ++made)
  const hash = bytesToHex(mark) as unknown as Hash
  return {
    hash,
    sender: senderOf(sender),
    nonce,
    gasLimit,
    raw: { length: bytes },
    maxFeePerGas: 0n,
    maxPriorityFeePerGas: 0n,
  } as unknown as SignedTransaction
}

export const waitingEntry = (transaction: SignedTransaction, sequence: number, gasMin = 21_000): Omit<PoolEntry, 'weight'> => ({
  transaction,
  sequence,
  arrivedMs: 0,
  gasMin,
})
