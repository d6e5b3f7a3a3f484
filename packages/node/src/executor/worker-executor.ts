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
import { startWorker } from '../worker-file.ts'
import { ExecutorThread } from './executor-thread.ts'
import type { ExecutorAnswers, ExecutorCall, ExecutorRefusal, ExecutorWorkerData } from './messages.ts'
import { processorMs, type WatchPowers, workMsMax } from './watchdog.ts'

/** Bounds of the threads. None of them changes a block. */
export const EXECUTION_WORKER_LIMITS = {
  /** Stack of the thread. V8 alone would take 1 MB; a contract interpreter nests deeper. */
  stackSizeMb: 16,
  /** By how much the stack grows after an interpreter fault. */
  stackGrowthFactor: 4,
  /** Threads that may die of one call. Then the call is taken for the reason, and fails like one on which the interpreter failed. */
  deathsPerCallMax: 2,
  /** The same where the block is decided: the others did execute it, and a node that gives up must halt. */
  deathsPerDecidedMax: 3,
  /** Threads in a row that may die before they have opened the database. Then the executor gives up. */
  failedStartsMax: 3,
} as const

export interface WorkerExecutorPowers {
  /** Starts a thread (`executionWorkers`); stack in MB. */
  readonly start: (stackSizeMb: number) => Worker
  /** Of the first thread. */
  readonly stackSizeMb?: number
  /** By which a thread that takes too long is found; the machine's by default. */
  readonly watch?: WatchPowers
  /** Told of each thread that is lost or replaced. */
  readonly logger: Logger
  /** Told once when no thread can be started any more. No call can succeed after that. Must not throw. */
  readonly onFailure: (error: Error) => void
}

export type WorkerExecutorOptions = ExecutorWorkerData & Omit<WorkerExecutorPowers, 'start'>

const SYSTEM_WATCH: WatchPowers = { clock: systemClock, processorMs }

/** How long blocks took, from the call to the answer, in milliseconds; 0 before the first. */
export interface ExecutionStats {
  readonly lastMs: number
  readonly maxMs: number
}

/** Threads over the database at `databasePath`, which LevelDB shares with this one. `heap` bounds theirs, by V8's own defaults otherwise. */
export const executionWorkers =
  ({ databasePath, chainId, treeDepth, historyHeights }: ExecutorWorkerData, heap: Omit<ResourceLimits, 'stackSizeMb'> = {}) =>
  (stackSizeMb: number): Worker => {
    const workerData: ExecutorWorkerData = { databasePath, chainId, treeDepth, historyHeights }
    return startWorker(import.meta.url, 'worker', { workerData, resourceLimits: { ...heap, stackSizeMb } })
  }

/** Starts the thread that executes blocks. Refuses a database whose state tree does not fit, or is damaged; rejects when the thread cannot start. */
export function startWorkerExecutor(options: WorkerExecutorOptions): Promise<Result<WorkerExecutor, ExecutorRefusal>> {
  return WorkerExecutor.open({ ...options, start: executionWorkers(options) })
}

/**
 * `Executor` in a thread of its own, which survives the loss of that thread.
 *
 * - A thread that dies is replaced at the next call, and a call that was under way is served again. A call is a function of the database
 *   and its arguments, so that nothing of the lost thread is missed but the outcomes that `commit` may name: after the commit of one of
 *   those another thread opens the database, which holds the block by then.
 * - An interpreter fault (`InterpreterFault`) is tried again in a thread with a larger stack, which takes over for good: then one thread holds the
 *   state at all times, and contracts that once needed that stack cost no start of a thread each time they are called. The stack is only
 *   reserved until it is used. A fault of that thread is the call's.
 * - A thread that takes longer for a call than the gas of a block allows (`watchdog.ts`) is ended, which counts as a death of it. Each further
 *   attempt at a call may take four times as long as the one before.
 */
export class WorkerExecutor implements Executor {
  readonly version: Hash
  /** The first thread's cryptographic backend, for the log. */
  readonly backend: string
  readonly #powers: WorkerExecutorPowers
  readonly #calls = new Sequencer()
  /** Which thread executed a block of this height; the block used longest ago first, as in the thread. */
  readonly #executed = new Map<Hash, ExecutorThread>()
  #thread: ExecutorThread | undefined
  /** While it opens the database. */
  #starting: Worker | undefined
  #stackSizeMb: number
  #hasGrown = false
  /** Gas of a block, as far as the calls told. */
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

  /** Of `build` and `execute`, the wait for the calls before them aside. */
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

  /** Lets the calls that were made before end, then ends the thread and waits for it. Every call gets the same promise. */
  close(): Promise<void> {
    this.#closing ??= this.#calls.run(() => this.#retire())
    return this.#closing
  }

  /**
   * Ends every call at once, in whatever the thread does: for a process that must end. `close` is still due, and then soon over. No call succeeds
   * after this.
   */
  terminate(): void {
    this.#failure ??= new Error('the execution worker was ended, because the node stops')
    this.#thread?.kill(this.#failure.message)
    void this.#starting?.terminate()
  }

  /** The parent has the gas limit of its parameters; the next block may have another one, which shows when it is a parent. */
  #learnGas({ parent }: BlockTemplate, gasMax = 0): void {
    this.#blockGas = Math.max(parent.gasLimit, gasMax)
  }

  async #queue<T>(job: () => Promise<T>): Promise<T> {
    if (this.#closing !== undefined) throw new Error('the executor is closed')
    if (this.#waiting >= EXECUTOR_LIMITS.callsMax)
      throw new Error(`${this.#waiting} calls wait for the executor, at most ${EXECUTOR_LIMITS.callsMax} may`)
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

  /** Makes a call until a thread has answered it. The call is packed for each thread, for its buffers move there. */
  async #serve<M extends keyof ExecutorAnswers>(
    pack: () => ExecutorCall & { readonly method: M },
    deathsMax: number = EXECUTION_WORKER_LIMITS.deathsPerCallMax,
  ): Promise<ExecutorAnswers[M]> {
    const deaths: (Hash | undefined)[] = []
    for (let attempt = 0; ; attempt++) {
      const thread = await this.#usable()
      const end = await thread.call(pack(), this.#workMsMax(attempt))
      if (end.kind === 'answer') return end.value as ExecutorAnswers[M]
      // What ends because the node stops is nobody's fault.
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
    // A thread that is dead is followed by one that finds the block in the database.
  }

  /** The thread that serves now, in the place of one that died. */
  async #usable(): Promise<ExecutorThread> {
    this.#assertServing()
    if (this.#thread !== undefined && this.#thread.death === undefined) return this.#thread
    if (this.#thread !== undefined) this.#warn(this.#thread.death, 'the execution worker is lost: another one takes its place')
    for (let failed = 1; ; failed++) {
      try {
        this.#thread = await this.#start(this.#stackSizeMb)
        return this.#thread
      } catch (error) {
        this.#assertServing()
        if (failed === EXECUTION_WORKER_LIMITS.failedStartsMax) throw this.#fail(error)
        this.#warn(error, 'the execution worker does not start: tried again')
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

  /** Throws the fault where this machine has no room for such a stack. */
  async #grow(fault: InterpreterFault): Promise<void> {
    const stackSizeMb = this.#stackSizeMb * EXECUTION_WORKER_LIMITS.stackGrowthFactor
    this.#warn(fault, 'the contract interpreter failed: a thread with a larger stack takes over')
    let larger: ExecutorThread
    try {
      larger = await this.#start(stackSizeMb)
    } catch (error) {
      this.#assertServing()
      this.#warn(error, `no execution worker with a stack of ${stackSizeMb} MB can be started`)
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

  /** Throws where no call is served any more. */
  #assertServing(): void {
    if (this.#failure !== undefined) throw this.#failure
  }

  /** Ends every call from now on. */
  #fail(cause: unknown): Error {
    const text = cause instanceof Error ? cause.message : String(cause)
    this.#failure = new Error(`no execution worker can be started any more: ${text}`, { cause })
    this.#powers.onFailure(this.#failure)
    return this.#failure
  }
}

/** What all threads that died of a call were running: several deaths elsewhere are no transaction's doing. */
const commonOf = ([first, ...others]: readonly (Hash | undefined)[]): Hash | undefined =>
  others.every((other) => other === first) ? first : undefined
