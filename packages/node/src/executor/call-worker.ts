import { parentPort, workerData } from 'node:worker_threads'
import { createCallHost, InterpreterFault } from '@quoin/execution'
import { loadContractInterpreter } from '@quoin/platform'
import { loadCrypto } from '../crypto/load.ts'
import { packPieces } from '../rpc/json-text.ts'
import { openClassicKv } from '../store/classic-kv.ts'
import type { OnDamage } from '../store/damage.ts'
import { StoredBlocks } from '../store/stored-blocks.ts'
import type { CallWorkerData, CallWorkerRequest, WorkerMessage } from './call-messages.ts'
import { CancelFlag } from './cancel-flag.ts'
import { runCallTask } from './inline-calls.ts'

/** A thread that runs calls. It has its own handle of the node's database and only reads. */
if (parentPort === null) throw new Error('call-worker must run in a worker thread')
const port = parentPort
const { databasePath, chainId, cancelled } = workerData as CallWorkerData
const flag = new CancelFlag(cancelled)
const send = (message: WorkerMessage, transfer: readonly ArrayBuffer[] = []): void => port.postMessage(message, transfer)
const crypto = await loadCrypto()
const onDamage: OnDamage = ({ finding, key }) => send({ kind: 'damage', damage: { finding, key } })
const kv = await openClassicKv(databasePath, { onDamage })
const host = createCallHost({ kv, crypto, chainId, interpreter: await loadContractInterpreter() })

async function answer(request: CallWorkerRequest): Promise<void> {
  if (request.kind === 'close') {
    await kv.close()
    port.close()
    return
  }
  try {
    // New for each request, so that no block stays in the memory of the thread.
    const blocks = new StoredBlocks(kv, crypto, onDamage)
    const outcome = await runCallTask(host, blocks, request, () => flag.isSet)
    if (!('pieces' in outcome)) return send({ kind: 'answer', outcome })
    const { pieces, transfer } = packPieces(outcome.pieces)
    send({ kind: 'answer', outcome: { ...outcome, pieces } }, transfer)
  } catch (error) {
    send(error instanceof InterpreterFault ? { kind: 'fault', message: error.message } : { kind: 'failure', error })
  }
}

port.on('message', (request: CallWorkerRequest) => void answer(request))
send({ kind: 'ready' })
