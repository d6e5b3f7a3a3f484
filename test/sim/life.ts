import type { Clock } from '../../packages/node/src/powers.ts'
import type { World } from './world.ts'

/**
 * One life of a process, from its start to its end. Everything that the world delivers to it (messages, timers, finished writes) passes
 * through `give`: deliveries to a dead process never happen, and deliveries to a stopped one wait until it continues.
 */
export class Life {
  readonly #world: World
  readonly #onEnd = new Set<() => void>()
  #alive = true
  #held: (() => void)[] | undefined

  constructor(world: World) {
    this.#world = world
  }

  get alive(): boolean {
    return this.#alive
  }

  get paused(): boolean {
    return this.#held !== undefined
  }

  give(action: () => void): void {
    if (!this.#alive) return
    if (this.#held === undefined) action()
    else this.#held.push(action)
  }

  /** Delivers something after a time; the returned function cancels it. */
  after(ms: number, action: () => void): () => void {
    let cancelled = false
    const cancel = this.#world.after(ms, () =>
      this.give(() => {
        if (!cancelled) action()
      }),
    )
    return () => {
      cancelled = true
      cancel()
    }
  }

  /** SIGSTOP: the process does nothing, and does not notice the time that passes. */
  pause(): void {
    this.#held ??= []
  }

  /** SIGCONT: pending deliveries happen at once, in order. */
  resume(): void {
    const held = this.#held ?? []
    this.#held = undefined
    for (const action of held) this.after(0, action)
  }

  end(): void {
    this.#alive = false
    this.#held = undefined
    for (const action of this.#onEnd) action()
    this.#onEnd.clear()
  }

  /** Runs when the process ends, unless cancelled before. */
  onEnd(action: () => void): () => void {
    this.#onEnd.add(action)
    return () => this.#onEnd.delete(action)
  }
}

/** A machine's wall clock, shared by all lives of its process. */
export class WallClock {
  readonly #world: World
  readonly #epochMs: number
  #offsetMs: number
  #driftPpm = 0
  #driftSinceMs = 0

  /** @param epochMs the time that it shows when the world begins */
  constructor(world: World, epochMs: number) {
    this.#world = world
    this.#epochMs = epochMs
    this.#offsetMs = epochMs
  }

  now(): number {
    const { nowMs } = this.#world
    return Math.floor(nowMs + this.#offsetMs + ((nowMs - this.#driftSinceMs) * this.#driftPpm) / 1e6)
  }

  /** An operator sets the clock. */
  jump(ms: number): void {
    this.#offsetMs += ms
  }

  /** It shows the right time again, except for its first offset. */
  correct(): void {
    this.#driftPpm = 0
    this.#offsetMs = this.#epochMs
  }

  /** From now on it gains or loses this many microseconds per second. */
  drift(ppm: number): void {
    this.#offsetMs += ((this.#world.nowMs - this.#driftSinceMs) * this.#driftPpm) / 1e6
    this.#driftSinceMs = this.#world.nowMs
    this.#driftPpm = ppm
  }
}

/** Time as one life sees it: the wall clock may jump, the monotonic one does not, and timers end with the life. */
export class SimClock implements Clock {
  readonly #world: World
  readonly #wall: WallClock
  readonly #life: Life

  constructor(world: World, wall: WallClock, life: Life) {
    this.#world = world
    this.#wall = wall
    this.#life = life
  }

  now(): number {
    return this.#wall.now()
  }

  monotonic(): number {
    return this.#world.nowMs
  }

  after(ms: number, action: () => void): () => void {
    return this.#life.after(ms, action)
  }
}

export const never = <T>(): Promise<T> => new Promise(() => {})
