import type { Address, Hash, Height, TimeMs } from '@quoin/protocol'
import type { Ticks } from '../ticks.ts'
import type { GuestError } from '../vm/index.ts'
import type { ContractTrace } from './failure.ts'

/** What contracts see of the block in which they run. */
export interface BlockContext {
  readonly number: Height
  readonly timeMs: TimeMs
  readonly proposer: Address
  /** In gas. */
  readonly gasLimit: number
  readonly baseFee: bigint
}

/**
 * A call of an account, or the creation of a contract if `to` is undefined. In a creation, `data` is a container followed by the
 * constructor's arguments.
 */
export interface Message {
  readonly from: Address
  readonly to: Address | undefined
  readonly value: bigint
  readonly data: Uint8Array
  /** Gas limit in ticks. */
  readonly gas: Ticks
}

/** How a creation by a contract differs from one by a transaction. */
export interface CreationForm {
  /** 32 bytes from which the address follows (EIP-1014), instead of from the creator's nonce. */
  readonly salt?: Uint8Array | undefined
  /** A code of the state. The data are then the constructor's arguments only. */
  readonly cloneOf?: Hash | undefined
}

/** A message that a contract sends. */
export interface InnerMessage extends Omit<Message, 'from' | 'gas'> {
  /** For a creation. */
  readonly form?: CreationForm
  /** Gas limit in ticks; undefined for all that may be passed on. */
  readonly gas: Ticks | undefined
  readonly isStatic: boolean
}

/** How a message ended, and the gas it used. A failed message leaves nothing in the journal. */
export type MessageOutcome =
  | {
      readonly ok: true
      readonly gasUsed: Ticks
      /** Data that a call returned, ABI-encoded. */
      readonly data: Uint8Array
      /** Address of a created contract. */
      readonly contractAddress: Address | undefined
    }
  | {
      readonly ok: false
      readonly gasUsed: Ticks
      /** ABI-encoded error: `Error(string)` or the contract's own. At most `errorDataBytesMax`. */
      readonly data: Uint8Array
      /** Text for people. Only the part that is in `data` is ever hashed. */
      readonly reason: string
      /** The exception that left the contract, with its stack. */
      readonly error: GuestError | undefined
      /** All contracts that the exception passed through, innermost first. */
      readonly trace: readonly ContractTrace[]
      /** More about the reason, for people; see `Failure`. */
      readonly detail?: string | undefined
    }

/** A message as an observer sees it. */
export interface ObservedMessage extends Message, Pick<InnerMessage, 'form'> {
  /** Whether its sender asked for a static call. */
  readonly isStatic: boolean
}

/**
 * Watches messages, inner ones included. It is called when a message begins, and the function that it returns when the message has
 * ended; the writes of a failed one are reverted by then. A message that an exception of its caller's frame cut off does not end.
 * An observer must not throw, and must change nothing: no result and no gas may depend on it.
 */
export type MessageObserver = (message: ObservedMessage) => (outcome: MessageOutcome) => void

/** A contract on the call stack that sends a message. */
export interface Sender {
  readonly address: Address
  readonly gasLeft: Ticks
  /** Whether its messages must be static. */
  readonly isStatic: boolean
}
