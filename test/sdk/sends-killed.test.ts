import { rm } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Bundle, type Child, temporaryDirectory } from '../../packages/sdk/test/child.ts'
import { publicClient } from '../e2e/harness.ts'
import { type Program, startQuoin } from '../e2e/program.ts'
import { isLong } from '../long.ts'
import { expectOnceOrReason, type Told, toldBy } from './included.ts'
import type { SenderTask } from './sender.ts'

const seed = Number(process.env['QUOIN_TEST_SEED'] ?? Math.floor(Math.random() * 2 ** 31))
const SENDERS = isLong ? 20 : 5
const COUNT = isLong ? 5_000 / 20 : 100
const KILLS = isLong ? 10 : 3
const SINK = '0x00000000000000000000000000000000dead0001'
const SINKS = ['0x00000000000000000000000000000000dead0002', '0x00000000000000000000000000000000dead0003'] as const

let node: Program
let url: string
let program: Bundle
let directory: string
const children: Child[] = []
beforeAll(async () => {
  node = startQuoin(['dev', '--port', '0', '--quiet', '--block-time', '250', '--accounts', String(Math.max(10, SENDERS))], {
    ipc: true,
  })
  const { rpcPort } = await node.message<{ kind: 'ready'; rpcPort: number }>('ready')
  url = `http://127.0.0.1:${rpcPort}`
  program = await Bundle.make(new URL('./sender.ts', import.meta.url))
  directory = await temporaryDirectory()
})
afterAll(async () => {
  await Promise.all(children.map((child) => child.end()))
  await Promise.all([node.end('SIGKILL'), program.remove(), rm(directory, { recursive: true })])
})

function start(task: Partial<SenderTask>): Child {
  const whole = { urls: [url], directory, senders: [0], count: 1, prefix: 'x', to: SINK, ...task }
  const child = program.start([JSON.stringify(whole)])
  children.push(child)
  return child
}

/** Nothing is refused here: every send is in a block. */
async function expectOnce(senders: readonly number[], count: number, told: readonly Told[], sink: string): Promise<void> {
  expect(await expectOnceOrReason(publicClient(url), { senders, count, told, sink })).toEqual(new Map())
}

describe('sends of processes that are killed', () => {
  it(`includes each of ${SENDERS * COUNT} sends exactly once, seed ${seed}`, {
    timeout: isLong ? 3_600_000 : 120_000,
  }, async () => {
    const keys = Array.from({ length: SENDERS }, (_, i) => i)
    const told: Told[] = []
    let random = seed
    for (let life = 0; life < KILLS; life++) {
      random = (Math.imul(random, 1_664_525) + 1_013_904_223) >>> 0
      const child = start({ senders: keys, count: COUNT, prefix: 'all-' })
      // Killed after a share of the sends that is new in each life, from none at all.
      const goal = Math.floor(((random >>> 8) / 2 ** 24) * ((life + 1) / KILLS) * keys.length * COUNT * 0.9)
      await child.until(`${goal} ended sends`, (lines) => lines.length > goal)
      await child.end('SIGKILL')
      expect(child.errors).toBe('')
      told.push(toldBy(child.lines))
    }
    const last = start({ senders: keys, count: COUNT, prefix: 'all-' })
    expect(await last.ended()).toBe(0)
    const final = toldBy(last.lines)
    expect(final.size).toBe(keys.length * COUNT)
    await expectOnce(keys, COUNT, [...told, final], SINK)
  })

  it('lets another process take over the key of a killed one', async () => {
    const [sender, count] = [7, 40]
    const tasks = ['a-', 'b-'].map((prefix, i) => ({ senders: [sender], count, prefix, to: SINKS[i]! }))
    const [first, second] = tasks.map((task) => start(task)) as [Child, Child]
    await first.until('its first sends', (lines) => lines.length > 5)
    await second.until('its first sends', (lines) => lines.length > 5)
    await first.end('SIGKILL')
    expect(await second.ended()).toBe(0)
    // The other one went on with what the killed one had signed; a new process knows all ids.
    const again = start(tasks[0]!)
    expect(await again.ended()).toBe(0)
    const told = [toldBy(first.lines), toldBy(again.lines)]
    expect(toldBy(again.lines).size).toBe(count)
    expect(toldBy(second.lines).size).toBe(count)
    await expectOnce([sender], count, told, SINKS[0]!)
    await expectOnce([sender], count, [toldBy(second.lines)], SINKS[1]!)
  })
})
