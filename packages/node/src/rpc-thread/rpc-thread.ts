import { getHeapStatistics } from 'node:v8'
import type { Worker } from 'node:worker_threads'
import type { SignedTransaction } from '@quoin/protocol'
import type { Closable } from '../lifecycle.ts'
import { ListenError } from '../listen-error.ts'
import type { Logger } from '../logger.ts'
import type { Clock } from '../powers.ts'
import type { RpcSettings } from '../rpc/server/server.ts'
import { DamagedError, type OnDamage } from '../store/damage.ts'
import { startWorker } from '../worker-file.ts'
import type { Admitted, FromThread, HeadNews, NodeNews, RpcThreadData, RpcThreadStats, ToThread } from './messages.ts'
import { admittedOf, type QuestionOptions, QuestionQueue } from './question-queue.ts'

export const RPC_THREAD_LIMITS = {
  /** How often the node looks whether there is news beside a new head. */
  newsMs: 250,
  /** Admitted transactions that wait to be told; beyond it the oldest are lost. */
  admittedMax: 2_048,
  /** Bytes of those that are told at a time; the first one may be larger. */
  admittedBytesMax: 256 * 1024,
  /** How long a thread that died stays away: doubled with each death that comes soon after the last. */
  restartMsMin: 100,
  restartMsMax: 10_000,
  /** A thread that lived so long did not die of its start. */
  settledMs: 60_000,
  /** Heap of the thread. What it holds for clients is bounded well below this. */
  heapMegabytesMax: 1_024,
} as const

export interface RpcThreadOptions extends Omit<QuestionOptions, 'send'> {
  readonly data: Omit<RpcThreadData, 'head' | 'news'>
  readonly head: () => HeadNews
  readonly news: () => NodeNews
  /** Calls back after each new head; returns what ends it. */
  readonly onHead: (listener: () => void) => () => void
  readonly onAdmitted: (listener: (transaction: SignedTransaction) => void) => () => void
  readonly clock: Pick<Clock, 'monotonic' | 'after'>
  readonly logger: Logger
  readonly onDamage: OnDamage
}

/** Makes a thread that speaks `messages.ts`. */
export type StartRpcWorker = (data: RpcThreadData) => Worker

/** Of this process, which `--max-old-space-size` may have set. */
const heapLimitMegabytes = (): number => Math.floor(getHeapStatistics().heap_size_limit / 1024 ** 2)

const startRpcWorker: StartRpcWorker = (workerData) =>
  startWorker(import.meta.url, 'rpc-worker', {
    workerData,
    resourceLimits: { maxOldGenerationSizeMb: Math.min(RPC_THREAD_LIMITS.heapMegabytesMax, heapLimitMegabytes()) },
  })

/**
 * The RPC in a thread of its own: whatever clients make it do takes that thread's time and not the node's. The node tells it of each head,
 * answers its questions in turns with its own work, and starts another one when it dies.
 */
export class RpcThread implements Closable {
  readonly #options: RpcThreadOptions
  readonly #start: () => Worker
  readonly #questions: QuestionQueue
  readonly #unsubscribe: () => void
  #worker: Worker | undefined
  #settings: RpcSettings
  #port: number
  #ended = Promise.resolve()
  #startedMs = 0
  #deaths = 0
  #isClosing = false
  #isReady = false
  #cancelRestart: () => void = () => {}
  #cancelNews: () => void = () => {}
  #unfollow: () => void = () => {}
  readonly #admitted: SignedTransaction[] = []
  /** The thread has not seen the last news yet. */
  #isTelling = false
  /** There is something that it was not told. */
  #isStale = false
  #told: NodeNews | undefined
  #stats: RpcThreadStats | undefined
  #restarts = 0
  #onListening: (port: number) => void = () => {}
  #onRefused: (error: Error) => void = () => {}

  /** Resolves when it listens; rejects with ListenError when it cannot. */
  static async start(options: RpcThreadOptions, start: StartRpcWorker = startRpcWorker): Promise<RpcThread> {
    const thread = new RpcThread(options, start)
    try {
      await thread.#listening()
      return thread
    } catch (error) {
      await thread.close()
      throw error
    }
  }

  private constructor(options: RpcThreadOptions, start: StartRpcWorker) {
    this.#options = options
    this.#settings = options.data.settings
    this.#port = options.data.port
    this.#start = () => start(this.#data())
    this.#questions = new QuestionQueue({
      ...options,
      send: (answers) => this.#post({ kind: 'answers', head: options.head(), answers }),
    })
    this.#unsubscribe = options.onHead(() => this.#tell())
  }

  get port(): number {
    return this.#port
  }

  /** What the thread told of itself last; undefined until it has. */
  get stats(): RpcThreadStats | undefined {
    return this.#stats
  }

  get restarts(): number {
    return this.#restarts
  }

  /** Settings for what comes from now on; a thread that does not listen yet gets them when it does. */
  set(settings: RpcSettings): void {
    this.#settings = settings
    this.#post({ kind: 'settings', settings })
  }

  /** Memory is short. */
  dropCaches(): void {
    this.#post({ kind: 'drop-caches' })
  }

  async close(): Promise<void> {
    if (!this.#isClosing) {
      this.#isClosing = true
      this.#unsubscribe()
      this.#unfollow()
      this.#cancelRestart()
      this.#cancelNews()
      this.#worker?.postMessage({ kind: 'close' } satisfies ToThread)
    }
    await this.#ended
  }

  /** Ends the thread in the midst of whatever it does: for a process that must end. `close` is still due, and then soon over. */
  terminate(): void {
    this.#isClosing = true
    void this.#worker?.terminate()
  }

  #listening(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#onListening = () => resolve()
      this.#onRefused = reject
      this.#run()
    })
  }

  #data(): RpcThreadData {
    const { data, head, news } = this.#options
    this.#told = news()
    return { ...data, port: this.#port, settings: this.#settings, head: head(), news: this.#told }
  }

  #run(): void {
    const worker = this.#start()
    this.#worker = worker
    this.#startedMs = this.#options.clock.monotonic()
    let failure: Error | undefined
    worker.on('message', (message: FromThread) => this.#receive(message))
    worker.on('error', (error: Error) => {
      failure = error
    })
    this.#ended = new Promise((resolve) => {
      worker.once('exit', (code) => {
        this.#onExit(failure, code)
        resolve()
      })
    })
    this.#lookForNews()
  }

  #receive(message: FromThread): void {
    const { logger, onDamage } = this.#options
    switch (message.kind) {
      case 'listening':
        this.#port = message.port
        this.#isReady = true
        this.#onListening(message.port)
        // They may have changed since the thread was started with some.
        this.#post({ kind: 'settings', settings: this.#settings })
        return this.#tell()
      case 'not-listening':
        return this.#onRefused(new ListenError('rpc', message.code, message.message, this.#port))
      case 'seen':
        this.#isTelling = false
        if (this.#isStale) this.#tell()
        return
      case 'questions':
        return this.#questions.push(message.questions)
      case 'follow-pool':
        return this.#followPool(message.isWanted)
      case 'damage':
        return onDamage(new DamagedError(message.damage.finding, message.damage.key))
      case 'log':
        return logger[message.level](message.fields, message.message)
      case 'stats':
        this.#stats = message.stats
        return
    }
  }

  #followPool(isWanted: boolean): void {
    this.#unfollow()
    this.#unfollow = () => {}
    this.#admitted.length = 0
    if (!isWanted || this.#isClosing) return
    this.#unfollow = this.#options.onAdmitted((transaction) => {
      if (this.#admitted.length >= RPC_THREAD_LIMITS.admittedMax) this.#admitted.shift()
      this.#admitted.push(transaction)
      this.#tell()
    })
  }

  /** Tells of the head and of what else is new: one message at a time, so that a thread that is busy is not buried. */
  #tell(): void {
    if (!this.#isReady || this.#isTelling) {
      this.#isStale = true
      return
    }
    const { head, news } = this.#options
    const admitted = this.#takeAdmitted()
    this.#isStale = this.#admitted.length > 0
    this.#isTelling = true
    this.#told = news()
    this.#post({ kind: 'news', head: head(), news: this.#told, admitted })
  }

  /** As many as fit one message; the rest comes with the next. */
  #takeAdmitted(): readonly Admitted[] {
    let bytes = 0
    const end = this.#admitted.findIndex(({ raw }, i) => (bytes += raw.length) > RPC_THREAD_LIMITS.admittedBytesMax && i > 0)
    return this.#admitted.splice(0, end < 0 ? this.#admitted.length : end).map(admittedOf)
  }

  #lookForNews(): void {
    const { clock, news } = this.#options
    this.#cancelNews = clock.after(RPC_THREAD_LIMITS.newsMs, () => {
      const now = news()
      const told = this.#told
      const isNew = now.peers !== told?.peers || now.highest !== told.highest || now.readRefusal !== told.readRefusal
      if (isNew) this.#tell()
      this.#lookForNews()
    })
  }

  #post(message: ToThread): void {
    if (this.#isReady && !this.#isClosing) this.#worker?.postMessage(message)
  }

  #onExit(failure: Error | undefined, code: number): void {
    const { clock, logger } = this.#options
    this.#isReady = false
    this.#isTelling = false
    this.#worker = undefined
    this.#questions.clear()
    this.#followPool(false)
    this.#cancelNews()
    const error = failure ?? new Error(`the thread exited with code ${code}`)
    this.#onRefused(error)
    if (this.#isClosing) return
    if (clock.monotonic() - this.#startedMs > RPC_THREAD_LIMITS.settledMs) this.#deaths = 0
    const { restartMsMin, restartMsMax } = RPC_THREAD_LIMITS
    const delayMs = Math.min(restartMsMax, restartMsMin * 2 ** this.#deaths++)
    logger.error({ err: error, delayMs }, 'the RPC thread died: another one takes its place')
    this.#cancelRestart = clock.after(delayMs, () => {
      this.#restarts++
      this.#run()
    })
  }
}
