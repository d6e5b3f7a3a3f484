import { err, type Result } from '@quoin/protocol'
import { type Client, FairQueue } from '../fair-queue.ts'
import type { Logger } from '../logger.ts'
import type { Clock } from '../powers.ts'
import type { OnDamage } from '../store/damage.ts'
import { RestartDelay } from '../threads/restart-delay.ts'
import { CALL_POOL_DEFAULTS, type CallPoolLimits, type CallStats, type CallUnavailable } from './call-runner.ts'
import { CallUsage } from './call-usage.ts'
import type { TaskOf } from './job.ts'
import { type Job, type JobAnswer, JobThread, type JobWorker, type ThreadNames } from './job-thread.ts'

export interface JobPoolOptions {
  readonly limits?: Partial<CallPoolLimits>
  readonly clock: Clock
  /** Logs each thread that is lost. */
  readonly logger: Logger
  /** Called when a thread finds damage in the database. */
  readonly onDamage?: OnDamage
}

/** What a pool knows of its jobs. */
export interface PoolJobs<Requests> extends ThreadNames {
  /** Memory of a waiting request. */
  bytesOf(task: TaskOf<Requests>): number
  /** Whether a job takes long, and ends by itself soon after it is cancelled. */
  endsEarly(task: TaskOf<Requests>): boolean
}

interface QueuedJob extends Job {
  readonly client: Client
  readonly bytes: number
  /** Called when the job leaves the queue: stops its timeout, and its abort listener if the job cannot end early. */
  begin(): void
  /** Called when the thread of the job is free again: stops the abort listener. */
  forget(): void
}

/** A slot for a thread, which may be replaced. */
interface Slot {
  thread: JobThread | undefined
  /** The next call starts a thread, because none was started yet, or it was ended to free memory. */
  isVacant: boolean
  /** Cancels the delayed restart of a thread. */
  cancelRestart: () => void
  readonly restarts: RestartDelay
  /** The job that runs on the thread, and its start. */
  running: { readonly job: QueuedJob; readonly sinceMs: number } | undefined
}

/**
 * Threads that run one job each, behind one fair queue. Clients that used the threads little in the recent past go first. If there are two or
 * more threads, one client never has all of them, and neither have the long jobs of all clients together. A thread that dies, fails or takes
 * too long is lost with its own job only, and is replaced.
 */
export class JobPool<Requests extends object, Outcomes extends { readonly [K in keyof Requests]: unknown }> {
  readonly #start: () => JobWorker
  readonly #jobs: PoolJobs<Requests>
  readonly #limits: CallPoolLimits
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #onDamage: OnDamage
  readonly #slots: readonly Slot[]
  readonly #queue = new FairQueue<QueuedJob>()
  /** Long jobs wait apart, because they must leave a thread to the others. */
  readonly #long = new FairQueue<QueuedJob>()
  readonly #usage: CallUsage
  #queuedBytes = 0
  readonly #counts = { answered: 0, refused: 0, timeouts: 0, faults: 0, restarts: 0 }
  #closing: Promise<void> | undefined
  /** Threads that were dismissed and have not ended yet. */
  readonly #leaving = new Set<Promise<void>>()

  /** @param start - Creates a thread that speaks `call-messages.ts`. */
  constructor(start: () => JobWorker, jobs: PoolJobs<Requests>, { limits, clock, logger, onDamage = () => {} }: JobPoolOptions) {
    this.#start = start
    this.#jobs = jobs
    this.#limits = { ...CALL_POOL_DEFAULTS, ...limits }
    this.#clock = clock
    this.#logger = logger
    this.#onDamage = onDamage
    this.#usage = new CallUsage(clock)
    this.#slots = Array.from({ length: this.#limits.workers }, () => ({
      thread: undefined,
      isVacant: true,
      cancelRestart: () => {},
      restarts: new RestartDelay(this.#limits),
      running: undefined,
    }))
  }

  get stats(): CallStats {
    return { ...this.#counts, waiting: this.#waiting }
  }

  get #waiting(): number {
    return this.#queue.size + this.#long.size
  }

  #queueOf({ endsEarly }: QueuedJob): FairQueue<QueuedJob> {
    return endsEarly ? this.#long : this.#queue
  }

  /** Runs a job. See `CallRunner.run`. */
  async run<K extends keyof Requests & string>(
    kind: K,
    request: Requests[K],
    signal: AbortSignal,
    client: Client,
  ): Promise<Result<Outcomes[K], CallUnavailable>> {
    signal.throwIfAborted()
    if (this.#closing !== undefined) return err(CLOSED)
    this.#fillAll()
    const task = { kind, request } as TaskOf<Requests>
    const bytes = this.#jobs.bytesOf(task)
    const refusal = this.#roomRefusal(client, bytes)
    if (refusal !== undefined) {
      this.#counts.refused++
      return err({ code: 'overloaded', message: refusal })
    }
    const endsEarly = this.#jobs.endsEarly(task)
    const answer = await new Promise<JobAnswer>((resolve, reject) =>
      this.#enqueue({ task, endsEarly, client, bytes, resolve, reject }, signal),
    )
    // A thread answers a request with the outcome of the same kind.
    return answer as Result<Outcomes[K], CallUnavailable>
  }

  #roomRefusal(client: Client, bytes: number): string | undefined {
    const { callsQueuedMax, callsQueuedPerRemoteMax, queuedBytesMax } = this.#limits
    const own = this.#queue.sizeOf(client) + this.#long.sizeOf(client)
    if (own >= callsQueuedPerRemoteMax) return `too many calls: ${own} of ${client.remote} are waiting, try again later`
    if (this.#waiting < callsQueuedMax && this.#queuedBytes + bytes <= queuedBytesMax) return undefined
    return `too many calls: ${this.#waiting} with ${this.#queuedBytes} bytes are waiting, try again later`
  }

  #enqueue(asked: Omit<QueuedJob, 'begin' | 'forget' | 'deadlineMs'>, signal: AbortSignal): void {
    const { callMs, startMsMax } = this.#limits
    const waitMs = this.#isStarting ? callMs + startMsMax : callMs
    const onAbort = (): void => {
      this.#remove(job)
      job.begin()
      for (const { thread } of this.#slots) thread?.cancel(job)
      job.reject(signal.reason)
    }
    const cancelLimit = this.#clock.after(waitMs, () => {
      if (!this.#remove(job)) return
      job.begin()
      this.#counts.timeouts++
      job.resolve(err({ code: 'timeout', message: this.#jobs.timeout(callMs) }))
    })
    const forget = (): void => signal.removeEventListener('abort', onAbort)
    const begin = (): void => {
      cancelLimit()
      // A job that can end early forgets its signal when it ends.
      if (!asked.endsEarly) forget()
    }
    const job: QueuedJob = { ...asked, deadlineMs: this.#clock.monotonic() + waitMs, begin, forget }
    signal.addEventListener('abort', onAbort, { once: true })
    this.#queueOf(job).push(job.client, job)
    this.#queuedBytes += job.bytes
    this.#dispatch()
  }

  /** Whether all threads are starting for the first time, or after they were dismissed. The restart of a lost thread does not count. */
  get #isStarting(): boolean {
    return this.#slots.every(({ thread, restarts }) => restarts.deaths === 0 && thread?.isReady === false)
  }

  /** Ends the idle threads, to free their memory. The next call starts them again. */
  dismissIdle(): void {
    if (this.#closing !== undefined) return
    for (const slot of this.#slots) {
      const { thread } = slot
      if (thread?.isIdle !== true) continue
      slot.thread = undefined
      slot.isVacant = true
      const left: Promise<void> = thread.close().finally(() => this.#leaving.delete(left))
      this.#leaving.add(left)
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  /** Closes, and terminates the running calls at once, for a process that must end. Call `close` afterwards, which then ends soon. */
  terminate(): void {
    this.#closing ??= this.#close()
    for (const { thread } of this.#slots) thread?.terminate()
  }

  async #close(): Promise<void> {
    for (const queue of [this.#queue, this.#long])
      for (let job = this.#take(queue); job !== undefined; job = this.#take(queue)) job.resolve(err(CLOSED))
    await Promise.all(
      this.#slots.map(async ({ thread, cancelRestart }) => {
        cancelRestart()
        await thread?.close()
      }),
    )
    await Promise.all(this.#leaving)
  }

  /** Takes the next job of a client that may have a thread. */
  #take(queue: FairQueue<QueuedJob>, passes?: (client: Client) => boolean): QueuedJob | undefined {
    const next = queue.shift(passes)
    if (next === undefined) return undefined
    this.#queuedBytes -= next.item.bytes
    next.item.begin()
    return next.item
  }

  #remove(job: QueuedJob): boolean {
    const isRemoved = this.#queueOf(job).remove(job.client, job)
    if (isRemoved) this.#queuedBytes -= job.bytes
    return isRemoved
  }

  #dispatch(): void {
    for (const slot of this.#slots) {
      if (slot.thread?.isIdle !== true) continue
      const job = this.#next()
      if (job === undefined) return
      slot.running = { job, sinceMs: this.#clock.monotonic() }
      slot.thread.run(job)
    }
  }

  #next(): QueuedJob | undefined {
    const threadsMax = Math.max(1, this.#slots.length - 1)
    const running = this.#slots.flatMap((slot) => (slot.running === undefined ? [] : [slot.running.job]))
    const has = ({ remote }: Client): number => running.filter(({ client }) => client.remote === remote).length
    const hasRoom = running.filter(({ endsEarly }) => endsEarly).length < threadsMax
    for (const rank of [0, 1, 2] as const) {
      // Of clients of one rank, short jobs go before long ones.
      for (const queue of hasRoom ? [this.#queue, this.#long] : [this.#queue]) {
        const job = this.#take(queue, (client) => this.#usage.rankOf(client) === rank && has(client) < threadsMax)
        if (job !== undefined) return job
      }
    }
    return undefined
  }

  /** Accounts for the running call when the thread of a slot is free again, or lost. */
  #release(slot: Slot): void {
    if (slot.running === undefined) return
    slot.running.job.forget()
    this.#usage.add(slot.running.job.client, this.#clock.monotonic() - slot.running.sinceMs)
    slot.running = undefined
  }

  /** Starts threads in vacant slots. A thread that is lost during its start is reported and replaced like any other. */
  #fillAll(): void {
    for (const slot of this.#slots) {
      if (!slot.isVacant) continue
      slot.isVacant = false
      this.#fill(slot)
    }
  }

  /** Starts a new thread in a slot. */
  #fill(slot: Slot): void {
    slot.thread = new JobThread(this.#start(), this.#clock, this.#limits, this.#jobs, {
      onIdle: () => this.#dispatch(),
      onAnswer: () => {
        this.#release(slot)
        slot.restarts.reset()
        this.#counts.answered++
      },
      onTimeout: () => this.#counts.timeouts++,
      onDamage: this.#onDamage,
      onLoss: (loss) => this.#onLoss(slot, loss),
    })
  }

  #onLoss(slot: Slot, { code, message }: CallUnavailable): void {
    slot.thread = undefined
    this.#release(slot)
    if (code === 'closed') return
    if (code === 'timeout') this.#counts.timeouts++
    else this.#counts.faults++
    this.#logger.warn({ code, reason: message }, `a ${this.#jobs.worker} was lost`)
    if (this.#closing !== undefined) return
    slot.cancelRestart = this.#clock.after(slot.restarts.next(), () => {
      this.#counts.restarts++
      this.#fill(slot)
    })
  }
}

const CLOSED: CallUnavailable = { code: 'closed', message: 'the node is stopping' }
