import type { TimeoutKind } from '@quoin/consensus'
import type { Height, Round } from '@quoin/protocol'
import type { Clock } from '../powers.ts'

/** A timeout that elapsed. */
export interface Elapsed {
  readonly timeout: TimeoutKind
  readonly height: Height
  readonly round: Round
}

/** The timers of one round. A new round or height clears them. */
export class TimeoutTicker {
  readonly #clock: Pick<Clock, 'after'>
  readonly #onElapsed: (elapsed: Elapsed) => void
  readonly #running = new Set<() => void>()

  constructor(clock: Pick<Clock, 'after'>, onElapsed: (elapsed: Elapsed) => void) {
    this.#clock = clock
    this.#onElapsed = onElapsed
  }

  schedule(elapsed: Elapsed, ms: number): void {
    const cancel = this.#clock.after(ms, () => {
      this.#running.delete(cancel)
      this.#onElapsed(elapsed)
    })
    this.#running.add(cancel)
  }

  clear(): void {
    for (const cancel of this.#running) cancel()
    this.#running.clear()
  }
}
