import { once } from 'node:events'
import type { Worker } from 'node:worker_threads'
import {
  type BlockRefusal,
  type BlockTemplate,
  type BuiltBlock,
  EXECUTOR_LIMITS,
  type ExecutableTransaction,
  type ExecutedBlock,
  type Executor,
  type FillLimits,
  packTransactions,
  type TreeRefusal,
} from '@quoin/execution'
import { type Genesis, genesisToJson, type Hash, ok, type Result } from '@quoin/protocol'
import { startWorker } from '../worker-file.ts'
import type { ExecutorAnswers, ExecutorCall, ExecutorMessage, ExecutorRequest, ExecutorWorkerData } from './messages.ts'

export interface WorkerExecutorOptions extends ExecutorWorkerData {
  /** Told once when the thread dies without being asked to. No call can succeed after that. Must not throw. */
  readonly onFailure: (error: Error) => void
}

/** Stack of the thread. V8 alone would take 1 MB; a contract engine nests deeper. */
const stackSizeMb = 16

/**
 * Starts the thread that executes blocks, which opens the database at `databasePath` (LevelDB shares it with this thread). Refuses a
 * database whose state tree does not fit; rejects when the thread cannot start.
 */
export async function startWorkerExecutor(options: WorkerExecutorOptions): Promise<Result<WorkerExecutor, TreeRefusal>> {
  const { databasePath, chainId, treeDepth, historyHeights } = options
  const data: ExecutorWorkerData = { databasePath, chainId, treeDepth, historyHeights }
  const worker = startWorker(import.meta.url, 'worker', { workerData: data, resourceLimits: { stackSizeMb } })
  const [message] = await Promise.race([
    once(worker, 'message') as Promise<[ExecutorMessage]>,
    once(worker, 'exit').then(([code]) => Promise.reject(new Error(`the execution worker exited with code ${code}`))),
  ])
  if (message.kind !== 'opened') throw new Error(`the execution worker began with ${message.kind}`)
  const { opened } = message
  if (opened.ok) return ok(new WorkerExecutor(worker, opened.value.version, opened.value.backend, options.onFailure))
  await worker.terminate()
  return opened
}

interface Pending {
  readonly resolve: (value: never) => void
  readonly reject: (error: unknown) => void
}

/** `Executor` in a thread of its own. */
export class WorkerExecutor implements Executor {
  readonly version: Hash
  /** The thread's cryptographic backend, for the log. */
  readonly backend: string
  readonly #worker: Worker
  readonly #onFailure: (error: Error) => void
  readonly #exited: Promise<void>
  readonly #pending = new Map<number, Pending>()
  #nextId = 0
  #closing: Promise<void> | undefined
  #fault: Error | undefined

  /** Takes over a worker that has opened its database; `startWorkerExecutor` makes them. */
  constructor(worker: Worker, version: Hash, backend: string, onFailure: (error: Error) => void) {
    this.version = version
    this.backend = backend
    this.#worker = worker
    this.#onFailure = onFailure
    worker.on('message', (message: ExecutorMessage) => this.#receive(message))
    worker.on('error', (error: Error) => this.#fail(`the execution worker failed: ${error.message}`, error))
    worker.on('messageerror', (error: Error) =>
      this.#fail(`an answer of the execution worker is unreadable: ${error.message}`, error),
    )
    this.#exited = new Promise((resolve) => {
      worker.once('exit', (code) => {
        if (this.#closing === undefined || this.#pending.size > 0) this.#fail(`the execution worker exited with code ${code}`)
        resolve()
      })
    })
  }

  genesis(genesis: Genesis): Promise<ExecutedBlock> {
    return this.#call({ method: 'genesis', genesis: genesisToJson(genesis) })
  }

  build(template: BlockTemplate, candidates: readonly ExecutableTransaction[], fill: FillLimits): Promise<BuiltBlock> {
    return this.#call({ method: 'build', template, candidates: packTransactions(candidates), fill })
  }

  execute(template: BlockTemplate, transactions: readonly ExecutableTransaction[]): Promise<Result<ExecutedBlock, BlockRefusal>> {
    return this.#call({ method: 'execute', template, transactions: packTransactions(transactions) })
  }

  commit(blockHash: Hash): Promise<void> {
    return this.#call({ method: 'commit', blockHash })
  }

  /** Lets the calls that were made before end, then ends the thread and waits for it. Every call gets the same promise. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    if (this.#fault !== undefined) return void (await this.#worker.terminate())
    await this.#send<undefined>({ method: 'close' })
    await this.#exited
  }

  async #call<M extends keyof ExecutorAnswers>(call: ExecutorCall & { readonly method: M }): Promise<ExecutorAnswers[M]> {
    if (this.#closing !== undefined) throw new Error('the executor is closed')
    if (this.#fault !== undefined) throw this.#fault
    if (this.#pending.size >= EXECUTOR_LIMITS.callsMax)
      throw new Error(`${this.#pending.size} calls wait for the executor, at most ${EXECUTOR_LIMITS.callsMax} may`)
    return this.#send<ExecutorAnswers[M]>(call)
  }

  #send<T>(call: ExecutorCall): Promise<T> {
    return new Promise((resolve, reject) => {
      const id = this.#nextId++
      this.#pending.set(id, { resolve, reject })
      this.#worker.postMessage({ id, call } satisfies ExecutorRequest, buffersOf(call))
    })
  }

  #receive(message: ExecutorMessage): void {
    if (message.kind === 'opened') return this.#fail('the execution worker opened twice')
    const pending = this.#pending.get(message.id)
    if (pending === undefined) return this.#fail(`the execution worker answered call ${message.id}, which does not wait`)
    this.#pending.delete(message.id)
    if (message.kind === 'answer') pending.resolve(message.value as never)
    else pending.reject(message.error)
  }

  /** Ends every call, now and from now on. */
  #fail(message: string, cause?: Error): void {
    if (this.#fault !== undefined) return
    const fault = new Error(message, { cause })
    this.#fault = fault
    for (const { reject } of this.#pending.values()) reject(fault)
    this.#pending.clear()
    this.#onFailure(fault)
  }
}

function buffersOf(call: ExecutorCall): readonly ArrayBuffer[] {
  if (call.method === 'build') return [call.candidates.buffer]
  return call.method === 'execute' ? [call.transactions.buffer] : []
}
