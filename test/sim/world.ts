import { createHash } from 'node:crypto'
import { SeededRandom } from './random.ts'

interface Scheduled {
  readonly atMs: number
  /** Breaks ties in the order of scheduling. */
  readonly sequence: number
  action: (() => void) | undefined
}

/** Virtual time: a queue of events, and the hash of everything that happened. */
export class World {
  readonly random: SeededRandom
  readonly #audit = createHash('sha256')
  /** Binary heap. */
  readonly #queue: Scheduled[] = []
  #sequence = 0
  #nowMs = 0
  events = 0
  /** Runs checks between two events: may take microtasks, must not change anything. */
  afterStep: () => Promise<void> | undefined = () => undefined

  constructor(seed: number) {
    this.random = new SeededRandom(seed)
  }

  /** Milliseconds since the simulation began. */
  get nowMs(): number {
    return this.#nowMs
  }

  after(ms: number, action: () => void): () => void {
    const scheduled: Scheduled = { atMs: this.#nowMs + Math.max(0, ms), sequence: this.#sequence++, action }
    this.#push(scheduled)
    return () => {
      scheduled.action = undefined
    }
  }

  /** Adds an event to the audit hash. */
  record(...what: readonly (string | number | Uint8Array)[]): void {
    this.#audit.update(`${this.#nowMs}`)
    for (const item of what) this.#audit.update(typeof item === 'number' ? `|${item}` : item)
    this.#audit.update('\n')
  }

  auditHash(): string {
    return this.#audit.copy().digest('hex')
  }

  /**
   * Runs the next event and everything that follows from it at once; false if the queue is empty. All of the node's code runs in
   * microtasks, which end before a macrotask begins: that makes a run repeatable.
   */
  async step(): Promise<boolean> {
    const next = this.#pop()
    if (next === undefined) return false
    this.#nowMs = next.atMs
    if (next.action === undefined) return true
    this.events++
    next.action()
    await settled()
    await this.afterStep()
    return true
  }

  /** Runs until `done` returns true, checked after each event; false if `limitMs` of virtual time passed first. */
  async runUntil(done: () => boolean, limitMs: number): Promise<boolean> {
    const endMs = this.#nowMs + limitMs
    await settled()
    while (!done()) {
      const next = this.#queue[0]
      if (next === undefined || next.atMs > endMs) {
        this.#nowMs = endMs
        return false
      }
      await this.step()
    }
    return true
  }

  #push(item: Scheduled): void {
    const queue = this.#queue
    let at = queue.length
    queue.push(item)
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!isBefore(item, queue[parent]!)) break
      queue[at] = queue[parent]!
      at = parent
    }
    queue[at] = item
  }

  #pop(): Scheduled | undefined {
    const queue = this.#queue
    const top = queue[0]
    const last = queue.pop()
    if (top === undefined || last === undefined || queue.length === 0) return top
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= queue.length) break
      if (child + 1 < queue.length && isBefore(queue[child + 1]!, queue[child]!)) child++
      if (!isBefore(queue[child]!, last)) break
      queue[at] = queue[child]!
      at = child
    }
    queue[at] = last
    return top
  }
}

const isBefore = (a: Scheduled, b: Scheduled): boolean => a.atMs < b.atMs || (a.atMs === b.atMs && a.sequence < b.sequence)

/** Resolves in the next macrotask. */
export const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
