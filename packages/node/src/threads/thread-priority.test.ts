import { readdirSync, readFileSync } from 'node:fs'
import { constants, getPriority } from 'node:os'
import { Worker } from 'node:worker_threads'
import { expect, it } from 'vitest'
import { STEP_BACK } from './thread-priority.ts'

/** Nice value of each thread of this process (proc(5), field 19 of stat; the name in field 2 may contain spaces). */
const niceValues = (): number[] =>
  readdirSync('/proc/self/task').map((id) => {
    const stat = readFileSync(`/proc/self/task/${id}/stat`, 'utf8')
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[16])
  })

it.runIf(process.platform === 'linux')('is lowered for one thread, and for no other', async () => {
  const before = getPriority()
  const count = niceValues().filter((nice) => nice !== before).length
  const file = new URL('../../dist/threads/thread-priority.js', import.meta.url).href
  const worker = new Worker(
    `import('${file}').then(({ stepBack, STEP_BACK }) => {
      stepBack(STEP_BACK.clients)
      require('node:worker_threads').parentPort.postMessage('')
      setInterval(() => {}, 1_000)
    })`,
    { eval: true, execArgv: [] },
  )
  await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject))
  const lowered = Math.min(constants.priority.PRIORITY_LOW, before + STEP_BACK.clients)
  expect(niceValues().filter((nice) => nice !== before)).toHaveLength(count + 1)
  expect(niceValues()).toContain(lowered)
  expect(getPriority()).toBe(before)
  await worker.terminate()
})
