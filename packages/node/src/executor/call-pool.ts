import type { Worker } from 'node:worker_threads'
import type { CallRequest } from '@quoin/execution'
import { err, type Result } from '@quoin/protocol'
import { type Client, FairQueue } from '../fair-queue.ts'
import type { Logger } from '../logger.ts'
import type { Clock } from '../powers.ts'
import type { OnDamage } from '../store/damage.ts'
import { startWorker } from '../worker-file.ts'
import type { CallWorkerData } from './call-messages.ts'
import {
  CALL_POOL_DEFAULTS,
  type CallKind,
  type CallOutcomes,
  type CallPoolLimits,
  type CallRunner,
  type CallStats,
  type CallUnavailable,
} from './call-runner.ts'
import { type CallAnswer, CallThread, type Job, timeoutMessage } from './call-thread.ts'
import { CallUsage } from './call-usage.ts'

export interface CallPoolOptions {
  readonly limits?: Partial<CallPoolLimits>
  readonly clock: Clock
  /** Told of each thread that is lost. */
  readonly logger: Logger
  /** Told of what the threads find damaged in the database. */
  readonly onDamage?: OnDamage
}

/** Stack of a thread: that of the execution worker, so that a call meets the same machine as a transaction. */
const stackSizeMb = 16

/** A pool whose threads start with the first call: a node that nobody calls has none. */
export function openCallPool(options: CallPoolOptions & CallWorkerData): CallPool {
  const { databasePath, chainId } = options
  const workerData: CallWorkerData = { databasePath, chainId }
  const start = () => startWorker(import.meta.url, 'call-worker', { workerData, resourceLimits: { stackSizeMb } })
  return new CallPool(start, options)
}

interface QueuedJob extends Job {
  readonly client: Client
  readonly bytes: number
  /** Ends the waiting for an abort and for the end of its time, when the call begins. */
  begin(): void
}

/** A place for a thread; threads come and go. */
interface Slot {
  thread: CallThread | undefined
  /** The next call starts a thread: none was started yet, or it was ended for want of memory. */
  isVacant: boolean
  /** Cancels the start of the next thread, while that waits for its time. */
  cancelRestart: () => void
  /** Threads lost since the last answer. */
  losses: number
  /** Whose call runs on the thread, and since when. */
  running: { readonly client: Client; readonly sinceMs: number } | undefined
}

/**
 * Threads that run one call each at a time, and one queue before them, in which clients take turns: those first who used the threads little
 * lately. One client never has all threads where there are two. A thread that dies, fails or takes too long is lost with its call alone, and
 * another takes its place.
 */
export class CallPool implements CallRunner {
  readonly #start: () => Worker
  readonly #limits: CallPoolLimits
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #onDamage: OnDamage
  readonly #slots: readonly Slot[]
  readonly #queue = new FairQueue<QueuedJob>()
  readonly #usage: CallUsage
  #queuedBytes = 0
  readonly #counts = { answered: 0, refused: 0, timeouts: 0, faults: 0, restarts: 0 }
  #closing: Promise<void> | undefined
  /** Ends of threads that were dismissed. */
  readonly #leaving = new Set<Promise<void>>()
  #onReady: () => void = () => {}
  #onLossAtStart: (error: Error) => void = () => {}

  /** `start` makes a thread that speaks `call-messages.ts`. */
  constructor(start: () => Worker, { limits, clock, logger, onDamage = () => {} }: CallPoolOptions) {
    this.#start = start
    this.#limits = { ...CALL_POOL_DEFAULTS, ...limits }
    this.#clock = clock
    this.#logger = logger
    this.#onDamage = onDamage
    this.#usage = new CallUsage(clock)
    this.#slots = Array.from({ length: this.#limits.workers }, () => ({
      thread: undefined,
      isVacant: true,
      cancelRestart: () => {},
      losses: 0,
      running: undefined,
    }))
  }

  /** Starts the threads, which the first call would do otherwise. Resolves when all are up; rejects when one is lost before. */
  start(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#onReady = resolve
      this.#onLossAtStart = reject
      this.#fillAll()
    })
  }

  get stats(): CallStats {
    return { ...this.#counts, waiting: this.#queue.size }
  }

  async run<K extends CallKind>(
    kind: K,
    request: CallRequest,
    signal: AbortSignal,
    client: Client,
  ): Promise<Result<CallOutcomes[K], CallUnavailable>> {
    signal.throwIfAborted()
    if (this.#closing !== undefined) return err(CLOSED)
    this.#fillAll()
    const bytes = bytesOf(request)
    const refusal = this.#roomRefusal(client, bytes)
    if (refusal !== undefined) {
      this.#counts.refused++
      return err({ code: 'overloaded', message: refusal })
    }
    const answer = await new Promise<CallAnswer>((resolve, reject) =>
      this.#enqueue({ kind, request, client, bytes, resolve, reject }, signal),
    )
    // A thread answers what it was asked.
    return answer as Result<CallOutcomes[K], CallUnavailable>
  }

  #roomRefusal(client: Client, bytes: number): string | undefined {
    const { callsQueuedMax, callsQueuedPerRemoteMax, queuedBytesMax } = this.#limits
    const own = this.#queue.sizeOf(client)
    if (own >= callsQueuedPerRemoteMax) return `${own} calls of ${client.remote} wait already: try again later`
    if (this.#queue.size < callsQueuedMax && this.#queuedBytes + bytes <= queuedBytesMax) return undefined
    return `${this.#queue.size} calls of ${this.#queuedBytes} bytes wait already: try again later`
  }

  #enqueue(asked: Omit<QueuedJob, 'begin' | 'deadlineMs'>, signal: AbortSignal): void {
    const { callMs, startMsMax } = this.#limits
    const waitMs = this.#isStarting ? callMs + startMsMax : callMs
    const onAbort = (): void => {
      this.#remove(job)
      job.begin()
      job.reject(signal.reason)
    }
    const cancelLimit = this.#clock.after(waitMs, () => {
      if (!this.#remove(job)) return
      job.begin()
      this.#counts.timeouts++
      job.resolve(err({ code: 'timeout', message: timeoutMessage(callMs) }))
    })
    const begin = (): void => {
      cancelLimit()
      signal.removeEventListener('abort', onAbort)
    }
    const job: QueuedJob = { ...asked, deadlineMs: this.#clock.monotonic() + waitMs, begin }
    signal.addEventListener('abort', onAbort, { once: true })
    this.#queue.push(job.client, job)
    this.#queuedBytes += job.bytes
    this.#dispatch()
  }

  /** Whether all threads start for the first time, or after they were dismissed; one that was lost and comes back is none of these. */
  get #isStarting(): boolean {
    return this.#slots.every(({ thread, losses }) => losses === 0 && thread?.isReady === false)
  }

  /** Ends the threads that run nothing, each with its memory; the next call starts them again. */
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

  /** Closes, and ends the calls that run at once: for a process that must end. `close` is still due, and then soon over. */
  terminate(): void {
    this.#closing ??= this.#close()
    for (const { thread } of this.#slots) thread?.terminate()
  }

  async #close(): Promise<void> {
    for (let job = this.#take(); job !== undefined; job = this.#take()) job.resolve(err(CLOSED))
    await Promise.all(
      this.#slots.map(async ({ thread, cancelRestart }) => {
        cancelRestart()
        await thread?.close()
      }),
    )
    await Promise.all(this.#leaving)
  }

  /** The job whose turn it is, among those of clients who may have a thread. */
  #take(passes?: (client: Client) => boolean): QueuedJob | undefined {
    const next = this.#queue.shift(passes)
    if (next === undefined) return undefined
    this.#queuedBytes -= next.item.bytes
    next.item.begin()
    return next.item
  }

  #remove(job: QueuedJob): boolean {
    const isRemoved = this.#queue.remove(job.client, job)
    if (isRemoved) this.#queuedBytes -= job.bytes
    return isRemoved
  }

  #dispatch(): void {
    for (const slot of this.#slots) {
      if (slot.thread?.isIdle !== true) continue
      const job = this.#next()
      if (job === undefined) return
      slot.running = { client: job.client, sinceMs: this.#clock.monotonic() }
      slot.thread.run(job)
    }
  }

  #next(): QueuedJob | undefined {
    const threadsMax = Math.max(1, this.#slots.length - 1)
    const has = (client: Client): number => this.#slots.filter(({ running }) => running?.client.remote === client.remote).length
    for (const rank of [0, 1, 2] as const) {
      const job = this.#take((client) => this.#usage.rankOf(client) === rank && has(client) < threadsMax)
      if (job !== undefined) return job
    }
    return undefined
  }

  /** The thread of a slot is free again, or lost. */
  #release(slot: Slot): void {
    if (slot.running === undefined) return
    this.#usage.add(slot.running.client, this.#clock.monotonic() - slot.running.sinceMs)
    slot.running = undefined
  }

  /** Starts the threads that are wanted. One that is lost at its start is reported and replaced like any other. */
  #fillAll(): void {
    for (const slot of this.#slots) {
      if (!slot.isVacant) continue
      slot.isVacant = false
      this.#fill(slot)
    }
  }

  /** Puts a new thread into a slot. */
  #fill(slot: Slot): void {
    slot.thread = new CallThread(this.#start(), this.#clock, this.#limits.callMs, {
      onIdle: () => {
        if (this.#slots.every(({ thread }) => thread?.isIdle)) this.#onReady()
        this.#dispatch()
      },
      onAnswer: () => {
        this.#release(slot)
        slot.losses = 0
        this.#counts.answered++
      },
      onDamage: this.#onDamage,
      onLoss: (loss) => this.#onLoss(slot, loss),
    })
  }

  #onLoss(slot: Slot, { code, message }: CallUnavailable): void {
    slot.thread = undefined
    this.#release(slot)
    this.#onLossAtStart(new Error(message))
    if (code === 'closed') return
    if (code === 'timeout') this.#counts.timeouts++
    else this.#counts.faults++
    this.#logger.warn({ code, reason: message }, 'a call worker is lost')
    if (this.#closing !== undefined) return
    const { restartMsMin, restartMsMax } = this.#limits
    const delayMs = Math.min(restartMsMax, restartMsMin * 2 ** slot.losses++)
    slot.cancelRestart = this.#clock.after(delayMs, () => {
      this.#counts.restarts++
      this.#fill(slot)
    })
  }
}

const CLOSED: CallUnavailable = { code: 'closed', message: 'the node is stopping' }

/** Bytes that a request holds while it waits. */
function bytesOf({ call, stateOverrides }: CallRequest): number {
  let bytes = call.data.length
  for (const { code, storage } of stateOverrides.values()) {
    bytes += code?.length ?? 0
    for (const [key, value] of storage?.entries ?? []) bytes += key.length + value.length
  }
  return bytes
}
