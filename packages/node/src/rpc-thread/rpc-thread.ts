import { getHeapStatistics } from 'node:v8'
import type { Worker } from 'node:worker_threads'
import type { SignedTransaction } from '@quoin/protocol'
import type { Closable } from '../lifecycle.ts'
import { ListenError } from '../listen-error.ts'
import type { Logger } from '../logger.ts'
import type { Clock } from '../powers.ts'
import type { RpcSettings } from '../rpc/server/server.ts'
import { DamagedError, type OnDamage } from '../store/damage.ts'
import { RestartDelay } from '../threads/restart-delay.ts'
import { startWorker } from '../threads/start-worker.ts'
import { SupervisedThread } from '../threads/supervised-thread.ts'
import type { Admitted, FromThread, HeadNews, NodeNews, RpcThreadData, RpcThreadStats, ToThread } from './messages.ts'
import { admittedOf, type QuestionOptions, QuestionQueue } from './question-queue.ts'

export const RPC_THREAD_LIMITS = {
  /** Interval between checks for news other than a new head. */
  newsMs: 250,
  /** Admitted transactions that wait to be sent. Beyond it the oldest are dropped. */
  admittedMax: 2_048,
  /** Bytes of admitted transactions per message. The first one may be larger. */
  admittedBytesMax: 256 * 1024,
  /** Restart delay of a dead thread. Doubled with each further death soon after a restart, up to `restartMsMax`. */
  restartMsMin: 100,
  restartMsMax: 10_000,
  /** A thread that lived this long resets the restart delay. */
  settledMs: 60_000,
  /** Heap limit of the thread. The memory that it holds for clients is limited well below this. */
  heapMegabytesMax: 1_024,
} as const

const NEWS = ['peers', 'highest', 'coinbase', 'readRefusal'] as const satisfies readonly (keyof NodeNews)[]

export interface RpcThreadOptions extends Omit<QuestionOptions, 'send'> {
  readonly data: Omit<RpcThreadData, 'head' | 'news'>
  readonly head: () => HeadNews
  readonly news: () => NodeNews
  /** Calls back after each new head, until the returned function is called. */
  readonly onHead: (listener: () => void) => () => void
  readonly onAdmitted: (listener: (transaction: SignedTransaction) => void) => () => void
  readonly clock: Pick<Clock, 'monotonic' | 'after'>
  readonly logger: Logger
  readonly onDamage: OnDamage
}

/** Starts a thread that speaks `messages.ts`. */
export type StartRpcWorker = (data: RpcThreadData) => Worker

/** Heap limit of this process, which `--max-old-space-size` may have set. */
const heapLimitMegabytes = (): number => Math.floor(getHeapStatistics().heap_size_limit / 1024 ** 2)

const startRpcWorker: StartRpcWorker = (workerData) =>
  startWorker(import.meta.url, 'rpc-worker', {
    workerData,
    resourceLimits: { maxOldGenerationSizeMb: Math.min(RPC_THREAD_LIMITS.heapMegabytesMax, heapLimitMegabytes()) },
  })

/**
 * The RPC in a separate thread, so that work for clients takes that thread's time and not the node's. The node sends it each new head, answers
 * its questions in slices between its own work, and restarts it if it dies.
 */
export class RpcThread implements Closable {
  readonly #options: RpcThreadOptions
  readonly #start: () => Worker
  readonly #questions: QuestionQueue
  readonly #unsubscribe: () => void
  #thread: SupervisedThread<ToThread, FromThread> | undefined
  #settings: RpcSettings
  #port: number
  #startedMs = 0
  readonly #delay = new RestartDelay(RPC_THREAD_LIMITS)
  #isClosing = false
  #isReady = false
  #cancelRestart: () => void = () => {}
  #cancelNews: () => void = () => {}
  #unfollow: () => void = () => {}
  readonly #admitted: SignedTransaction[] = []
  /** The thread has not acknowledged the last news yet. */
  #isTelling = false
  /** There is unsent news. */
  #isStale = false
  #told: NodeNews | undefined
  #stats: RpcThreadStats | undefined
  #restarts = 0
  #onListening: (port: number) => void = () => {}
  #onRefused: (error: Error) => void = () => {}

  /** Starts the thread. Resolves when its server listens; rejects with ListenError if it cannot. */
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

  /** The last statistics of the thread; undefined before the first. */
  get stats(): RpcThreadStats | undefined {
    return this.#stats
  }

  get restarts(): number {
    return this.#restarts
  }

  /** Applies new settings. A thread that does not listen yet gets them when it does. */
  set(settings: RpcSettings): void {
    this.#settings = settings
    this.#post({ kind: 'settings', settings })
  }

  /** Memory is short: makes the thread free its caches. */
  dropCaches(): void {
    this.#post({ kind: 'drop-caches' })
  }

  async close(): Promise<void> {
    if (this.#retire()) this.#thread?.post({ kind: 'close' })
    await this.#thread?.ended
  }

  /** Terminates the thread at once, for a process that must end. Call `close` afterwards, which then ends soon. */
  terminate(): void {
    this.#retire()
    this.#thread?.kill(new Error('the node is stopping'))
  }

  /** Ends everything that would start or feed a thread. Returns whether this is the first time. */
  #retire(): boolean {
    if (this.#isClosing) return false
    this.#isClosing = true
    this.#unsubscribe()
    this.#unfollow()
    this.#cancelRestart()
    this.#cancelNews()
    return true
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
    this.#startedMs = this.#options.clock.monotonic()
    this.#thread = new SupervisedThread<ToThread, FromThread>(this.#start(), 'the RPC thread', {
      onMessage: (message) => this.#receive(message),
      onEnd: (death) => this.#onEnd(death),
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
        // The settings may have changed since the thread was started.
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

  /** Sends the head and other news. One message at a time, so that a busy thread is not flooded (back-pressure). */
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

  /** Takes as many transactions as fit into one message. The rest follow with the next. */
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
      if (told === undefined || NEWS.some((name) => now[name] !== told[name])) this.#tell()
      this.#lookForNews()
    })
  }

  #post(message: ToThread): void {
    if (this.#isReady && !this.#isClosing) this.#thread?.post(message)
  }

  #onEnd(death: Error): void {
    const { clock, logger } = this.#options
    this.#isReady = false
    this.#isTelling = false
    this.#thread = undefined
    this.#questions.clear()
    this.#followPool(false)
    this.#cancelNews()
    this.#onRefused(death)
    if (this.#isClosing) return
    if (clock.monotonic() - this.#startedMs > RPC_THREAD_LIMITS.settledMs) this.#delay.reset()
    const delayMs = this.#delay.next()
    logger.error({ err: death, delayMs }, 'the RPC thread died: starting another one')
    this.#cancelRestart = clock.after(delayMs, () => {
      this.#restarts++
      this.#run()
    })
  }
}
