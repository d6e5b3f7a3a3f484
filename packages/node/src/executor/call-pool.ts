import type { Worker } from 'node:worker_threads'
import type { CallRequest } from '@quoin/execution'
import { err, type Result } from '@quoin/protocol'
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
import { type CallAnswer, CallThread, type Job } from './call-thread.ts'

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

/** Opens a pool, starts the threads and waits until each can run calls. Rejects when one cannot. */
export async function startCallPool(options: CallPoolOptions & CallWorkerData): Promise<CallPool> {
  const pool = openCallPool(options)
  try {
    await pool.start()
    return pool
  } catch (error) {
    await pool.close()
    throw error
  }
}

interface QueuedJob extends Job {
  readonly bytes: number
  /** Ends the listening for an abort, when the call begins. */
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
}

/**
 * Threads that run one call each at a time, and one queue before them. A thread that dies, fails or takes too long is lost with its call
 * alone, and another takes its place.
 */
export class CallPool implements CallRunner {
  readonly #start: () => Worker
  readonly #limits: CallPoolLimits
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #onDamage: OnDamage
  readonly #slots: readonly Slot[]
  /** In the order of their arrival. */
  readonly #queue = new Set<QueuedJob>()
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
    this.#slots = Array.from({ length: this.#limits.workers }, () => ({
      thread: undefined,
      isVacant: true,
      cancelRestart: () => {},
      losses: 0,
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
  ): Promise<Result<CallOutcomes[K], CallUnavailable>> {
    signal.throwIfAborted()
    if (this.#closing !== undefined) return err(CLOSED)
    this.#fillAll()
    const bytes = bytesOf(request)
    const { callsQueuedMax, queuedBytesMax } = this.#limits
    if (this.#queue.size >= callsQueuedMax || this.#queuedBytes + bytes > queuedBytesMax) {
      this.#counts.refused++
      const message = `${this.#queue.size} calls of ${this.#queuedBytes} bytes wait already: try again later`
      return err({ code: 'overloaded', message })
    }
    const answer = await new Promise<CallAnswer>((resolve, reject) => {
      const onAbort = (): void => {
        this.#remove(job)
        reject(signal.reason)
      }
      const begin = (): void => signal.removeEventListener('abort', onAbort)
      const job: QueuedJob = { kind, request, bytes, resolve, reject, begin }
      signal.addEventListener('abort', onAbort, { once: true })
      this.#queue.add(job)
      this.#queuedBytes += bytes
      this.#dispatch()
    })
    // A thread answers what it was asked.
    return answer as Result<CallOutcomes[K], CallUnavailable>
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
    for (const job of this.#takeAll()) job.resolve(err(CLOSED))
    await Promise.all(
      this.#slots.map(async ({ thread, cancelRestart }) => {
        cancelRestart()
        await thread?.close()
      }),
    )
    await Promise.all(this.#leaving)
  }

  *#takeAll(): Iterable<QueuedJob> {
    for (const job of this.#queue) {
      this.#remove(job)
      job.begin()
      yield job
    }
  }

  #remove(job: QueuedJob): void {
    this.#queue.delete(job)
    this.#queuedBytes -= job.bytes
  }

  #dispatch(): void {
    for (const { thread } of this.#slots) {
      if (thread?.isIdle !== true) continue
      for (const job of this.#takeAll()) {
        thread.run(job)
        break
      }
    }
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
        slot.losses = 0
        this.#counts.answered++
      },
      onDamage: this.#onDamage,
      onLoss: (loss) => this.#onLoss(slot, loss),
    })
  }

  #onLoss(slot: Slot, { code, message }: CallUnavailable): void {
    slot.thread = undefined
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
