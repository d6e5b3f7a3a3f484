/** Runs pieces of work one after another. */
export class Turns {
  #last: Promise<unknown> = Promise.resolve()

  /** Runs `work` after everything that came before it, whether that failed or not. */
  take<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work, work)
    this.#last = turn.catch(settled)
    return turn
  }
}

/** The failure belongs to whoever took the turn. */
const settled = (): undefined => undefined
