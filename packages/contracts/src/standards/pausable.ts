import { type ContextOf, part, value } from '../kit/index.ts'

/** A contract that can be paused, as OpenZeppelin's Pausable: who may, and what stops, is for the contract to say. */
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

/** A modifier: `modifiers: { transfer: [whenNotPaused] }`. */
export function whenNotPaused({ state, revert }: ReadContext): void {
  if (state.paused.get()) throw revert.EnforcedPause()
}

/** A modifier for what is possible only meanwhile. */
export function whenPaused({ state, revert }: ReadContext): void {
  if (!state.paused.get()) throw revert.ExpectedPause()
}

/** Pauses, whoever asks; throws EnforcedPause where it is paused. */
export function pause(context: Context): void {
  whenNotPaused(context)
  context.state.paused.set(true)
  context.emit.Paused(context.sender)
}

/** Goes on, whoever asks; throws ExpectedPause where it is not paused. */
export function unpause(context: Context): void {
  whenPaused(context)
  context.state.paused.set(false)
  context.emit.Unpaused(context.sender)
}
