import type { MessagePort } from 'node:worker_threads'
import {
  createExecutor,
  type ExecutedBlock,
  type Executor,
  type ExecutorOptions,
  InterpreterFault,
  TreeCorruption,
  unpackQueues,
  unpackTransactions,
} from '@quoin/execution'
import type { Interpreter } from '@quoin/execution/vm'
import { type Crypto, err, type Hash, parseGenesis, type Result, unwrap } from '@quoin/protocol'
import type { OwnedKv } from '../store/classic-kv.ts'
import { DamagedError, type DamageReports } from '../store/damage.ts'
import type {
  ExecutorAnswers,
  ExecutorCall,
  ExecutorMessage,
  ExecutorRefusal,
  ExecutorRequest,
  ExecutorWorkerData,
} from './messages.ts'
import { Turns } from './turns.ts'

export interface ServicePowers {
  /** The thread's own handle of the node's database. Closed at the end. */
  readonly kv: OwnedKv
  /** Collects the damage that `kv` finds. */
  readonly damage: DamageReports
  readonly crypto: Crypto & { readonly name: string }
  readonly interpreter: Interpreter
}

/** Serves the calls of `messages.ts` on a port, one at a time, until it is told to close. Only reads the database. */
export async function serveExecutor(port: MessagePort, powers: ServicePowers, data: ExecutorWorkerData): Promise<void> {
  const { kv, damage, crypto, interpreter } = powers
  const { chainId, treeDepth, historyHeights } = data
  const turns = new Turns()
  const onTransaction = (hash: Hash | undefined): void => turns.begin(hash)
  const send = (message: ExecutorMessage, buffers: readonly ArrayBuffer[] = []): void => port.postMessage(message, [...buffers])
  const opened = await openExecutor({ kv, crypto, chainId, interpreter, treeDepth, historyHeights, onTransaction })
  if (!opened.ok) {
    await kv.close()
    return send({ kind: 'opened', opened })
  }
  const executor = opened.value
  damage.listen(({ finding, key }) => send({ kind: 'damage', damage: { finding, key } }))

  async function answer({ id, call }: ExecutorRequest): Promise<void> {
    try {
      turns.begin(undefined)
      const value = await perform(executor, powers, call)
      const block = blockOf(value)
      send({ kind: 'answer', id, value }, block === undefined ? [] : [buffer(block.receipts), buffer(block.ops)])
    } catch (error) {
      reportTree(error, damage)
      if (error instanceof InterpreterFault) send({ kind: 'fault', id, transaction: error.transaction, cause: error.cause })
      else send({ kind: 'failure', id, error })
    }
    if (call.method === 'close') port.close()
  }

  let last: Promise<void> = Promise.resolve()
  port.on('message', (request: ExecutorRequest) => {
    last = last.then(() => answer(request))
  })
  const { version } = executor
  send({ kind: 'opened', opened: { ok: true, value: { version, backend: crypto.name, turns: turns.buffer } } })
}

/** Reports an inconsistent tree as damage too, although each record matches its checksum. */
function reportTree(error: unknown, damage: DamageReports): void {
  const cause = error instanceof InterpreterFault ? error.cause : error
  if (cause instanceof TreeCorruption) damage.report(new DamagedError(cause.message))
}

async function openExecutor(options: ExecutorOptions): Promise<Result<Executor, ExecutorRefusal>> {
  try {
    return await createExecutor(options)
  } catch (error) {
    if (error instanceof DamagedError) return err({ code: 'damaged', message: error.message })
    if (error instanceof TreeCorruption) return err({ code: 'damaged', message: new DamagedError(error.message).message })
    throw error
  }
}

async function perform(
  executor: Executor,
  { kv, crypto }: ServicePowers,
  call: ExecutorCall,
): Promise<ExecutorAnswers[keyof ExecutorAnswers]> {
  switch (call.method) {
    case 'genesis':
      return movable(await executor.genesis(unwrap(parseGenesis(crypto, call.genesis))))
    case 'build':
      return movable(await executor.build(call.template, unpackQueues(call.queues), call.fill))
    case 'execute': {
      const executed = await executor.execute(call.template, unpackTransactions(call.transactions))
      return executed.ok ? { ok: true, value: movable(executed.value) } : executed
    }
    case 'commit':
      await executor.commit(call.blockHash)
      return undefined
    case 'close':
      await executor.close()
      await kv.close()
      return undefined
  }
}

/** A copy whose buffers can be transferred. The executor keeps the original until the height is committed. */
const movable = <T extends ExecutedBlock>(block: T): T => ({ ...block, receipts: block.receipts.slice(), ops: block.ops.slice() })

const buffer = ({ buffer }: Uint8Array): ArrayBuffer => buffer as ArrayBuffer

function blockOf(value: ExecutorAnswers[keyof ExecutorAnswers]): ExecutedBlock | undefined {
  if (value === undefined || 'header' in value) return value
  return value.ok ? value.value : undefined
}
