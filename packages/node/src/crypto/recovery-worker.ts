import { parentPort } from 'node:worker_threads'
import { STEP_BACK, stepBack } from '../threads/thread-priority.ts'
import { loadCrypto } from './load.ts'
import type { WorkerMessage } from './recovery-pool.ts'
import { recoverBatch } from './signature-batch.ts'

/** A thread of the recovery pool: takes one packed batch at a time and sends its buffer back with the senders in it. */
if (parentPort === null) throw new Error('recovery-worker must run in a worker thread')
const port = parentPort
stepBack(STEP_BACK.recovery)
const crypto = await loadCrypto()
port.on('message', (batch: Uint8Array<ArrayBuffer>) => {
  recoverBatch(crypto, batch)
  port.postMessage(batch satisfies WorkerMessage, [batch.buffer])
})
port.postMessage({ ready: crypto.name } satisfies WorkerMessage)
