import { availableParallelism } from 'node:os'
import type { Worker } from 'node:worker_threads'
import { type Address, err, ok, type Result } from '@quoin/protocol'
import { startWorker } from '../worker-file.ts'
import { closedRefusal, type RecoveryRefusal, type RecoveryStats, type SenderRecovery } from './recovery.ts'
import { checkSignature, packSignatures, type RecoverableSignature, senderAt } from './signature-batch.ts'

export interface RecoveryPoolOptions {
  /** Threads. One recovers 10,000 to 16,000 senders a second. */
  readonly workers: number
  /** Signatures that may wait or be in work; a call beyond is refused. Four seconds of one worker, three full blocks. */
  readonly signaturesQueuedMax: number
  /** Told of each worker that died and was replaced. */
  readonly onWorkerLost?: (error: Error) => void
  /** Largest batch. Larger ones gain nothing and delay those behind them: 256 take about 20 ms. */
  readonly batchSignaturesMax: number
}

const CORES_PER_WORKER = 4
const WORKERS_DEFAULT_MAX = 4

export const RECOVERY_POOL_DEFAULTS: RecoveryPoolOptions = {
  workers: Math.min(WORKERS_DEFAULT_MAX, Math.max(1, Math.floor(availableParallelism() / CORES_PER_WORKER))),
  signaturesQueuedMax: 65_536,
  batchSignaturesMax: 256,
}

/** Workers that may die one after another without an answer in between; then what waits is refused, and the next call tries again. */
const DEATHS_IN_A_ROW_MAX = 3

/** Below this a batch is not split among idle workers: waking one costs as much as recovering one signature. */
const BATCH_SIGNATURES_SPLIT_MIN = 32

/** What a worker sends: once that it is up, with this backend; then each batch it was given, with the senders in it. */
export type WorkerMessage = { readonly ready: string } | Uint8Array<ArrayBuffer>

/** Starts the threads and waits until each has loaded and tested its backend. Rejects when one cannot start. */
export async function startRecoveryPool(options: Partial<RecoveryPoolOptions> = {}): Promise<RecoveryPool> {
  const limits = { ...RECOVERY_POOL_DEFAULTS, ...options }
  for (const name of ['workers', 'signaturesQueuedMax', 'batchSignaturesMax'] as const) {
    if (!Number.isSafeInteger(limits[name]) || limits[name] < 1)
      throw new RangeError(`${name} must be at least 1, not ${limits[name]}`)
  }
  const pool = new RecoveryPool(() => startWorker(import.meta.url, 'recovery-worker'), limits)
  try {
    await pool.ready
    return pool
  } catch (error) {
    await pool.close()
    throw error
  }
}

/** One signature and where its sender goes. */
interface Waiting {
  readonly item: RecoverableSignature
  readonly call: Call
  readonly at: number
}

/** One call of `recoverSenders`. */
interface Call {
  readonly senders: (Address | undefined)[]
  left: number
  readonly resolve: (senders: Result<readonly (Address | undefined)[], RecoveryRefusal>) => void
}

/**
 * Worker threads that each hold one batch at a time. What arrives while all are busy makes the next batches, so that their size adapts to
 * the load: a lone signature leaves at once (at the end of the current microtask turn, with all that the same turn brought). A worker that dies is
 * replaced, and its batch is done again.
 */
export class RecoveryPool implements SenderRecovery {
  /** Resolves when all workers are up; rejects when one dies before. */
  readonly ready: Promise<void>
  readonly #limits: RecoveryPoolOptions
  readonly #start: () => Worker
  readonly #workers = new Set<Worker>()
  readonly #backends: string[] = []
  readonly #idle: Worker[] = []
  readonly #inWork = new Map<Worker, readonly Waiting[]>()
  #queue: Waiting[] = []
  #queueStart = 0
  #flushing = false
  #closing: Promise<void> | undefined
  #terminating = false
  #isUp = false
  #deathsInARow = 0
  #onReady: () => void = () => {}
  #onStartFailed: (error: Error) => void = () => {}
  #onDrained: (() => void) | undefined
  #recovered = 0
  #invalid = 0
  #batches = 0
  #pending = 0

  /** `start` makes a worker; `startRecoveryPool` waits until all are up. */
  constructor(start: () => Worker, limits: RecoveryPoolOptions) {
    this.#start = start
    this.#limits = limits
    this.ready = new Promise((resolve, reject) => {
      this.#onReady = resolve
      this.#onStartFailed = reject
    })
    for (let i = 0; i < limits.workers; i++) this.#addWorker()
  }

  #addWorker(): void {
    const worker = this.#start()
    let why: Error | undefined
    this.#workers.add(worker)
    worker.on('message', (message: WorkerMessage) => this.#receive(worker, message))
    worker.on('error', (error: Error) => {
      why = error
    })
    worker.on('exit', (code) => this.#lost(worker, why ?? new Error(`a recovery worker exited with code ${code}`)))
  }

  /** Backend of each worker, for the log and the metrics. */
  get backends(): readonly string[] {
    return this.#backends
  }

  get stats(): RecoveryStats {
    return { recovered: this.#recovered, invalid: this.#invalid, batches: this.#batches, pending: this.#pending }
  }

  async recoverSenders(
    items: readonly RecoverableSignature[],
  ): Promise<Result<readonly (Address | undefined)[], RecoveryRefusal>> {
    if (this.#closing !== undefined) return closedRefusal
    items.forEach(checkSignature)
    if (items.length === 0) return ok([])
    if (this.#pending + items.length > this.#limits.signaturesQueuedMax) {
      const message = `${this.#pending} signatures wait for recovery, at most ${this.#limits.signaturesQueuedMax} may`
      return err({ code: 'overloaded', message })
    }
    return new Promise((resolve) => {
      const call: Call = { senders: new Array<Address | undefined>(items.length), left: items.length, resolve }
      this.#pending += items.length
      for (const [at, item] of items.entries()) this.#queue.push({ item, call, at })
      if (this.#flushing || this.#idle.length === 0) return
      this.#flushing = true
      queueMicrotask(() => this.#flush())
    })
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  /** Ends the threads at once, and every call with a refusal: for a process that must end. `close` is still due, and then soon over. */
  terminate(): void {
    this.#terminating = true
    this.#refuseAll(closedRefusal.error)
    for (const worker of this.#workers) void worker.terminate()
  }

  async #close(): Promise<void> {
    if (this.#pending > 0) {
      await new Promise<void>((resolve) => {
        this.#onDrained = resolve
      })
    }
    this.#terminating = true
    await Promise.all([...this.#workers].map((worker) => worker.terminate()))
  }

  #receive(worker: Worker, message: WorkerMessage): void {
    const batch = this.#inWork.get(worker)
    this.#inWork.delete(worker)
    this.#idle.push(worker)
    this.#flush()
    if ('ready' in message) {
      this.#backends.push(message.ready)
      if (this.#backends.length < this.#limits.workers) return
      this.#isUp = true
      this.#onReady()
    } else if (batch !== undefined) {
      this.#settle(batch, message)
    }
  }

  #flush(): void {
    this.#flushing = false
    while (this.#idle.length > 0 && this.#queue.length > this.#queueStart) {
      const share = Math.ceil((this.#queue.length - this.#queueStart) / this.#idle.length)
      const size = Math.min(this.#limits.batchSignaturesMax, Math.max(BATCH_SIGNATURES_SPLIT_MIN, share))
      const batch = this.#queue.slice(this.#queueStart, this.#queueStart + size)
      this.#queueStart += batch.length
      const worker = this.#idle.pop()!
      this.#inWork.set(worker, batch)
      const packed = packSignatures(batch.map(({ item }) => item))
      worker.postMessage(packed, [packed.buffer])
    }
    // Cut off what was sent once it is the greater part: shifting each batch off a long queue would move the rest every time.
    if (2 * this.#queueStart >= this.#queue.length) {
      this.#queue = this.#queue.slice(this.#queueStart)
      this.#queueStart = 0
    }
  }

  #settle(batch: readonly Waiting[], packed: Uint8Array): void {
    this.#deathsInARow = 0
    this.#batches++
    this.#recovered += batch.length
    this.#pending -= batch.length
    batch.forEach(({ call, at }, i) => {
      const sender = senderAt(packed, i)
      if (sender === undefined) this.#invalid++
      call.senders[at] = sender
      call.left--
      if (call.left === 0) call.resolve(ok(call.senders))
    })
    if (this.#pending === 0) this.#onDrained?.()
  }

  /** A worker died, which only a bug or the loss of memory does: another one takes its place, and its batch. */
  #lost(worker: Worker, error: Error): void {
    this.#workers.delete(worker)
    const batch = this.#inWork.get(worker) ?? []
    this.#inWork.delete(worker)
    if (this.#idle.includes(worker)) this.#idle.splice(this.#idle.indexOf(worker), 1)
    if (this.#terminating) return
    if (!this.#isUp) {
      this.#terminating = true
      return this.#onStartFailed(error)
    }
    this.#limits.onWorkerLost?.(error)
    this.#queue = [...batch, ...this.#queue.slice(this.#queueStart)]
    this.#queueStart = 0
    this.#deathsInARow++
    if (this.#deathsInARow > DEATHS_IN_A_ROW_MAX)
      this.#refuseAll({ code: 'failed', message: `the workers of sender recovery die: ${error.message}` })
    this.#addWorker()
  }

  #refuseAll(refusal: RecoveryRefusal): void {
    const waiting = [...[...this.#inWork.values()].flat(), ...this.#queue.slice(this.#queueStart)]
    this.#inWork.clear()
    this.#queue = []
    this.#queueStart = 0
    this.#pending = 0
    this.#deathsInARow = 0
    for (const call of new Set(waiting.map(({ call }) => call))) call.resolve(err(refusal))
    this.#onDrained?.()
  }
}
