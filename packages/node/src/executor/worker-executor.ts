import type { ResourceLimits, Worker } from 'node:worker_threads'
import {
  type BlockRefusal,
  type BlockTemplate,
  type BuiltBlock,
  type CandidateQueue,
  EXECUTOR_LIMITS,
  type ExecutableTransaction,
  type ExecutedBlock,
  type Executor,
  type FillLimits,
  InterpreterFault,
  packQueues,
  packTransactions,
} from '@quoin/execution'
import { type Genesis, genesisToJson, type Hash, ok, type Result } from '@quoin/protocol'
import { Sequencer } from '../lifecycle.ts'
import type { Logger } from '../logger.ts'
import { systemClock } from '../system-clock.ts'
import { startWorker } from '../threads/start-worker.ts'
import { ExecutorThread } from './executor-thread.ts'
import type { ExecutorAnswers, ExecutorCall, ExecutorRefusal, ExecutorWorkerData } from './messages.ts'
import { processorMs, type WatchPowers, workMsMax } from './watchdog.ts'

/** Limits of the threads. None of them changes a block's result. */
export const EXECUTION_WORKER_LIMITS = {
  /** Stack of the thread. V8's default is 1 MB; a contract interpreter recurses deeper. */
  stackSizeMb: 16,
  /** Factor by which the stack grows after an interpreter fault. */
  stackGrowthFactor: 4,
  /** Threads that may die during one call. Then the call is taken for the cause, and fails like an interpreter fault. */
  deathsPerCallMax: 2,
  /** The same for a decided block: the other validators have executed it, and a node that gives up must halt. */
  deathsPerDecidedMax: 3,
  /** Threads in a row that may fail to start. Then the executor gives up. */
  failedStartsMax: 3,
} as const

export interface WorkerExecutorPowers {
  /** Starts a thread (`executionWorkers`) with this stack in MB. */
  readonly start: (stackSizeMb: number) => Worker
  /** Stack of the first thread in MB. */
  readonly stackSizeMb?: number
  /** Clocks for the watchdog. Defaults to the real ones. */
  readonly watch?: WatchPowers
  /** Logs each thread that is lost or replaced. */
  readonly logger: Logger
  /** Called once if no thread can be started any more. No call succeeds after that. Must not throw. */
  readonly onFailure: (error: Error) => void
}

export type WorkerExecutorOptions = ExecutorWorkerData & Omit<WorkerExecutorPowers, 'start'>

const SYSTEM_WATCH: WatchPowers = { clock: systemClock, processorMs }

/** Time of `build` and `execute` calls until their answer, in ms, without the wait for earlier calls. 0 before the first. */
export interface ExecutionStats {
  readonly lastMs: number
  readonly maxMs: number
}

/**
 * Starts threads on the database at `databasePath`, which LevelDB shares with this thread.
 *
 * @param heap - Heap limits of the threads. Defaults to V8's own.
 */
export const executionWorkers =
  ({ databasePath, chainId, treeDepth, historyHeights }: ExecutorWorkerData, heap: Omit<ResourceLimits, 'stackSizeMb'> = {}) =>
  (stackSizeMb: number): Worker => {
    const workerData: ExecutorWorkerData = { databasePath, chainId, treeDepth, historyHeights }
    return startWorker(import.meta.url, 'worker', { workerData, resourceLimits: { ...heap, stackSizeMb } })
  }

/**
 * Starts the thread that executes blocks.
 *
 * @returns The executor; or why the database cannot be used: its state tree has another depth, or it is damaged. Rejects if the thread cannot
 * start.
 */
export function startWorkerExecutor(options: WorkerExecutorOptions): Promise<Result<WorkerExecutor, ExecutorRefusal>> {
  return WorkerExecutor.open({ ...options, start: executionWorkers(options) })
}

/**
 * `Executor` in a separate thread. It survives the loss of that thread.
 *
 * - A dead thread is replaced at the next call, and a running call is retried. A call is a function of the database and its arguments, so
 *   only the outcomes that `commit` may name are lost with the thread. After the commit of such a block, a new thread opens the
 *   database, which contains the block by then.
 * - An interpreter fault (`InterpreterFault`) is retried in a thread with a larger stack, which then replaces the first one for good. So only one
 *   thread holds the state, and contracts that need the larger stack do not start a thread for every call. The larger stack is only
 *   reserved memory until it is used. A second fault, in that thread, is returned as the call's result.
 * - A thread that takes longer for a call than the gas of a block allows (`watchdog.ts`) is terminated, which counts as a death. Each further
 *   attempt at a call may take four times as long as the one before.
 */
export class WorkerExecutor implements Executor {
  readonly version: Hash
  /** The first thread's cryptographic backend, for the log. */
  readonly backend: string
  readonly #powers: WorkerExecutorPowers
  readonly #calls = new Sequencer()
  /** The thread that executed each block of the current height. Least recently used first, as in the thread. */
  readonly #executed = new Map<Hash, ExecutorThread>()
  #thread: ExecutorThread | undefined
  /** The worker that is opening the database. */
  #starting: Worker | undefined
  #stackSizeMb: number
  #hasGrown = false
  /** Gas limit of a block, learned from the calls. */
  #blockGas: number | undefined
  #waiting = 0
  #failure: Error | undefined
  #closing: Promise<void> | undefined
  #stats: ExecutionStats = { lastMs: 0, maxMs: 0 }

  static async open(powers: WorkerExecutorPowers): Promise<Result<WorkerExecutor, ExecutorRefusal>> {
    const { start, stackSizeMb = EXECUTION_WORKER_LIMITS.stackSizeMb, watch = SYSTEM_WATCH } = powers
    const thread = await ExecutorThread.open(start(stackSizeMb), watch)
    return thread.ok ? ok(new WorkerExecutor(powers, thread.value, stackSizeMb)) : thread
  }

  private constructor(powers: WorkerExecutorPowers, thread: ExecutorThread, stackSizeMb: number) {
    this.version = thread.version
    this.backend = thread.backend
    this.#powers = powers
    this.#thread = thread
    this.#stackSizeMb = stackSizeMb
  }

  /** Times of `build` and `execute`. */
  get stats(): ExecutionStats {
    return this.#stats
  }

  genesis(genesis: Genesis): Promise<ExecutedBlock> {
    const json = genesisToJson(genesis)
    return this.#queue(async () => this.#keep(await this.#serve<'genesis'>(() => ({ method: 'genesis', genesis: json }))))
  }

  build(template: BlockTemplate, queues: readonly CandidateQueue[], fill: FillLimits): Promise<BuiltBlock> {
    const call = () => ({ method: 'build', template, queues: packQueues(queues), fill }) as const
    return this.#queue(async () => {
      this.#learnGas(template, fill.gasMax)
      return this.#keep(await this.#timed(() => this.#serve<'build'>(call)))
    })
  }

  execute(
    template: BlockTemplate,
    transactions: readonly ExecutableTransaction[],
    isDecided = false,
  ): Promise<Result<ExecutedBlock, BlockRefusal>> {
    const call = () => ({ method: 'execute', template, transactions: packTransactions(transactions) }) as const
    const { deathsPerCallMax, deathsPerDecidedMax } = EXECUTION_WORKER_LIMITS
    return this.#queue(async () => {
      this.#learnGas(template)
      const executed = await this.#timed(() => this.#serve<'execute'>(call, isDecided ? deathsPerDecidedMax : deathsPerCallMax))
      return executed.ok ? ok(this.#keep(executed.value)) : executed
    })
  }

  commit(blockHash: Hash): Promise<void> {
    return this.#queue(() => this.#commit(blockHash))
  }

  /** Waits for earlier calls, then ends the thread. Every call of `close` returns the same promise. */
  close(): Promise<void> {
    this.#closing ??= this.#calls.run(() => this.#retire())
    return this.#closing
  }

  /**
   * Terminates the thread and fails every call at once, for a process that must end. Call `close` afterwards, which then ends soon. No call
   * succeeds after this.
   */
  terminate(): void {
    this.#failure ??= new Error('the execution worker was terminated because the node is stopping')
    this.#thread?.kill(this.#failure.message)
    void this.#starting?.terminate()
  }

  /** Uses the gas limit of the parent. If the block itself has another limit, it is learned with the next block. */
  #learnGas({ parent }: BlockTemplate, gasMax = 0): void {
    this.#blockGas = Math.max(parent.gasLimit, gasMax)
  }

  async #queue<T>(job: () => Promise<T>): Promise<T> {
    if (this.#closing !== undefined) throw new Error('the executor is closed')
    if (this.#waiting >= EXECUTOR_LIMITS.callsMax)
      throw new Error(
        `too many calls: ${this.#waiting} are waiting for the executor, at most ${EXECUTOR_LIMITS.callsMax} are allowed`,
      )
    this.#waiting++
    try {
      return await this.#calls.run(job)
    } finally {
      this.#waiting--
    }
  }

  async #timed<T>(action: () => Promise<T>): Promise<T> {
    const started = performance.now()
    const answer = await action()
    const lastMs = performance.now() - started
    this.#stats = { lastMs, maxMs: Math.max(lastMs, this.#stats.maxMs) }
    return answer
  }

  /** Repeats a call until a thread has answered it. The call is packed again for each thread, because its buffers are transferred. */
  async #serve<M extends keyof ExecutorAnswers>(
    pack: () => ExecutorCall & { readonly method: M },
    deathsMax: number = EXECUTION_WORKER_LIMITS.deathsPerCallMax,
  ): Promise<ExecutorAnswers[M]> {
    const deaths: (Hash | undefined)[] = []
    for (let attempt = 0; ; attempt++) {
      const thread = await this.#usable()
      const end = await thread.call(pack(), this.#workMsMax(attempt))
      if (end.kind === 'answer') return end.value as ExecutorAnswers[M]
      // A call that ended because the node is stopping must not count as a fault.
      this.#assertServing()
      switch (end.kind) {
        case 'failure':
          throw end.error
        case 'fault':
          if (this.#hasGrown) throw end.fault
          await this.#grow(end.fault)
          break
        case 'death':
          deaths.push(end.transaction)
          if (deaths.length === deathsMax) throw new InterpreterFault(commonOf(deaths), end.error)
      }
    }
  }

  #workMsMax(attempt: number): number | undefined {
    return this.#blockGas === undefined ? undefined : workMsMax(this.#blockGas, attempt)
  }

  async #commit(blockHash: Hash): Promise<void> {
    const by = this.#executed.get(blockHash) ?? (await this.#usable())
    this.#executed.clear()
    if (by !== this.#thread) return this.#retire()
    const end = await by.call({ method: 'commit', blockHash }, this.#workMsMax(0))
    if (end.kind === 'failure') throw end.error
    // If the thread is dead, its successor finds the block in the database.
  }

  /** The current thread, or a new one if it has died. */
  async #usable(): Promise<ExecutorThread> {
    this.#assertServing()
    if (this.#thread !== undefined && this.#thread.death === undefined) return this.#thread
    if (this.#thread !== undefined) this.#warn(this.#thread.death, 'the execution worker is lost: starting another one')
    for (let failed = 1; ; failed++) {
      try {
        this.#thread = await this.#start(this.#stackSizeMb)
        return this.#thread
      } catch (error) {
        this.#assertServing()
        if (failed === EXECUTION_WORKER_LIMITS.failedStartsMax) throw this.#fail(error)
        this.#warn(error, 'the execution worker failed to start: trying again')
      }
    }
  }

  async #start(stackSizeMb: number): Promise<ExecutorThread> {
    this.#starting = this.#powers.start(stackSizeMb)
    try {
      const opened = await ExecutorThread.open(this.#starting, this.#powers.watch ?? SYSTEM_WATCH)
      if (opened.ok) return opened.value
      throw new Error(opened.error.message)
    } finally {
      this.#starting = undefined
    }
  }

  /** Replaces the thread with one that has a larger stack. Throws the fault if this machine cannot start one. */
  async #grow(fault: InterpreterFault): Promise<void> {
    const stackSizeMb = this.#stackSizeMb * EXECUTION_WORKER_LIMITS.stackGrowthFactor
    this.#warn(fault, 'the contract interpreter failed: retrying in a thread with a larger stack')
    let larger: ExecutorThread
    try {
      larger = await this.#start(stackSizeMb)
    } catch (error) {
      this.#assertServing()
      this.#warn(error, `cannot start an execution worker with a stack of ${stackSizeMb} MB`)
      throw fault
    }
    await this.#retire()
    this.#thread = larger
    this.#stackSizeMb = stackSizeMb
    this.#hasGrown = true
  }

  /** Ends the thread; the next call starts another one. */
  async #retire(): Promise<void> {
    await this.#thread?.end()
    this.#thread = undefined
  }

  #keep<T extends ExecutedBlock>(block: T): T {
    this.#executed.delete(block.hash)
    if (this.#thread !== undefined) this.#executed.set(block.hash, this.#thread)
    for (const oldest of this.#executed.keys()) {
      if (this.#executed.size <= EXECUTOR_LIMITS.executedBlocksMax) break
      this.#executed.delete(oldest)
    }
    return block
  }

  #warn(error: unknown, message: string): void {
    const text = error instanceof Error ? error.message : String(error)
    this.#powers.logger.warn({ error: text, stackSizeMb: this.#stackSizeMb }, message)
  }

  /** Throws if no call can be served any more. */
  #assertServing(): void {
    if (this.#failure !== undefined) throw this.#failure
  }

  /** Makes every call fail from now on. */
  #fail(cause: unknown): Error {
    const text = cause instanceof Error ? cause.message : String(cause)
    this.#failure = new Error(`cannot start an execution worker: ${text}`, { cause })
    this.#powers.onFailure(this.#failure)
    return this.#failure
  }
}

/** The transaction that was running at every death. If they differ, no single transaction is the cause. */
const commonOf = ([first, ...others]: readonly (Hash | undefined)[]): Hash | undefined =>
  others.every((other) => other === first) ? first : undefined
