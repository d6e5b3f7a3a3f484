import { constants, getPriority } from 'node:os'
import { Worker } from 'node:worker_threads'
import { expect, it } from 'vitest'
import { STEP_BACK } from './thread-priority.ts'

it.runIf(process.platform === 'linux')('is lowered for one thread, and for no other', async () => {
  const before = getPriority()
  const file = new URL('../../dist/threads/thread-priority.js', import.meta.url).href
  const worker = new Worker(
    `import('${file}').then(({ stepBack, STEP_BACK }) => {
      stepBack(STEP_BACK.clients)
      require('node:worker_threads').parentPort.postMessage(require('node:os').getPriority())
    })`,
    { eval: true, execArgv: [] },
  )
  const lowered = await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject))
  expect(lowered).toBe(Math.min(constants.priority.PRIORITY_LOW, before + STEP_BACK.clients))
  expect(getPriority()).toBe(before)
  await worker.terminate()
})
