import { rm } from 'node:fs/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { Bundle, type Child, temporaryDirectory } from '../../packages/sdk/test/child.ts'
import { account, Network } from '../e2e/harness.ts'
import { includedSends } from './included.ts'
import type { SenderTask } from './sender.ts'

const SINK = '0x00000000000000000000000000000000dead0001'
const COUNT = 30

let network: Network
let program: Bundle
let directory: string
const children: Child[] = []
beforeAll(async () => {
  network = await Network.start({ parameters: { blockIntervalMs: 100, heartbeatIntervalMs: 250 } })
  program = await Bundle.make(new URL('./sender.ts', import.meta.url))
  directory = await temporaryDirectory()
})
afterAll(async () => {
  await Promise.all(children.map((child) => child.end()))
  await Promise.all([network?.close(), program?.remove(), rm(directory, { recursive: true, force: true })])
})

it('sends through a network whose nodes and whose client die', { timeout: 240_000 }, async () => {
  const task: SenderTask = {
    ...{ urls: network.validators.map(({ url }) => url), directory, senders: [0, 1], count: COUNT, prefix: 'n-', to: SINK },
  }
  const start = (): Child => {
    const child = program.start([JSON.stringify(task)])
    children.push(child)
    return child
  }
  const first = start()
  await first.until('its first sends', (lines) => lines.length > 5)
  // The node that has its transactions, and then the client itself.
  const [node] = network.validators
  await node!.kill()
  await first.until('more sends', (lines) => lines.length > 15)
  await first.end('SIGKILL')
  expect(first.errors).toBe('')
  const second = start()
  await node!.start()
  expect(await second.ended()).toBe(0)
  expect(second.errors).toBe('')
  const included = await includedSends(network.validators[1]!.client, SINK)
  const lines = second.lines.filter((line) => line !== 'ready')
  expect(lines).toHaveLength(2 * COUNT)
  for (const line of lines) {
    const [sender, k, ...rest] = line.split(' ')
    const hashes = included.get(`${account(Number(sender)).address.toLowerCase()} ${Number(k) + 1}`) ?? []
    expect([line, hashes.length]).toEqual([`${sender} ${k} included ${hashes[0]}`, 1])
    expect(rest).toEqual(['included', hashes[0]])
  }
})
