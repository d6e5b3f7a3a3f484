import type { Address, Height, TimeMs } from '@quoin/protocol'
import type { Ticks } from '../ticks.ts'
import type { GuestError } from '../vm/index.ts'
import type { ContractTrace } from './failure.ts'

/** What contracts see of the block that they run in. */
export interface BlockContext {
  readonly number: Height
  readonly timeMs: TimeMs
  readonly proposer: Address
  /** In gas. */
  readonly gasLimit: number
  readonly baseFee: bigint
}

/** A call of an account, or without `to` the creation of a contract: `data` is a container and the constructor's arguments then. */
export interface Message {
  readonly from: Address
  readonly to: Address | undefined
  readonly value: bigint
  readonly data: Uint8Array
  /** What it may use. */
  readonly gas: Ticks
}

/** A message that a contract sends. */
export interface InnerMessage extends Omit<Message, 'from' | 'gas'> {
  /** At most; undefined for all that may be passed on. */
  readonly gas: Ticks | undefined
  readonly isStatic: boolean
}

/** How a message ended, and what it used; nothing of one that failed stays in the journal. */
export type MessageOutcome =
  | {
      readonly ok: true
      readonly gasUsed: Ticks
      /** What a call returned, ABI-encoded. */
      readonly data: Uint8Array
      /** Of a creation. */
      readonly contractAddress: Address | undefined
    }
  | {
      readonly ok: false
      readonly gasUsed: Ticks
      /** ABI-encoded error: `Error(string)` or the contract's own. At most `errorDataBytesMax`. */
      readonly data: Uint8Array
      /** In words, for people; never hashed beyond what `data` holds of it. */
      readonly reason: string
      /** The exception that left the contract, with its stack. */
      readonly error: GuestError | undefined
      /** All contracts that it went through, innermost first. */
      readonly trace: readonly ContractTrace[]
    }

/** A contract that is under way, as it sends a message. */
export interface Sender {
  readonly address: Address
  readonly gasLeft: Ticks
  /** Whether what it sends must be static. */
  readonly isStatic: boolean
}
