import type { Worker } from 'node:worker_threads'
import { err, ok, type Result } from '@quoin/protocol'
import type { Clock } from '../powers.ts'
import { DamagedError, type OnDamage } from '../store/damage.ts'
import { SupervisedThread } from '../threads/supervised-thread.ts'
import type { CallWorkerMessage, CallWorkerRequest } from './call-messages.ts'
import type { CallKind, CallOutcomes, CallPoolLimits, CallTask, CallUnavailable } from './call-runner.ts'
import type { CancelFlag } from './cancel-flag.ts'

export type CallAnswer = Result<CallOutcomes[CallKind], CallUnavailable>

/** A call, and the callbacks for its end. */
export interface Job {
  readonly task: CallTask
  /** Deadline, by the clock's `monotonic`. */
  readonly deadlineMs: number
  resolve(answer: CallAnswer): void
  reject(error: unknown): void
}

/** A worker and its half of the flag. */
export interface CallWorker {
  readonly worker: Worker
  readonly flag: CancelFlag
}

export interface CallThreadEvents {
  /** The thread can take a job. Called after its start, and after each answer. */
  onIdle(): void
  onAnswer(): void
  /** A trace has reached its timeout. The thread goes on if the trace ends soon. */
  onTraceTimeout(): void
  readonly onDamage: OnDamage
  /** Called once, after the thread has ended unexpectedly or was terminated, together with its job. */
  onLoss(loss: CallUnavailable): void
}

/** The message of go-ethereum, which clients match. */
export const timeoutMessage = (callMs: number): string => `execution aborted (timeout = ${callMs} ms)`

/** One thread that runs calls, one at a time. */
export class CallThread {
  readonly #thread: SupervisedThread<CallWorkerRequest, CallWorkerMessage>
  readonly #clock: Clock
  readonly #flag: CancelFlag
  readonly #limits: Pick<CallPoolLimits, 'callMs' | 'traceEndMs'>
  readonly #events: CallThreadEvents
  #isReady = false
  #isClosing = false
  #job: Job | undefined
  #cancelLimit: () => void = () => {}
  /** Why the thread was terminated. */
  #loss: CallUnavailable | undefined
  /** Damage that the thread has read. All its calls fail from then on, because its data cannot be trusted. */
  #damage: DamagedError | undefined

  /** @param worker - A new worker that speaks `call-messages.ts`. The CallThread owns it from now on. */
  constructor({ worker, flag }: CallWorker, clock: Clock, limits: CallPoolLimits, events: CallThreadEvents) {
    this.#flag = flag
    this.#clock = clock
    this.#limits = limits
    this.#events = events
    this.#thread = new SupervisedThread<CallWorkerRequest, CallWorkerMessage>(worker, 'the call worker', {
      onMessage: (message) => this.#receive(message),
      onEnd: (death) => this.#onEnd(death),
    })
  }

  /** Whether the thread has started. */
  get isReady(): boolean {
    return this.#isReady
  }

  get isIdle(): boolean {
    return this.#isReady && this.#job === undefined && this.#thread.death === undefined && !this.#isClosing
  }

  /** Runs a call on an idle thread. */
  run(job: Job): void {
    this.#job = job
    this.#flag.clear()
    const { callMs } = this.#limits
    const leftMs = Math.max(0, Math.min(callMs, job.deadlineMs - this.#clock.monotonic()))
    this.#cancelLimit = this.#clock.after(leftMs, () => this.#onTimeout(job))
    this.#thread.post(job.task)
  }

  /** Tells the thread that nobody waits for a job any more. A trace ends early then, other calls do not. */
  cancel(job: Job): void {
    if (this.#job === job) this.#flag.set()
  }

  /** A trace ends by itself between two transactions, so that a long one costs no thread. A call is stopped with its thread. */
  #onTimeout(job: Job): void {
    const { callMs, traceEndMs } = this.#limits
    const message = timeoutMessage(callMs)
    if (job.task.kind !== 'trace') return this.#kill('timeout', message)
    this.cancel(job)
    job.resolve(err({ code: 'timeout', message }))
    this.#events.onTraceTimeout()
    const late = `a trace did not end within ${traceEndMs} ms after its timeout`
    this.#cancelLimit = this.#clock.after(traceEndMs, () => this.#kill('fault', late))
  }

  /** Lets the running call end, then ends the thread and waits for it. */
  close(): Promise<void> {
    this.#isClosing = true
    if (this.#job === undefined) this.#dismiss()
    return this.#thread.ended
  }

  /** Terminates the thread and its call at once. `close` waits for the end. */
  terminate(): void {
    this.#kill('closed', 'the node is stopping')
  }

  /** A thread that is still starting does not read messages yet, so it is terminated. */
  #dismiss(): void {
    if (this.#isReady) this.#thread.post({ kind: 'close' })
    else this.#thread.kill(new Error('the call worker is closing'))
  }

  #receive(message: CallWorkerMessage): void {
    if (message.kind === 'damage') return this.#onDamage(new DamagedError(message.damage.finding, message.damage.key))
    if (message.kind === 'fault') return this.#kill('fault', message.message)
    if (message.kind === 'ready') this.#isReady = true
    else this.#answer(message)
    if (this.isIdle) this.#events.onIdle()
  }

  #answer(message: Extract<CallWorkerMessage, { kind: 'answer' | 'failure' }>): void {
    // The call timed out just before its answer arrived.
    if (this.#thread.death !== undefined) return
    const job = this.#job
    if (job === undefined) return this.#kill('fault', 'the call worker sent an answer without a request')
    this.#job = undefined
    this.#cancelLimit()
    this.#events.onAnswer()
    if (this.#damage !== undefined) job.reject(this.#damage)
    else if (message.kind === 'answer') job.resolve(ok(message.outcome))
    else job.reject(message.error)
    if (this.#isClosing) this.#dismiss()
  }

  #onDamage(damage: DamagedError): void {
    this.#damage = damage
    this.#events.onDamage(damage)
  }

  /** Terminates the thread. `#onEnd` does the rest when it has ended. */
  #kill(code: CallUnavailable['code'], message: string): void {
    // A thread that has died already was lost for that reason.
    if (this.#thread.death === undefined) this.#loss = { code, message }
    this.#thread.kill(new Error(message))
  }

  #onEnd({ message }: Error): void {
    this.#cancelLimit()
    if (this.#isClosing && this.#loss === undefined && this.#job === undefined) return
    const loss = this.#loss ?? { code: 'fault', message }
    this.#job?.resolve(err(loss))
    this.#job = undefined
    this.#events.onLoss(loss)
  }
}
