import type { WasmPower } from './power.ts'
import type { GuestValue } from './value.ts'

/** An exception of the guest as the host sees it. Texts are cut to `errorTextMax`. */
export interface GuestError {
  readonly name: string
  readonly message: string
  /** QuickJS's backtrace, with lines and columns of the source. */
  readonly stack: string
  /** The thrown object's property `data`, if it is a Uint8Array of at most LIMITS.errorDataBytesMax bytes. */
  readonly data?: Uint8Array
}

/** How a call ended. Every node gets the same ending. */
export type Ending =
  | { readonly kind: 'return'; readonly value: GuestValue }
  | { readonly kind: 'throw'; readonly error: GuestError }
  /** A host function ended the call (HostStop). */
  | { readonly kind: 'stop'; readonly reason: unknown }
  /** `stack`: where the gas ended, if the interpreter was made to record that. For people. */
  | { readonly kind: 'out-of-gas'; readonly stack?: string | undefined }
  | { readonly kind: 'out-of-depth' }
  /** Any other trap of the interpreter: a bug of QuickJS, the same on every node. */
  | { readonly kind: 'trap' }

/**
 * This machine failed: its stack was too small, or memory ran out. It says nothing about the contract and must never become its
 * result. The caller tries again with a larger stack.
 */
export interface Fault {
  readonly kind: 'fault'
  readonly error: Error
}

export type CallOutcome = (Ending & { /** At most the gas limit of the call. */ readonly gasUsed: number }) | Fault

/** The C program ended itself: a failed assertion, abort or exit. */
export class ProgramAbort extends Error {
  override readonly name = 'ProgramAbort'
}

/** Carries the ending of a call through the guest's frames. Caught where the call began. */
export class Unwind extends Error {
  override readonly name = 'Unwind'
  readonly ending: Ending | Fault
  constructor(ending: Ending | Fault) {
    super(ending.kind)
    this.ending = ending
  }
}

interface Counters {
  readonly gasLeft: number
  readonly meter: { readonly depth: { readonly value: number } }
}

/**
 * Classifies an exception that left an instance. V8 throws RangeError when the machine's stack is full; it is checked first,
 * because no counter may turn it into a result. Other exceptions are bugs of a handler and are thrown again.
 */
export function endingOf(error: unknown, instance: Counters, power: WasmPower): Ending | Fault {
  if (error instanceof RangeError) return { kind: 'fault', error }
  if (error instanceof Unwind) return error.ending
  if (!power.isTrap(error) && !(error instanceof ProgramAbort)) throw error
  if (instance.gasLeft < 0) return { kind: 'out-of-gas' }
  if (instance.meter.depth.value < 0) return { kind: 'out-of-depth' }
  return { kind: 'trap' }
}
