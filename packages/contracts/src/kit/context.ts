import type { ErrorFunctions, EventFunctions, Mutability } from './abi-types.ts'
import type { Block } from './guest.ts'
import type { Fields, ReadState, State } from './state/field.ts'
import type { Address } from './value-types.ts'

/** What a `pure` function gets. `I`: items of the ABI. */
export interface PureContext<I> {
  /** Fails the call with an error of the ABI: `throw revert.NotOwner(sender)`. It throws itself; the word tells TypeScript so. */
  readonly revert: ErrorFunctions<I>
}

/** What a `view` function gets. */
export interface ViewContext<I, F extends Fields> extends PureContext<I> {
  readonly state: ReadState<F>
  /** Who calls: an account or a contract. */
  readonly sender: Address
  /** This contract. */
  readonly self: Address
  /** EIP-155. */
  readonly chainId: bigint
  readonly block: Block
  /** Gas that this call may still use. No measure of time to rely on. */
  readonly gasLeft: bigint
}

/** What a function that may write gets. */
export interface WriteContext<I, F extends Fields> extends Omit<ViewContext<I, F>, 'state'> {
  readonly state: State<F>
  /** Logs an event of the ABI: `emit.Transfer(from, to, value)`, all parameters in order. */
  readonly emit: EventFunctions<I>
  /** Sends wei of this contract; an exception when the receiver refuses. */
  readonly transfer: (to: Address, amount: bigint) => void
}

/** What a `payable` function gets. */
export interface PayableContext<I, F extends Fields> extends WriteContext<I, F> {
  /** Wei that came with the call. */
  readonly value: bigint
}

export type ContextFor<M extends Mutability, I, F extends Fields> = M extends 'pure'
  ? PureContext<I>
  : M extends 'view'
    ? ViewContext<I, F>
    : M extends 'payable'
      ? PayableContext<I, F>
      : WriteContext<I, F>
