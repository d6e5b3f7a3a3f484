import type { Address, ChainId, Crypto } from '@quoin/protocol'
import type { Journal } from '../state/journal.ts'
import type { HostContext } from '../vm/index.ts'
import type { CallAbi } from './abi/abi.ts'
import type { BlockContext, InnerMessage, MessageOutcome } from './message.ts'

/** Access levels: what a host function needs and what a frame grants. Each level includes those before it. */
export const ACCESS = ['pure', 'read', 'write'] as const
export type Access = (typeof ACCESS)[number]

/** One call of a contract, as its host functions see it (`HostContext.scope`). */
export interface Frame {
  readonly crypto: Crypto
  readonly chainId: ChainId
  readonly journal: Journal
  readonly block: BlockContext
  readonly self: Address
  readonly sender: Address
  readonly value: bigint
  readonly abi: CallAbi
  readonly access: Access
  /** Sends a message from `self`. Checks access, balance, depth and re-entrancy, and charges the guest for the gas used. */
  send(context: HostContext, message: InnerMessage): MessageOutcome
}
