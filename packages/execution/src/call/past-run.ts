import { bytesToHex, equalBytes, err, type Hex, ok, type Result } from '@quoin/protocol'
import { InterpreterFault } from '../fault.ts'
import { headHeight } from '../state/head.ts'
import { type HistoryKv, type PastState, stateAt } from '../state/history.ts'
import { stateKeyOf } from '../state/keys.ts'
import type { KvReader } from '../state/kv.ts'
import { CALL_LIMITS } from './limits.ts'

/** A run that needed more than `runsMax` repetitions, or that was cancelled. */
export interface PastRunRefusal {
  readonly code: 'too-many-runs' | 'cancelled'
  readonly message: string
}

export interface PastRunOptions {
  /** Database keys of the flat state that the code will read. They are resolved before the first run, which then guesses less. */
  readonly expected?: readonly Uint8Array[]
  /** Asked before and after each run. */
  readonly isCancelled?: () => boolean
}

const CANCELLED: PastRunRefusal = { code: 'cancelled', message: 'execution aborted: it was cancelled' }
const never = (): boolean => false

type Value = Uint8Array | undefined

/**
 * Runs synchronous code on the state after the block of `height`, which must be in the database. Later blocks may be committed
 * meanwhile. The code's result must depend only on what it reads. Only point reads of the current state are synchronous (ADR 2),
 * so the run reads optimistically:
 *
 * 1. A key that is not known yet returns its current value, which is recorded as a guess.
 * 2. After the run, each guess is checked against the history: a key that changed after `height` has an entry there. The current
 *   value is read before the history, so a block that is committed in between is noticed.
 * 3. If all guesses were right, the outcome is right too, even if it is an exception. Otherwise the values found are now known,
 *   and the code runs again.
 *
 * The loop terminates: up to its first wrong guess a run does what the right one does, so each repetition gets at least one more
 * key right. If the head is still the block of `height` after a run, nothing that it read can have changed, and one read confirms
 * it.
 *
 * @throws InterpreterFault when this machine fails, and whatever `run` throws on the right state
 */
export async function runOnPast<T>(
  kv: HistoryKv,
  height: number,
  run: (state: KvReader) => T,
  { expected = [], isCancelled = never }: PastRunOptions = {},
): Promise<Result<T, PastRunRefusal>> {
  const state = new GuessedState(kv, height)
  if (expected.length > 0) {
    for (const key of expected) state.get(key)
    await state.settle()
  }
  for (let runs = 0; runs < CALL_LIMITS.runsMax; runs++) {
    if (isCancelled()) return err(CANCELLED)
    const outcome = outcomeOf(() => run(state))
    if (isCancelled()) return err(CANCELLED)
    if (!(await state.settle())) continue
    if (outcome.ok) return ok(outcome.value)
    throw outcome.error
  }
  return err({
    code: 'too-many-runs',
    message: `too many dependent reads: the call reads more than ${CALL_LIMITS.runsMax} values one after another that have changed since block ${height}`,
  })
}

/** Result or exception of a run. A fault of the machine does not depend on the values read, so it ends everything at once. */
function outcomeOf<T>(run: () => T): Result<T, unknown> {
  try {
    return ok(run())
  } catch (error) {
    if (error instanceof InterpreterFault) throw error
    return err(error)
  }
}

/** Values of the flat state by database key: known for the height, or guessed from the current state. */
class GuessedState implements KvReader {
  readonly #kv: HistoryKv
  readonly #past: PastState
  readonly #known = new Map<Hex, Value>()
  readonly #guesses = new Map<Hex, { readonly flatKey: Uint8Array; readonly value: Value }>()

  constructor(kv: HistoryKv, height: number) {
    this.#kv = kv
    this.#past = stateAt(kv, height)
  }

  get(flatKey: Uint8Array): Value {
    const name = bytesToHex(flatKey)
    const known = this.#known.get(name)
    if (known !== undefined || this.#known.has(name)) return known
    const guess = this.#guesses.get(name)
    if (guess !== undefined) return guess.value
    const value = this.#kv.get(flatKey)
    this.#guesses.set(name, { flatKey, value })
    return value
  }

  /** Checks the guesses. Returns whether all were right. */
  async settle(): Promise<boolean> {
    if (this.#guesses.size === 0 || headHeight(this.#kv) === this.#past.height) return true
    const guesses = [...this.#guesses]
    this.#guesses.clear()
    let areRight = true
    for (let at = 0; at < guesses.length; at += CALL_LIMITS.seeksMax) {
      const batch = guesses.slice(at, at + CALL_LIMITS.seeksMax)
      const values = await Promise.all(batch.map(([, { flatKey, value }]) => this.#past.resolve(stateKeyOf(flatKey), value)))
      for (const [i, [name, { value }]] of batch.entries()) {
        const right = values[i]
        this.#known.set(name, right)
        if (!isSame(value, right)) areRight = false
      }
    }
    return areRight
  }
}

const isSame = (a: Value, b: Value): boolean => a === b || (a !== undefined && b !== undefined && equalBytes(a, b))
