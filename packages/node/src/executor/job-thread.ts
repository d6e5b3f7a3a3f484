import type { Worker } from 'node:worker_threads'
import { err, ok } from '@quoin/protocol'
import type { Clock } from '../powers.ts'
import { DamagedError, type OnDamage } from '../store/damage.ts'
import { SupervisedThread } from '../threads/supervised-thread.ts'
import type { WorkerMessage, WorkerRequest } from './call-messages.ts'
import type { CallPoolLimits, CallUnavailable } from './call-runner.ts'
import type { CancelFlag } from './cancel-flag.ts'
import type { AnyJob } from './job.ts'
import type { JobReply } from './job-reply.ts'

/** A job, and where its answer goes. */
export interface Job {
  readonly task: AnyJob
  /** Whether it ends by itself soon after it is cancelled, so that its thread need not be stopped. */
  readonly endsEarly: boolean
  readonly reply: Pick<JobReply, 'isGiven' | 'resolve' | 'reject'>
}

/** A worker and its half of the flag. */
export interface JobWorker {
  readonly worker: Worker
  readonly flag: CancelFlag
}

export interface JobThreadEvents {
  /** The thread can take a job. Called after its start, and after each answer. */
  onIdle(): void
  onAnswer(): void
  readonly onDamage: OnDamage
  /** Called once, after the thread has ended unexpectedly or was terminated, together with its job. */
  onLoss(loss: CallUnavailable): void
}

/** What a thread is called in messages, and the message of a timeout. */
export interface ThreadNames {
  readonly worker: string
  timeout(callMs: number): string
}

/** One thread that runs jobs, one at a time. */
export class JobThread {
  readonly #thread: SupervisedThread<WorkerRequest, WorkerMessage>
  readonly #clock: Clock
  readonly #flag: CancelFlag
  readonly #limits: Pick<CallPoolLimits, 'callMs' | 'traceEndMs'>
  readonly #names: ThreadNames
  readonly #events: JobThreadEvents
  #isReady = false
  #isClosing = false
  #job: Job | undefined
  #cancelLimit: () => void = () => {}
  /** Why the thread was terminated. */
  #loss: CallUnavailable | undefined
  /** Damage that the thread has read. All its calls fail from then on, because its data cannot be trusted. */
  #damage: DamagedError | undefined

  /** @param worker - A new worker that speaks `call-messages.ts`. The JobThread owns it from now on. */
  constructor({ worker, flag }: JobWorker, clock: Clock, limits: CallPoolLimits, names: ThreadNames, events: JobThreadEvents) {
    this.#flag = flag
    this.#clock = clock
    this.#limits = limits
    this.#names = names
    this.#events = events
    this.#thread = new SupervisedThread<WorkerRequest, WorkerMessage>(worker, `the ${names.worker}`, {
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

  /**
   * Runs a call on an idle thread. It has `callMs` from now on, however long it waited and whether or not its client still waits: a thread that
   * was stopped for a late start would cost everybody its restart.
   */
  run(job: Job): void {
    this.#job = job
    this.#flag.clear()
    this.#cancelLimit = this.#clock.after(this.#limits.callMs, () => this.#onTimeout(job))
    this.#thread.post(job.task)
  }

  /** Tells the thread that nobody waits for a job any more. Call it after the answer. */
  cancel(job: Job): void {
    if (this.#job !== job) return
    this.#flag.set()
    if (this.#isClosing) this.#stopUnwanted()
  }

  /** A job that does not end early must not delay the end of the node when nobody waits for it. */
  #stopUnwanted(): void {
    if (this.#job?.reply.isGiven === true && !this.#job.endsEarly) this.terminate()
  }

  /** A job that ends early, such as a trace, costs no thread. Any other is stopped with its thread. */
  #onTimeout(job: Job): void {
    const { callMs, traceEndMs } = this.#limits
    const message = this.#names.timeout(callMs)
    if (!job.endsEarly) return this.#kill('timeout', message)
    job.reply.resolve(err({ code: 'timeout', message }))
    this.cancel(job)
    const late = `a ${job.task.kind} did not end within ${traceEndMs} ms after its timeout`
    this.#cancelLimit = this.#clock.after(traceEndMs, () => this.#kill('timeout', late))
  }

  /** Lets the running call end if its client waits for it, then ends the thread and waits for it. */
  close(): Promise<void> {
    this.#isClosing = true
    if (this.#job === undefined) this.#dismiss()
    else this.#stopUnwanted()
    return this.#thread.ended
  }

  /** Terminates the thread and its call at once. `close` waits for the end. */
  terminate(): void {
    this.#kill('closed', 'the node is stopping')
  }

  /** A thread that is still starting does not read messages yet, so it is terminated. */
  #dismiss(): void {
    if (this.#isReady) this.#thread.post({ kind: 'close' })
    else this.#thread.kill(new Error(`the ${this.#names.worker} is closing`))
  }

  #receive(message: WorkerMessage): void {
    if (message.kind === 'damage') return this.#onDamage(new DamagedError(message.damage.finding, message.damage.key))
    if (message.kind === 'fault') return this.#kill('fault', message.message)
    if (message.kind === 'ready') this.#isReady = true
    else this.#answer(message)
    if (this.isIdle) this.#events.onIdle()
  }

  #answer(message: Extract<WorkerMessage, { kind: 'answer' | 'failure' }>): void {
    // The call timed out just before its answer arrived.
    if (this.#thread.death !== undefined) return
    const job = this.#job
    if (job === undefined) return this.#kill('fault', `the ${this.#names.worker} sent an answer without a request`)
    this.#job = undefined
    this.#cancelLimit()
    this.#events.onAnswer()
    if (this.#damage !== undefined) job.reply.reject(this.#damage)
    else if (message.kind === 'answer') job.reply.resolve(ok(message.outcome))
    else job.reply.reject(message.error)
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
    this.#job?.reply.resolve(err(loss))
    this.#job = undefined
    this.#events.onLoss(loss)
  }
}
