import { parentPort, workerData } from 'node:worker_threads'
import { loadContractEngine } from '@quoin/contracts/platform'
import { createExecutor, EngineFault, type ExecutedBlock, type Executor, unpackTransactions } from '@quoin/execution'
import { type Hash, hexToBytes, parseGenesis, unwrap } from '@quoin/protocol'
import { loadCrypto } from '../crypto/load.ts'
import { openClassicKv } from '../store/classic-kv.ts'
import type { ExecutorAnswers, ExecutorCall, ExecutorMessage, ExecutorRequest, ExecutorWorkerData } from './messages.ts'

/** The thread that executes blocks. It reads the node's database through a handle of its own and writes nothing. */
if (parentPort === null) throw new Error('the executor runs only as a worker')
const port = parentPort
const { databasePath, chainId, treeDepth, historyHeights } = workerData as ExecutorWorkerData
const crypto = await loadCrypto()
const kv = await openClassicKv(databasePath)
const engine = await loadContractEngine()
const running = new Uint8Array(new SharedArrayBuffer(32))
const onTransaction = (hash: Hash | undefined): void => {
  if (hash === undefined) running.fill(0)
  else running.set(hexToBytes(hash))
}
const opened = await createExecutor({ kv, crypto, chainId, engine, treeDepth, historyHeights, onTransaction })

const send = (message: ExecutorMessage, buffers: readonly ArrayBuffer[] = []): void => port.postMessage(message, [...buffers])

if (opened.ok) {
  const executor = opened.value
  let last: Promise<void> = Promise.resolve()
  port.on('message', (request: ExecutorRequest) => {
    last = last.then(() => answer(executor, request))
  })
  send({
    kind: 'opened',
    opened: { ok: true, value: { version: executor.version, backend: crypto.name, running: running.buffer } },
  })
} else {
  await kv.close()
  send({ kind: 'opened', opened })
}

async function answer(executor: Executor, { id, call }: ExecutorRequest): Promise<void> {
  try {
    running.fill(0)
    const value = await perform(executor, call)
    const block = blockOf(value)
    send({ kind: 'answer', id, value }, block === undefined ? [] : [buffer(block.receipts), buffer(block.ops)])
  } catch (error) {
    if (error instanceof EngineFault) send({ kind: 'fault', id, transaction: error.transaction, cause: error.cause })
    else send({ kind: 'failure', id, error })
  }
  if (call.method === 'close') port.close()
}

async function perform(executor: Executor, call: ExecutorCall): Promise<ExecutorAnswers[keyof ExecutorAnswers]> {
  switch (call.method) {
    case 'genesis':
      return movable(await executor.genesis(unwrap(parseGenesis(crypto, call.genesis))))
    case 'build':
      return movable(await executor.build(call.template, unpackTransactions(call.candidates), call.fill))
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

/** A copy whose buffers may move away: the executor keeps its own until the height is committed. */
const movable = <T extends ExecutedBlock>(block: T): T => ({ ...block, receipts: block.receipts.slice(), ops: block.ops.slice() })

const buffer = ({ buffer }: Uint8Array): ArrayBuffer => buffer as ArrayBuffer

function blockOf(value: ExecutorAnswers[keyof ExecutorAnswers]): ExecutedBlock | undefined {
  if (value === undefined || 'header' in value) return value
  return value.ok ? value.value : undefined
}
