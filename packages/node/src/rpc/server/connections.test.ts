import type { Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { afterEach, describe, expect, it } from 'vitest'
import { ManualClock } from '../../../test/clock.ts'
import { type ClientConnection, Connections } from './connections.ts'

const LIMITS = { connectionsMax: 8, connectionsPerRemoteMax: 6, heldBytesMax: 1_000, sweepMs: 1_000_000 }
const all: Connections[] = []

function open(isProxy: (address: string) => boolean = () => false) {
  const clock = new ManualClock()
  const connections = new Connections(() => LIMITS, clock, isProxy)
  all.push(connections)
  /** A connection from an address; undefined if it is refused. */
  const connect = (remoteAddress: string): ClientConnection | undefined => {
    clock.advance(1)
    const socket = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() })
    const given = Object.assign(socket, { remoteAddress, bytesRead: 0, setTimeout: () => {} }) as unknown as Socket
    connections.accept(given)
    return connections.of(given)
  }
  const isOpen = (connection: ClientConnection | undefined) =>
    connection !== undefined && connections.of(connection.socket) !== undefined
  return { connections, connect, isOpen, clock }
}

afterEach(() => {
  for (const connections of all.splice(0)) connections.close()
})

describe('if there are too many connections', () => {
  it('the longest idle one of the clients with the most is closed for a client that has none', () => {
    const { connect, isOpen } = open()
    const many = Array.from({ length: 8 }, (_, i) => connect(`192.0.2.${i}`))
    // The first one is at work, and the second one has a subscription.
    many[0]!.running = 1
    many[1]!.subscriptions = 1
    expect(isOpen(connect('198.51.100.1'))).toBe(true)
    expect(many.map(isOpen)).toEqual([true, true, false, true, true, true, true, true])
  })

  it('one with only subscriptions is closed if none is idle, and one at work if there is no such one', () => {
    const { connect, isOpen } = open()
    const many = Array.from({ length: 8 }, (_, i) => connect(`192.0.2.${i}`))
    for (const one of many) one!.running = 1
    many[5]!.running = 0
    many[5]!.subscriptions = 1
    const next = connect('198.51.100.1')
    expect([isOpen(next), isOpen(many[5])]).toEqual([true, false])
    next!.running = 1
    // A client with one connection does not lock out another client that has none.
    expect(isOpen(connect('198.51.100.2'))).toBe(true)
    expect(isOpen(many[0])).toBe(false)
  })

  it('a client with as many as any other does not displace one that is at work', () => {
    const { connect, isOpen } = open()
    const [own, ...others] = Array.from({ length: 8 }, (_, i) => connect(`192.0.2.${i >> 1}`))
    for (const one of [own, ...others]) one!.running = 1
    expect(connect('192.0.2.0')).toBeUndefined()
    expect([own, ...others].every(isOpen)).toBe(true)
  })

  it('addresses of one IPv6 /64 count as one client', () => {
    const { connect, isOpen } = open()
    const site = Array.from({ length: 8 }, (_, i) => connect(`2001:db8::${i + 1}`))
    // Two were above the limit of one client: its longest idle ones were closed.
    expect(site.map(isOpen)).toEqual([false, false, true, true, true, true, true, true])
    for (const one of site) one!.running = 1
    expect(isOpen(connect('2001:db8:0:1::1'))).toBe(true)
    expect(isOpen(connect('2001:db8:0:2::1'))).toBe(true)
    expect(isOpen(connect('2001:db8:0:3::1'))).toBe(true)
    expect(site.filter(isOpen)).toHaveLength(5)
  })

  it('connections of a trusted proxy have no limit per address', () => {
    const { connect, isOpen } = open((address) => address === '10.0.0.1')
    expect(Array.from({ length: 8 }, () => connect('10.0.0.1')).every(isOpen)).toBe(true)
  })
})

describe('if connections hold too much memory', () => {
  it('those of the client that holds the most in total are closed, not the largest single one', () => {
    const { connections, connect, isOpen } = open()
    const many = Array.from({ length: 6 }, () => connect('192.0.2.1'))
    for (const one of many) one!.workBytes = 200
    const honest = connect('198.51.100.1')
    honest!.workBytes = 400
    connections.makeRoom()
    expect(isOpen(honest)).toBe(true)
    expect(many.filter(isOpen)).toHaveLength(3)
  })

  it('those that have held it longest are closed', () => {
    const { connections, connect, isOpen } = open()
    const slow = Array.from({ length: 5 }, (_, i) => connect(`192.0.2.${i}`))
    for (const one of slow) one!.workBytes = 190
    for (let i = 0; i < 10; i++) connections.makeRoom()
    const honest = connect('198.51.100.1')
    honest!.workBytes = 600
    connections.makeRoom()
    expect(isOpen(honest)).toBe(true)
    expect(slow.filter(isOpen)).toHaveLength(2)
    // A connection that held nothing in between counts from the start again.
    honest!.workBytes = 0
    connections.makeRoom()
    honest!.workBytes = 700
    connections.makeRoom()
    expect(isOpen(honest)).toBe(true)
  })
})
