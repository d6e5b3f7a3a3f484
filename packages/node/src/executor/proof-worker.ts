import { parentPort, workerData } from 'node:worker_threads'
import { AccountProver, TreeCorruption } from '@quoin/execution'
import { loadCrypto } from '../crypto/load.ts'
import { openClassicKv } from '../store/classic-kv.ts'
import { DamagedError } from '../store/damage.ts'
import type { WorkerMessage } from './call-messages.ts'
import type { ProofWorkerData, ProofWorkerRequest } from './proof-messages.ts'
import { runProof } from './proof-runner.ts'

/** A thread that makes proofs. It has its own handle of the node's database and only reads. */
if (parentPort === null) throw new Error('proof-worker must run in a worker thread')
const port = parentPort
const { databasePath } = workerData as ProofWorkerData
const send = (message: WorkerMessage): void => port.postMessage(message)
const tellDamage = ({ finding, key }: DamagedError): void => send({ kind: 'damage', damage: { finding, key } })
const crypto = await loadCrypto()
const kv = await openClassicKv(databasePath, { onDamage: tellDamage, cacheBytesMax: 8 * 1024 * 1024 })
const prover = new AccountProver(kv, crypto)

/**
 * Interval at which the thread follows the head without a request. It must be well below the history in time: a thread that falls behind
 * the undo records has to read the whole upper tree again.
 */
const FOLLOW_MS = 5_000

/** An inconsistent tree is damage too, although each record matches its checksum. */
function damageOf(error: unknown): unknown {
  if (!(error instanceof TreeCorruption)) return error
  const damage = new DamagedError(error.message)
  tellDamage(damage)
  return damage
}

let last: Promise<void> = Promise.resolve()
/** Runs one piece of work at a time. */
function next(work: () => Promise<void>): void {
  last = last.then(work)
}

async function answer(message: ProofWorkerRequest): Promise<void> {
  if (message.kind === 'close') {
    clearInterval(follow)
    await kv.close()
    port.close()
    return
  }
  try {
    send({ kind: 'answer', outcome: await runProof(prover, message.request) })
  } catch (error) {
    send({ kind: 'failure', error: damageOf(error) })
  }
}

async function catchUp(): Promise<void> {
  try {
    await prover.catchUp()
  } catch (error) {
    // Damage has been reported. Any other error comes back with the next request, which does the same.
    damageOf(error)
  }
}

await catchUp()
const follow = setInterval(() => next(catchUp), FOLLOW_MS)
port.on('message', (message: ProofWorkerRequest) => next(() => answer(message)))
send({ kind: 'ready' })
