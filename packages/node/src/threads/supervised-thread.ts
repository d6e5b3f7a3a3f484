import type { Worker } from 'node:worker_threads'

export interface ThreadEvents<Message> {
  onMessage(message: Message): void
  /** Called once, after the thread has ended for whatever reason. `death` is the first reason that was known. */
  onEnd(death: Error): void
}

/**
 * One worker thread from its start to its end. The owner calls `kill`, or makes the thread end by a message, and awaits `ended`.
 * `RestartDelay` says when the owner should start the next one.
 */
export class SupervisedThread<Sent, Message> {
  /** Resolves after the thread has ended and `onEnd` has returned. */
  readonly ended: Promise<void>
  readonly #worker: Worker
  #death: Error | undefined

  /**
   * @param worker - A new worker. The SupervisedThread owns it from now on.
   * @param name - For messages, with its article: `the call worker`.
   */
  constructor(worker: Worker, name: string, { onMessage, onEnd }: ThreadEvents<Message>) {
    this.#worker = worker
    worker.on('message', onMessage)
    // Node.js ends the thread after an uncaught error: `exit` follows.
    worker.on('error', (error: Error) => {
      this.#death ??= new Error(`${name} failed: ${error.message}`, { cause: error })
    })
    worker.on('messageerror', (error: Error) =>
      this.kill(new Error(`cannot deserialize a message of ${name}: ${error.message}`, { cause: error })),
    )
    this.ended = new Promise((resolve) => {
      worker.once('exit', (code) => {
        this.#death ??= new Error(`${name} exited with code ${code}`)
        onEnd(this.#death)
        resolve()
      })
    })
  }

  /** Why the thread has ended, or is ending; undefined while it can be used. */
  get death(): Error | undefined {
    return this.#death
  }

  /** Sends a message. A thread that has ended ignores it. */
  post(message: Sent, transfer: readonly ArrayBuffer[] = []): void {
    this.#worker.postMessage(message, transfer)
  }

  /** Terminates the thread, whatever it is doing. The first reason is kept. */
  kill(reason: Error): void {
    this.#death ??= reason
    // `ended` waits for the exit.
    void this.#worker.terminate()
  }
}
