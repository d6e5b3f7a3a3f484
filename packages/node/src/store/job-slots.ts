/**
 * Slots for jobs in libuv's threads, of which a process has four for all of its own threads. Those take jobs in the order of their arrival,
 * so that the write-ahead log's sync would wait behind thousands of reads.
 */
export class JobSlots {
  readonly #max: number
  #waiting: (() => void)[] = []
  /** Index of the first waiting job. */
  #first = 0
  #running = 0

  constructor(max: number) {
    this.#max = max
  }

  /** Runs a job when there is a slot, in the order of the calls. Rejects with what the job rejects with. */
  async run<T>(job: () => Promise<T>): Promise<T> {
    if (this.#running < this.#max) this.#running++
    else await new Promise<void>((resolve) => this.#waiting.push(resolve))
    try {
      return await job()
    } finally {
      this.#release()
    }
  }

  /** Gives the slot to the next job, or frees it. */
  #release(): void {
    const next = this.#waiting[this.#first]
    if (next === undefined) {
      this.#running--
      return
    }
    this.#first++
    if (2 * this.#first >= this.#waiting.length) {
      this.#waiting = this.#waiting.slice(this.#first)
      this.#first = 0
    }
    next()
  }
}
