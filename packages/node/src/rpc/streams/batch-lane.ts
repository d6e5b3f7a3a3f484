import { type Client, FairQueue } from '../../fair-queue.ts'

/** Runs a bounded number of jobs at a time. Further ones wait, by address and then by connection. Bounds the memory of batches under way. */
export class BatchLane {
  readonly #max: number
  readonly #waiting = new FairQueue<() => Promise<void>>()
  #running = 0

  constructor(max: number) {
    this.#max = max
  }

  /** @param job - Must not reject. */
  add(client: Client, job: () => Promise<void>): void {
    this.#waiting.push(client, job)
    this.#start()
  }

  #start(): void {
    while (this.#running < this.#max) {
      const next = this.#waiting.shift()
      if (next === undefined) return
      this.#running++
      void next.item().then(() => {
        this.#running--
        this.#start()
      })
    }
  }
}
