import { once } from 'node:events'
import type { Worker } from 'node:worker_threads'
import { InterpreterFault } from '@quoin/execution'
import { type Hash, ok, type Result } from '@quoin/protocol'
import { DamagedError } from '../store/damage.ts'
import { SupervisedThread } from '../threads/supervised-thread.ts'
import type { ExecutorCall, ExecutorMessage, ExecutorRefusal, ExecutorRequest, OpenedExecutor } from './messages.ts'
import { Turns } from './turns.ts'
import { type WatchPowers, watch } from './watchdog.ts'

/** How a call of a thread ended. */
export type CallEnd =
  | { readonly kind: 'answer'; readonly value: unknown }
  /** The contract interpreter failed. The thread can still be used. */
  | { readonly kind: 'fault'; readonly fault: InterpreterFault }
  /** The call threw: a bug, or a damaged database (DamagedError). The thread can still be used. */
  | { readonly kind: 'failure'; readonly error: unknown }
  /** The thread was lost while it ran this transaction. Undefined if it ran none, or if other transactions took the time too. */
  | { readonly kind: 'death'; readonly transaction: Hash | undefined; readonly error: Error }

interface Pending {
  readonly id: number
  readonly method: ExecutorCall['method']
  readonly resolve: (end: CallEnd) => void
  readonly endWatch: () => void
}

/** One thread that executes blocks, with its own handle of the database. Serves one call at a time, and may die at any time. */
export class ExecutorThread {
  readonly version: Hash
  /** The thread's cryptographic backend, for the log. */
  readonly backend: string
  readonly #thread: SupervisedThread<ExecutorRequest, ExecutorMessage>
  readonly #turns: Turns
  readonly #powers: WatchPowers
  #pending: Pending | undefined
  #nextId = 0
  /** Damage that the thread has read. All its calls fail from then on, because its data cannot be trusted. */
  #damage: DamagedError | undefined
  /** Whether the running transaction is taken for the cause if the thread dies. */
  #isBlamed = true

  /** Waits until a new worker has opened its database. Rejects if the worker ends before. */
  static async open(worker: Worker, powers: WatchPowers): Promise<Result<ExecutorThread, ExecutorRefusal>> {
    const [message] = await Promise.race([
      once(worker, 'message') as Promise<[ExecutorMessage]>,
      once(worker, 'exit').then(([code]) => Promise.reject(new Error(`the execution worker exited with code ${code}`))),
    ])
    if (message.kind !== 'opened') throw new Error(`unexpected first message of the execution worker: ${message.kind}`)
    const { opened } = message
    if (opened.ok) return ok(new ExecutorThread(worker, opened.value, powers))
    await worker.terminate()
    return opened
  }

  /** @param worker - A worker that has opened its database. The ExecutorThread owns it from now on. */
  constructor(worker: Worker, { version, backend, turns }: OpenedExecutor, powers: WatchPowers) {
    this.version = version
    this.backend = backend
    this.#turns = new Turns(turns)
    this.#powers = powers
    this.#thread = new SupervisedThread<ExecutorRequest, ExecutorMessage>(worker, 'the execution worker', {
      onMessage: (message) => this.#receive(message),
      onEnd: (death) => this.#onEnd(death),
    })
  }

  /** Why the thread can no longer be used; undefined while it can. */
  get death(): Error | undefined {
    return this.#thread.death
  }

  /**
   * Makes a call. Throws if another call is running.
   *
   * @param workMsMax - Work time by the watchdog's count after which the thread is terminated; undefined means no limit.
   */
  call(call: ExecutorCall, workMsMax?: number): Promise<CallEnd> {
    if (this.#pending !== undefined) throw new Error(`${call.method} during another call of the execution worker`)
    const { death } = this.#thread
    if (death !== undefined) return Promise.resolve({ kind: 'death', transaction: undefined, error: death })
    return new Promise((resolve) => {
      const id = this.#nextId++
      const onLate = (isOneTurn: boolean) => this.#endLate(call.method, workMsMax!, isOneTurn)
      const endWatch = workMsMax === undefined ? () => {} : watch(this.#powers, this.#turns, workMsMax, onLate)
      this.#pending = { id, method: call.method, resolve, endWatch }
      this.#thread.post({ id, call }, buffersOf(call))
    })
  }

  /** Makes the thread close its database and waits for its end. Works for a dead thread too. */
  async end(): Promise<void> {
    const end = await this.call({ method: 'close' })
    await this.#thread.ended
    if (end.kind === 'failure') throw end.error
  }

  #receive(message: ExecutorMessage): void {
    if (message.kind === 'opened') return this.kill('unexpected second `opened` message of the execution worker')
    if (message.kind === 'damage') {
      this.#damage ??= new DamagedError(message.damage.finding, message.damage.key)
      return
    }
    // An answer that was under way when the thread was killed: its call ends with the thread.
    if (this.#thread.death !== undefined) return
    const pending = this.#pending
    if (pending?.id !== message.id) return this.kill(`the execution worker answered call ${message.id}, which is not pending`)
    this.#pending = undefined
    pending.endWatch()
    if (this.#damage !== undefined && pending.method !== 'close') return pending.resolve({ kind: 'failure', error: this.#damage })
    switch (message.kind) {
      case 'answer':
        return pending.resolve({ kind: 'answer', value: message.value })
      case 'fault':
        return pending.resolve({ kind: 'fault', fault: new InterpreterFault(message.transaction, message.cause) })
      case 'failure':
        return pending.resolve({ kind: 'failure', error: message.error })
    }
  }

  /** Terminates the thread, and its call with it. */
  kill(message: string): void {
    this.#thread.kill(new Error(message))
  }

  #endLate(method: string, workMs: number, isOneTurn: boolean): void {
    this.#isBlamed = isOneTurn
    this.kill(
      `the execution worker was terminated: its call of ${method} took longer than ${workMs} ms, the time limit for the gas of a block`,
    )
  }

  /** The thread has ended, so `Turns` no longer changes. */
  #onEnd(error: Error): void {
    const pending = this.#pending
    if (pending === undefined) return
    this.#pending = undefined
    pending.endWatch()
    pending.resolve({ kind: 'death', transaction: this.#isBlamed ? this.#turns.transaction : undefined, error })
  }
}

function buffersOf(call: ExecutorCall): readonly ArrayBuffer[] {
  if (call.method === 'build') return [call.queues.buffer]
  return call.method === 'execute' ? [call.transactions.buffer] : []
}
