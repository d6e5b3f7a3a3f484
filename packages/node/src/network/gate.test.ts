import { describe, expect, it } from 'vitest'
import { ManualClock } from '../../test/clock.ts'
import { createCounters } from './counters.ts'
import { Gate } from './gate.ts'
import { NETWORK_LIMITS } from './limits.ts'
import type { Resolve } from './names.ts'
import { Timers } from './timers.ts'

const self = '12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp'
const peer = '12D3KooWSahP5pFRCEfaziPEba7urXGeif6T1y8jmodzdFUvzBHj'
const stranger = '12D3KooWGzBWv9uHKZVYyuzQyJYdR7vkyXPRgdDBhJPqDmWmLJPh'

function world(resolve?: Resolve, addresses: readonly string[] = ['/ip4/10.0.0.2/tcp/26656']) {
  const told: string[] = []
  const counters = createCounters()
  const clock = new ManualClock()
  const logger = {
    debug() {},
    info() {},
    warn: (fields: object, message: string) => told.push(`${JSON.stringify(fields)} ${message}`),
  }
  const gate = new Gate({ self, limits: NETWORK_LIMITS, counters, clock, timers: new Timers(clock), logger, resolve })
  gate.admit([{ peerId: peer, addresses }])
  const begins = (ip: string | undefined) => gate.begins({ abort() {}, addEventListener() {} }, ip)
  return { told, counters, clock, gate, begins }
}

const nobody: Resolve = () => Promise.reject(new Error('no such name'))

it('lets a registered node in from any address: its id decides', () => {
  const { gate, begins, counters, told } = world()
  expect([begins('203.0.113.9'), begins(undefined), gate.allowsPeer(peer)]).toEqual([true, true, true])
  expect([counters.refusedByIp, counters.refusedById, told]).toEqual([0, 0, []])
})

it('refuses and names a peer that is not registered, or banned, each once a while', () => {
  const { gate, counters, told } = world()
  for (let i = 0; i < 4; i++) expect(gate.penalise(peer, 'malformed')).toBe(i === 3)
  told.length = 0
  for (let i = 0; i < 3; i++) expect([gate.allowsPeer(stranger), gate.allowsPeer(peer)]).toEqual([false, false])
  expect(counters.refusedById).toBe(6)
  expect(told).toEqual([
    `{"who":"${stranger}"} connection refused: the peer is not in the chain's registry of nodes`,
    `{"who":"${peer}"} connection refused: the peer is temporarily banned`,
  ])
})

it('keeps nobody away for gossip, and scores nothing that was sent before its ban', () => {
  const { gate, counters, clock } = world()
  for (let i = 0; i < 3; i++) gate.penaliseGossip(peer, 'malformed')
  expect([gate.score(peer), gate.gossipBannedMs(peer)]).toEqual([-75, 0])
  for (let i = 0; i < 6; i++) gate.penaliseGossip(peer, 'malformed')
  expect([counters.penalties, counters.gossipBans, gate.score(peer)]).toEqual([4, 1, 0])
  expect([gate.gossipBannedMs(peer), gate.allows(peer), counters.bans]).toEqual([NETWORK_LIMITS.banMs, true, 0])
  clock.advance(NETWORK_LIMITS.banMs)
  gate.penaliseGossip(peer, 'malformed', 0)
  expect([gate.gossipBannedMs(peer), gate.score(peer), counters.penalties]).toEqual([0, 0, 4])
})

it('refuses other addresses where that is wanted', () => {
  const { begins, counters, told } = world(nobody)
  expect([begins('10.0.0.2'), begins('203.0.113.9'), begins(undefined)]).toEqual([true, false, false])
  expect([counters.refusedByIp, told.length]).toEqual([2, 2])
})

it('lets a node that is registered by name come from the addresses of its name, and nobody else', async () => {
  const { begins } = world(async () => ['203.0.113.9'], ['/dns4/validator-2.example.org/tcp/26656'])
  expect(begins('203.0.113.9')).toBe(false)
  await new Promise((resolve) => setImmediate(resolve))
  expect([begins('203.0.113.9'), begins('203.0.113.10')]).toEqual([true, false])
})

describe('strangers that take every handshake slot', () => {
  const { handshakesCountMax, handshakesPerAddressMax } = NETWORK_LIMITS
  const fill = ({ begins }: ReturnType<typeof world>) => {
    let taken = 0
    for (let i = 0; i < 40; i++) for (let j = 0; j < handshakesPerAddressMax; j++) taken += Number(begins(`203.0.113.${i}`))
    expect(taken).toBe(handshakesCountMax)
  }

  it('do not take the slots of listed addresses, with the filter off', () => {
    const strangers = world()
    fill(strangers)
    for (let i = 0; i < handshakesPerAddressMax; i++) expect(strangers.begins('10.0.0.2')).toBe(true)
    expect([strangers.begins('10.0.0.2'), strangers.begins('127.0.0.1')]).toEqual([false, false])
  })

  it('do not take the slots of a listed node that proved its identity from an unlisted address', () => {
    const strangers = world(undefined, ['/dns4/validator-2.example.org/tcp/26656'])
    const { gate, begins } = strangers
    gate.proved(peer, '198.51.100.7')
    fill(strangers)
    expect([begins('198.51.100.7'), begins('198.51.100.8')]).toEqual([true, false])
    gate.proved(peer, '198.51.100.8')
    expect([begins('198.51.100.7'), begins('198.51.100.8')]).toEqual([false, true])
    gate.admit([])
    expect(begins('198.51.100.8')).toBe(false)
  })
})

it('refuses a peer that connects too often', () => {
  const { gate, clock, told } = world()
  const { sessionsBurstMax, sessionMsMin } = NETWORK_LIMITS
  for (let i = 0; i < sessionsBurstMax; i++) expect(gate.allowsSession(peer)).toBe(true)
  expect(gate.allowsSession(peer)).toBe(false)
  expect(told).toEqual([`{"who":"${peer}"} connection refused: the peer connects too often`])
  clock.advance(sessionMsMin)
  expect([gate.allowsSession(peer), gate.allowsSession(peer)]).toEqual([true, false])
})
