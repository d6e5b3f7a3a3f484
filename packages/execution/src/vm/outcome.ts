import type { WasmPower } from './power.ts'
import type { GuestValue } from './value.ts'

/** An exception of the guest as it reached the host; texts are cut to `errorTextMax`. */
export interface GuestError {
  readonly name: string
  readonly message: string
  /** QuickJS's backtrace, with lines and columns of the source. */
  readonly stack: string
  /** Its property `data`, when what was thrown is an object that has a Uint8Array of at most LIMITS.errorDataBytesMax bytes there. */
  readonly data?: Uint8Array
}

/** Ends of a call that every node finds alike. */
export type Ending =
  | { readonly kind: 'return'; readonly value: GuestValue }
  | { readonly kind: 'throw'; readonly error: GuestError }
  /** A host function ended the call (HostStop). */
  | { readonly kind: 'stop'; readonly reason: unknown }
  | { readonly kind: 'out-of-gas' }
  | { readonly kind: 'out-of-depth' }
  /** The interpreter trapped otherwise: a bug of QuickJS, the same everywhere. */
  | { readonly kind: 'trap' }

/**
 * This machine failed: its stack was too small, or memory ran out. Says nothing about the contract and must never become its result; the
 * caller tries again with a larger stack.
 */
export interface Fault {
  readonly kind: 'fault'
  readonly error: Error
}

export type CallOutcome = (Ending & { /** At most the limit. */ readonly gasUsed: number }) | Fault

/** The program gave up: a failed assertion, abort or exit. */
export class ProgramAbort extends Error {
  override readonly name = 'ProgramAbort'
}

/** Carries the end of a call through the guest's frames. Caught where the call began. */
export class Unwind extends Error {
  override readonly name = 'Unwind'
  readonly ending: Ending | Fault
  constructor(ending: Ending | Fault) {
    super(ending.kind)
    this.ending = ending
  }
}

/** What an instance has left. */
interface Counters {
  readonly gasLeft: number
  readonly meter: { readonly depth: { readonly value: number } }
}

/**
 * What an exception that left an instance means. RangeError is what V8 throws when the machine's stack is full, so it comes first: no counter
 * may turn it into a result. Rethrows what is none of these, a bug of a handler.
 */
export function endingOf(error: unknown, instance: Counters, power: WasmPower): Ending | Fault {
  if (error instanceof RangeError) return { kind: 'fault', error }
  if (error instanceof Unwind) return error.ending
  if (!power.isTrap(error) && !(error instanceof ProgramAbort)) throw error
  if (instance.gasLeft < 0) return { kind: 'out-of-gas' }
  if (instance.meter.depth.value < 0) return { kind: 'out-of-depth' }
  return { kind: 'trap' }
}
