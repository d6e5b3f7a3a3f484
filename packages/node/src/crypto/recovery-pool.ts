import { availableParallelism } from 'node:os'
import type { Worker } from 'node:worker_threads'
import { type Address, err, ok, type Result } from '@quoin/protocol'
import type { Clock } from '../powers.ts'
import { systemClock } from '../system-clock.ts'
import { RestartDelay, type RestartLimits } from '../threads/restart-delay.ts'
import { startWorker } from '../threads/start-worker.ts'
import { SupervisedThread } from '../threads/supervised-thread.ts'
import { closedRefusal, type RecoveryRefusal, type RecoveryStats, type SenderRecovery } from './recovery.ts'
import { checkSignature, packSignatures, type RecoverableSignature, senderAt } from './signature-batch.ts'

export interface RecoveryPoolOptions extends RestartLimits {
  /** Times the restarts. */
  readonly clock: Pick<Clock, 'after'>
  /** Number of threads. One recovers 10,000 to 16,000 senders a second. */
  readonly workers: number
  /** Maximum number of signatures that wait or are in work; a call beyond is refused. The default is four seconds of one worker, or three full blocks. */
  readonly signaturesQueuedMax: number
  /** Called for each worker that died and is replaced. */
  readonly onWorkerLost?: (error: Error) => void
  /** Maximum batch size. Larger batches are no faster and delay the next ones: 256 signatures take about 20 ms. */
  readonly batchSignaturesMax: number
}

const CORES_PER_WORKER = 4
const WORKERS_DEFAULT_MAX = 4

export const RECOVERY_POOL_DEFAULTS: RecoveryPoolOptions = {
  workers: Math.min(WORKERS_DEFAULT_MAX, Math.max(1, Math.floor(availableParallelism() / CORES_PER_WORKER))),
  signaturesQueuedMax: 65_536,
  batchSignaturesMax: 256,
  clock: systemClock,
  restartMsMin: 10,
  restartMsMax: 1_000,
}

/** Maximum number of worker deaths in a row without an answer. Beyond it, pending calls are refused; the next call tries again. */
const DEATHS_IN_A_ROW_MAX = 3

/** A smaller batch is not split among idle workers: waking a worker costs as much as recovering one signature. */
const BATCH_SIGNATURES_SPLIT_MIN = 32

/** Messages of a worker: first its backend when it is ready, then each batch that it was given, with the senders filled in. */
export type WorkerMessage = { readonly ready: string } | Uint8Array<ArrayBuffer>

/** Starts the threads and waits until each has loaded and tested its backend. Rejects if one cannot start. */
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

type RecoveryThread = SupervisedThread<Uint8Array<ArrayBuffer>, WorkerMessage>

/** One signature, and the call and index that its sender belongs to. */
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
 * A pool of worker threads that hold one batch each. Signatures that arrive while all workers are busy form the next batches, so the
 * batch size adapts to the load. A single signature is sent at once: at the end of the current microtask turn, together with all others
 * of that turn. A worker that dies is replaced, and its batch is retried.
 */
export class RecoveryPool implements SenderRecovery {
  /** Resolves when all workers are ready; rejects if one dies before. */
  readonly ready: Promise<void>
  readonly #limits: RecoveryPoolOptions
  readonly #start: () => Worker
  readonly #threads = new Set<RecoveryThread>()
  readonly #backends: string[] = []
  readonly #idle: RecoveryThread[] = []
  readonly #inWork = new Map<RecoveryThread, readonly Waiting[]>()
  readonly #restarts = new Set<() => void>()
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

  /** @param start - Creates a worker. Wait for `ready` before use, as `startRecoveryPool` does. */
  constructor(start: () => Worker, limits: RecoveryPoolOptions) {
    this.#start = start
    this.#limits = limits
    this.ready = new Promise((resolve, reject) => {
      this.#onReady = resolve
      this.#onStartFailed = reject
    })
    for (let i = 0; i < limits.workers; i++) this.#addThread()
  }

  /** @param delay - The restart delay of the thread's place: that of the thread before it. */
  #addThread(delay = new RestartDelay(this.#limits)): void {
    const thread: RecoveryThread = new SupervisedThread<Uint8Array<ArrayBuffer>, WorkerMessage>(
      this.#start(),
      'the recovery worker',
      {
        onMessage: (message) => {
          if (!('ready' in message)) delay.reset()
          this.#receive(thread, message)
        },
        onEnd: (death) => this.#onEnd(thread, delay, death),
      },
    )
    this.#threads.add(thread)
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
    if (this.#closing !== undefined || this.#terminating) return closedRefusal
    items.forEach(checkSignature)
    if (items.length === 0) return ok([])
    if (this.#pending + items.length > this.#limits.signaturesQueuedMax) {
      const message = `sender recovery is overloaded: ${this.#pending} signatures are waiting, the limit is ${this.#limits.signaturesQueuedMax}`
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

  /** Terminates the threads and refuses every pending call, for a process that must end. Call `close` afterwards, which then ends soon. */
  terminate(): void {
    this.#terminating = true
    this.#refuseAll(closedRefusal.error)
    this.#endThreads()
  }

  async #close(): Promise<void> {
    if (this.#pending > 0) {
      await new Promise<void>((resolve) => {
        this.#onDrained = resolve
      })
    }
    this.#terminating = true
    this.#endThreads()
    await Promise.all([...this.#threads].map(({ ended }) => ended))
  }

  #endThreads(): void {
    for (const cancel of this.#restarts) cancel()
    for (const thread of this.#threads) thread.kill(new Error('the recovery pool is closing'))
  }

  #receive(thread: RecoveryThread, message: WorkerMessage): void {
    const batch = this.#inWork.get(thread)
    this.#inWork.delete(thread)
    this.#idle.push(thread)
    this.#flush()
    if ('ready' in message) {
      if (this.#isUp) return
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
      const thread = this.#idle.pop()!
      this.#inWork.set(thread, batch)
      const packed = packSignatures(batch.map(({ item }) => item))
      thread.post(packed, [packed.buffer])
    }
    // Drop the sent items only once they are the larger part: removing each batch from a long queue would move the rest every time.
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

  /** Replaces a worker that died (a bug, or out of memory), and requeues its batch. */
  #onEnd(thread: RecoveryThread, delay: RestartDelay, error: Error): void {
    this.#threads.delete(thread)
    const batch = this.#inWork.get(thread) ?? []
    this.#inWork.delete(thread)
    if (this.#idle.includes(thread)) this.#idle.splice(this.#idle.indexOf(thread), 1)
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
      this.#refuseAll({ code: 'failed', message: `sender recovery failed, its workers keep crashing: ${error.message}` })
    const cancel = this.#limits.clock.after(delay.next(), () => {
      this.#restarts.delete(cancel)
      this.#addThread(delay)
    })
    this.#restarts.add(cancel)
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
