/** Runs asynchronous jobs one after another, in the order in which they were handed over. */
export class Sequencer {
  #last: Promise<unknown> = Promise.resolve()

  /** Settles as the job does. A job that fails does not keep the next from running. */
  run<T>(job: () => Promise<T>): Promise<T> {
    const result = this.#last.then(job, job)
    this.#last = result.catch(() => undefined)
    return result
  }

  /** Resolves when every job handed over so far has ended. */
  async idle(): Promise<void> {
    await this.#last
  }
}
