/*
 * Loaded into a node before anything else (`node --import`): transactions and calls in its threads never end, as if the interpreter had a
 * bug. A transaction is one of these if the directory has a file named after its hash; a call, if its data are `ENDLESS_CALL`.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { parentPort, workerData } from 'node:worker_threads'

const ENDLESS_CALL = 'e4d1e55e'
const directory = process.env.QUOIN_TEST_ENDLESS
const isExecution = workerData?.treeDepth !== undefined
const isCalls = workerData?.databasePath !== undefined && !isExecution
const hex = (bytes) => Buffer.from(bytes).toString('hex')

function endless() {
  for (;;);
}

// The execution worker counts its turns in shared memory, directly after the hash of the transaction (`executor/turns.ts`).
if (isExecution) {
  const { add } = Atomics
  Atomics.add = (array, ...rest) => {
    const before = add(array, ...rest)
    if (existsSync(join(directory, `0x${hex(new Uint8Array(array.buffer, 0, 32))}`))) endless()
    return before
  }
}
if (isCalls) {
  parentPort.on('message', ({ request }) => {
    if (request !== undefined && hex(request.call.data) === ENDLESS_CALL) endless()
  })
}
