import { rm } from 'node:fs/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { Bundle, type Child, temporaryDirectory } from '../../packages/sdk/test/child.ts'
import { isLong } from '../long.ts'
import { FaultyNetwork } from './faulty-network.ts'
import { expectOnceOrReason, type Told, toldBy } from './included.ts'
import type { SenderTask } from './sender.ts'

const seed = Number(process.env['QUOIN_TEST_SEED'] ?? Math.floor(Math.random() * 2 ** 31))
const SENDERS = isLong ? 20 : 5
const COUNT = isLong ? 5_000 / 20 : 100
const KILLS = isLong ? 10 : 3
/** Turns of faults in each life of the client. In the last turn of the second life the chain stops for a while. */
const TURNS_A_LIFE = isLong ? 3 : 2
const HALTING_LIFE = 1
const SINK = '0x00000000000000000000000000000000dead0004'

let faulty: FaultyNetwork
let program: Bundle
let directory: string
const children: Child[] = []
beforeAll(async () => {
  faulty = await FaultyNetwork.start(seed, { accounts: Math.max(10, SENDERS) })
  program = await Bundle.make(new URL('./sender.ts', import.meta.url))
  directory = await temporaryDirectory()
})
afterAll(async () => {
  await Promise.all(children.map((child) => child.end()))
  await Promise.all([faulty?.close(), program?.remove(), rm(directory, { recursive: true, force: true })])
})

it(`each of ${SENDERS * COUNT} sends through a failing network is included once or has a reason, seed ${seed}`, {
  timeout: isLong ? 7_200_000 : 600_000,
}, async ({ onTestFailed }) => {
  onTestFailed(() => console.error([...faulty.turns, children.at(-1)?.lines.length, children.at(-1)?.errors].join('\n')))
  const senders = Array.from({ length: SENDERS }, (_, i) => i)
  const total = SENDERS * COUNT
  const task: SenderTask = { urls: faulty.urls, directory, senders, count: COUNT, prefix: 'f-', to: SINK, transport: 'cluster' }
  const start = (): Child => {
    const child = program.start([JSON.stringify(task)])
    children.push(child)
    return child
  }
  const told: Told[] = []
  const started = performance.now()
  for (let life = 0; life < KILLS; life++) {
    const child = start()
    // A life ends after a share of the sends that is new in it; sends that ended in an earlier life are told again.
    const share = ((life + faulty.random.below(1_000) / 1_000) / KILLS) * total * 0.9
    for (let turn = 1; turn <= TURNS_A_LIFE; turn++) {
      const isHalt = life === HALTING_LIFE && turn === TURNS_A_LIFE
      await faulty.beginTurn(isHalt ? 'halt' : 'ordinary')
      if (isHalt) {
        await faulty.requests(30)
        await faulty.endTurn()
      }
      const goal = Math.floor((share * turn) / TURNS_A_LIFE)
      await child.until(`${goal} ended sends`, (lines) => lines.length > goal)
      if (turn < TURNS_A_LIFE) await faulty.endTurn()
    }
    await child.end('SIGKILL')
    expect(child.errors).toBe('')
    told.push(toldBy(child.lines))
    await faulty.endTurn()
  }
  const last = start()
  await faulty.beginTurn()
  expect(await last.ended()).toBe(0)
  expect(last.errors).toBe('')
  const seconds = Math.round((performance.now() - started) / 1_000)
  await faulty.endTurn()
  const final = toldBy(last.lines)
  expect(final.size).toBe(total)
  const { client } = faulty.network.validators[0]!
  const reasons = await expectOnceOrReason(client, { senders, count: COUNT, told: [...told, final], sink: SINK })
  if (isLong) console.info(JSON.stringify({ seed, seconds, injected: [...faulty.injected], reasons: [...reasons] }))
})
