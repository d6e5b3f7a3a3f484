import { expect, it } from 'vitest'
import { ManualClock } from '../../test/clock.ts'
import { admissionList } from './admission.ts'
import { createCounters } from './counters.ts'
import { gateOf } from './gate.ts'
import { RefusalLog } from './refusal-log.ts'

const self = '12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp'
const peer = '12D3KooWSahP5pFRCEfaziPEba7urXGeif6T1y8jmodzdFUvzBHj'

function world(filterByAddress: boolean) {
  const told: string[] = []
  const counters = createCounters()
  const list = admissionList([{ peerId: peer, addresses: ['/ip4/10.0.0.2/tcp/26656'] }], self, 8)
  const banned = new Set<string>()
  const refusals = new RefusalLog(new ManualClock(), {
    warn: (fields, message) => told.push(`${JSON.stringify(fields)} ${message}`),
  })
  const allows = (id: string) => list.nodes.has(id) && !banned.has(id)
  return { told, counters, banned, gate: gateOf({ list: () => list, allows, filterByAddress, counters, refusals }) }
}

it('lets a registered node in from any address: its id decides', () => {
  const { gate, counters, told } = world(false)
  expect([gate.allowsIp('203.0.113.9'), gate.allowsIp(undefined), gate.allowsPeer(peer)]).toEqual([true, true, true])
  expect([counters.refusedByIp, counters.refusedById, told]).toEqual([0, 0, []])
})

it('refuses and names a peer that is not registered, or banned, each once a while', () => {
  const { gate, counters, banned, told } = world(false)
  const stranger = '12D3KooWGzBWv9uHKZVYyuzQyJYdR7vkyXPRgdDBhJPqDmWmLJPh'
  banned.add(peer)
  for (let i = 0; i < 3; i++) expect([gate.allowsPeer(stranger), gate.allowsPeer(peer)]).toEqual([false, false])
  expect(counters.refusedById).toBe(6)
  expect(told).toEqual([
    `{"who":"${stranger}"} connection refused: the peer is not in the chain's registry of nodes`,
    `{"who":"${peer}"} connection refused: the peer is banned for a while`,
  ])
})

it('refuses other addresses where that is wanted', () => {
  const { gate, counters, told } = world(true)
  expect([gate.allowsIp('10.0.0.2'), gate.allowsIp('203.0.113.9'), gate.allowsIp(undefined)]).toEqual([true, false, false])
  expect([counters.refusedByIp, told.length]).toEqual([2, 2])
})
