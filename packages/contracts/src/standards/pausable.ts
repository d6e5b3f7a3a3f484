import { type ContextOf, part, value } from '../kit/index.ts'

/** A contract that can be paused, as in OpenZeppelin's Pausable. The contract decides who may pause it and which functions stop. */
export const pausable = part({
  abi: [
    'function paused() view returns (bool)',
    'event Paused(address account)',
    'event Unpaused(address account)',
    'error EnforcedPause()',
    'error ExpectedPause()',
  ],
  state: { paused: value('bool') },
  functions: { paused: ({ state }) => state.paused.get() },
})

type Context = ContextOf<typeof pausable>
type ReadContext = ContextOf<typeof pausable, 'view'>

/** Modifier that blocks a function while the contract is paused: `modifiers: { transfer: [whenNotPaused] }`. */
export function whenNotPaused({ state, revert }: ReadContext): void {
  if (state.paused.get()) throw revert.EnforcedPause()
}

/** Modifier that allows a function only while the contract is paused. */
export function whenPaused({ state, revert }: ReadContext): void {
  if (!state.paused.get()) throw revert.ExpectedPause()
}

/** Pauses the contract without checking the caller. Throws EnforcedPause if it is already paused. */
export function pause(context: Context): void {
  whenNotPaused(context)
  context.state.paused.set(true)
  context.emit.Paused(context.sender)
}

/** Unpauses the contract without checking the caller. Throws ExpectedPause if it is not paused. */
export function unpause(context: Context): void {
  whenPaused(context)
  context.state.paused.set(false)
  context.emit.Unpaused(context.sender)
}
