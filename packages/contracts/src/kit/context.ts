import type { ErrorFunctions, EventFunctions, Mutability } from './abi-types.ts'
import type { Block } from './guest.ts'
import type { Fields, ReadState, State } from './state/field.ts'
import type { Address } from './value-types.ts'

/** Context of a `pure` function. `I`: items of the ABI. */
export interface PureContext<I> {
  /** Reverts the call with an error of the ABI: `throw revert.NotOwner(sender)`. It throws by itself; `throw` tells TypeScript that nothing follows. */
  readonly revert: ErrorFunctions<I>
}

/** Context of a `view` function. */
export interface ViewContext<I, F extends Fields> extends PureContext<I> {
  /** The state, read-only. */
  readonly state: ReadState<F>
  /** The caller: an account or a contract. */
  readonly sender: Address
  /** Address of this contract. */
  readonly self: Address
  /** Chain id (EIP-155). */
  readonly chainId: bigint
  readonly block: Block
  /** Gas that this call may still use. Do not rely on exact values: prices can change with the execution version. */
  readonly gasLeft: bigint
}

/** Context of a function that may write. */
export interface WriteContext<I, F extends Fields> extends Omit<ViewContext<I, F>, 'state'> {
  readonly state: State<F>
  /** Emits an event of the ABI, with all parameters in order: `emit.Transfer(from, to, value)`. */
  readonly emit: EventFunctions<I>
  /** Sends wei from this contract. Throws if the receiver refuses. */
  readonly transfer: (to: Address, amount: bigint) => void
}

/** Context of a `payable` function. */
export interface PayableContext<I, F extends Fields> extends WriteContext<I, F> {
  /** Wei that was sent with the call. */
  readonly value: bigint
}

export type ContextFor<M extends Mutability, I, F extends Fields> = M extends 'pure'
  ? PureContext<I>
  : M extends 'view'
    ? ViewContext<I, F>
    : M extends 'payable'
      ? PayableContext<I, F>
      : WriteContext<I, F>
