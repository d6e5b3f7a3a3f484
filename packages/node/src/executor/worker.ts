import { parentPort, workerData } from 'node:worker_threads'
import { loadContractInterpreter } from '@quoin/platform'
import { loadCrypto } from '../crypto/load.ts'
import { openClassicKv } from '../store/classic-kv.ts'
import { DamageReports } from '../store/damage.ts'
import type { ExecutorWorkerData } from './messages.ts'
import { serveExecutor } from './service.ts'

/** The thread that executes blocks. */
if (parentPort === null) throw new Error('the executor must run in a worker thread')
const data = workerData as ExecutorWorkerData
const crypto = await loadCrypto()
const damage = new DamageReports()
const kv = await openClassicKv(data.databasePath, { onDamage: damage.report })
await serveExecutor(parentPort, { kv, damage, crypto, interpreter: await loadContractInterpreter() }, data)
