import { err, type Result } from '@quoin/protocol'
import type { Client } from '../fair-queue.ts'
import type { Logger } from '../logger.ts'
import type { Clock } from '../powers.ts'
import type { OnDamage } from '../store/damage.ts'
import { RestartDelay } from '../threads/restart-delay.ts'
import { CALL_POOL_DEFAULTS, type CallPoolLimits, type CallStats, type CallUnavailable } from './call-runner.ts'
import { CallUsage } from './call-usage.ts'
import type { TaskOf } from './job.ts'
import { JobQueue, type WaitingJob } from './job-queue.ts'
import { type JobAnswer, JobReply } from './job-reply.ts'
import { type Job, JobThread, type JobWorker, type ThreadNames } from './job-thread.ts'

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

interface QueuedJob extends Job, WaitingJob {
  /** When its client gets an answer at the latest, by the clock's `monotonic`. */
  readonly deadlineMs: number
  readonly reply: JobReply
}

/** A slot for a thread, which may be replaced. */
interface Slot {
  thread: JobThread | undefined
  /** The next call starts a thread, because none was started yet, or it was ended to free memory. */
  isVacant: boolean
  /** Whether the thread replaces one that was lost. */
  isReplaced: boolean
  /** Cancels the delayed restart of a thread. */
  cancelRestart: () => void
  readonly restarts: RestartDelay
  /** The job that runs on the thread, and its start. */
  running: { readonly job: QueuedJob; readonly sinceMs: number } | undefined
  /** Cancels the check whether a long job must yield. */
  cancelYield: () => void
}

/**
 * Threads that run one job each, behind one fair queue. Clients that used the threads little in the recent past go first. If there are two or
 * more threads, one client never has all of them, and neither have the long jobs of all clients together; a single thread is not kept from
 * other jobs by a long one for more than `yieldMs`. A thread that dies or fails, or
 * whose job takes too long, is lost with that job only, and is replaced. No thread is lost because jobs waited.
 */
export class JobPool<Requests extends object, Outcomes extends { readonly [K in keyof Requests]: unknown }> {
  readonly #start: () => JobWorker
  readonly #jobs: PoolJobs<Requests>
  readonly #limits: CallPoolLimits
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #onDamage: OnDamage
  readonly #slots: readonly Slot[]
  readonly #queue: JobQueue<QueuedJob>
  readonly #usage: CallUsage
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
    this.#queue = new JobQueue(this.#limits)
    this.#usage = new CallUsage(clock)
    this.#slots = Array.from({ length: this.#limits.workers }, () => ({
      thread: undefined,
      isVacant: true,
      isReplaced: false,
      cancelRestart: () => {},
      restarts: new RestartDelay(this.#limits),
      running: undefined,
      cancelYield: () => {},
    }))
  }

  get stats(): CallStats {
    return { ...this.#counts, waiting: this.#queue.size }
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
    const endsEarly = this.#jobs.endsEarly(task)
    const answer = await new Promise<JobAnswer>((resolve, reject) => {
      const onAbort = (): void => this.#abandon(job)
      const reply = new JobReply({ resolve, reject, clock: this.#clock, signal, onAbort })
      const job: QueuedJob = { task, endsEarly, client, bytes, deadlineMs: this.#clock.monotonic() + this.#waitMs, reply }
      this.#enqueue(job)
    })
    if (!answer.ok && answer.error.code === 'timeout') this.#counts.timeouts++
    if (!answer.ok && answer.error.code === 'overloaded') this.#counts.refused++
    // A thread answers a request with the outcome of the same kind.
    return answer as Result<Outcomes[K], CallUnavailable>
  }

  /** How long a client that asks now waits for its answer at most. */
  get #waitMs(): number {
    const { callMs, startMsMax } = this.#limits
    return this.#isStarting ? callMs + startMsMax : callMs
  }

  #enqueue(job: QueuedJob): void {
    const queued = this.#queue.push(job)
    if (!queued.ok) return job.reply.resolve(overloaded(queued.error))
    for (const { reply } of queued.value) reply.resolve(MADE_ROOM)
    const { callMs, runPartMin } = this.#limits
    const queueMs = job.deadlineMs - this.#clock.monotonic() - runPartMin * callMs
    job.reply.limit(queueMs, () => {
      this.#queue.remove(job)
      const waited = `no thread was free for this one within ${Math.round(queueMs)} ms`
      job.reply.resolve(overloaded(`too many calls: ${waited}, try again later`))
    })
    this.#dispatch()
    this.#yieldLong()
  }

  /** Starts a job on an idle thread. Its client gets an answer in time, also if the job takes longer. */
  #begin(slot: Slot, thread: JobThread, job: QueuedJob): void {
    const nowMs = this.#clock.monotonic()
    job.reply.limit(job.deadlineMs - nowMs, () => {
      job.reply.resolve(err({ code: 'timeout', message: this.#jobs.timeout(this.#limits.callMs) }))
      thread.cancel(job)
    })
    slot.running = { job, sinceMs: nowMs }
    if (job.endsEarly) slot.cancelYield = this.#clock.after(this.#limits.yieldMs, () => this.#yieldLong())
    thread.run(job)
  }

  /** If there is one thread only, ends a long job that has run for a while and keeps other jobs waiting. */
  #yieldLong(): void {
    const [only, ...others] = this.#slots
    if (others.length > 0 || only?.running === undefined || this.#queue.shortSize === 0) return
    const { job, sinceMs } = only.running
    const { yieldMs } = this.#limits
    if (!job.endsEarly || this.#clock.monotonic() - sinceMs < yieldMs) return
    const words = `this ${job.task.kind} was ended after ${yieldMs} ms, because calls waited for the only thread`
    job.reply.resolve(overloaded(`too many calls: ${words}, try again later`))
    only.thread?.cancel(job)
  }

  /** Nobody waits for a job any more. */
  #abandon(job: QueuedJob): void {
    this.#queue.remove(job)
    for (const { thread } of this.#slots) thread?.cancel(job)
  }

  /** Whether all threads are starting for the first time, or after they were dismissed. The restart of a lost thread does not count. */
  get #isStarting(): boolean {
    return this.#slots.every(({ thread, isReplaced }) => !isReplaced && thread?.isReady === false)
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
    for (const kind of ['short', 'long'] as const)
      for (let job = this.#queue.take(kind); job !== undefined; job = this.#queue.take(kind)) job.reply.resolve(err(CLOSED))
    await Promise.all(
      this.#slots.map(async ({ thread, cancelRestart }) => {
        cancelRestart()
        await thread?.close()
      }),
    )
    await Promise.all(this.#leaving)
  }

  #dispatch(): void {
    for (const slot of this.#slots) {
      if (slot.thread?.isIdle !== true) continue
      const job = this.#next()
      if (job === undefined) return
      this.#begin(slot, slot.thread, job)
    }
  }

  #next(): QueuedJob | undefined {
    const threadsMax = Math.max(1, this.#slots.length - 1)
    const running = this.#slots.flatMap((slot) => (slot.running === undefined ? [] : [slot.running.job]))
    const has = ({ remote }: Client): number => running.filter(({ client }) => client.remote === remote).length
    const hasRoom = running.filter(({ endsEarly }) => endsEarly).length < threadsMax
    for (const rank of [0, 1, 2] as const) {
      // Of clients of one rank, short jobs go before long ones.
      for (const kind of hasRoom ? (['short', 'long'] as const) : (['short'] as const)) {
        const job = this.#queue.take(kind, (client) => this.#usage.rankOf(client) === rank && has(client) < threadsMax)
        if (job !== undefined) return job
      }
    }
    return undefined
  }

  /** Accounts for the running call when the thread of a slot is free again, or lost. */
  #release(slot: Slot): void {
    if (slot.running === undefined) return
    slot.cancelYield()
    this.#usage.add(slot.running.job.client, this.#clock.monotonic() - slot.running.sinceMs)
    slot.running = undefined
  }

  /** Starts threads in vacant slots. A thread that is lost during its start is reported and replaced like any other. */
  #fillAll(): void {
    for (const slot of this.#slots) {
      if (!slot.isVacant) continue
      slot.isVacant = false
      slot.isReplaced = false
      this.#fill(slot)
    }
  }

  /** Starts a new thread in a slot. */
  #fill(slot: Slot): void {
    slot.thread = new JobThread(this.#start(), this.#clock, this.#limits, this.#jobs, {
      onIdle: () => this.#dispatch(),
      onAnswer: () => {
        if (slot.running?.job.reply.isGiven === false) this.#counts.answered++
        this.#release(slot)
        slot.restarts.reset()
      },
      onDamage: this.#onDamage,
      onLoss: (loss) => this.#onLoss(slot, loss),
    })
  }

  #onLoss(slot: Slot, { code, message }: CallUnavailable): void {
    slot.thread = undefined
    this.#release(slot)
    if (code === 'closed') return
    if (code === 'fault') this.#counts.faults++
    this.#logger.warn({ code, reason: message }, `a ${this.#jobs.worker} was lost`)
    if (this.#closing !== undefined) return
    slot.isReplaced = true
    // An endless call takes its thread for `callMs`, so endless calls cannot make restarts more frequent than that. They must not make them
    // slower either: the other clients need the thread.
    const delayMs = code === 'timeout' ? slot.restarts.again() : slot.restarts.next()
    slot.cancelRestart = this.#clock.after(delayMs, () => {
      this.#counts.restarts++
      this.#fill(slot)
    })
  }
}

const CLOSED: CallUnavailable = { code: 'closed', message: 'the node is stopping' }

const overloaded = (message: string): JobAnswer => err({ code: 'overloaded', message })

const MADE_ROOM = overloaded('too many calls: this one made room for an address with fewer, try again later')
