import { afterEach, describe, expect, it, vi } from 'vitest'
import { httpConnection } from '../rpc/http.ts'
import { ClusterNode } from './node-state.ts'
import { heightIn, LEAD_BLOCKS_MAX, quantity, Session } from './session.ts'

const nodesOf = (count: number) =>
  Array.from({ length: count }, () => new ClusterNode(httpConnection('http://localhost'), 1, { failuresMax: 2, restMs: 1 }))

describe('a session', () => {
  it('has the highest height of all nodes', () => {
    const nodes = nodesOf(2)
    const session = new Session(nodes)
    expect(session.minHeight).toBeUndefined()
    session.saw(nodes[0]!, 7)
    session.saw(nodes[1]!, 9)
    session.saw(nodes[1]!, 8)
    expect(session.minHeight).toBe(9)
  })

  it('believes an absurd height only while fewer than two other nodes speak against it', () => {
    const nodes = nodesOf(3)
    const [one, two, liar] = nodes as [ClusterNode, ClusterNode, ClusterNode]
    const session = new Session(nodes)
    session.saw(liar, 5 + LEAD_BLOCKS_MAX + 1)
    session.saw(one, 5)
    one.shows(5)
    expect(session.minHeight).toBe(5 + LEAD_BLOCKS_MAX + 1)
    two.shows(4)
    expect(session.minHeight).toBe(5)
    two.shows(6)
    expect(session.minHeight).toBe(5 + LEAD_BLOCKS_MAX + 1)
  })
})

describe('beside one other node', () => {
  afterEach(() => vi.useRealTimers())

  it('a height is not believed that the chain cannot have reached since what was seen, until it can', () => {
    vi.useFakeTimers({ toFake: ['Date'] })
    const nodes = nodesOf(2)
    const [honest, liar] = nodes as [ClusterNode, ClusterNode]
    const session = new Session(nodes)
    session.saw(honest, 1_000)
    // While no other node answers, it is.
    session.saw(liar, 20_000)
    expect(session.minHeight).toBe(20_000)
    honest.shows(1_000)
    expect(session.minHeight).toBe(1_000)
    expect(session.isCredible(liar, 1_000 + LEAD_BLOCKS_MAX)).toBe(true)
    // A laptop that slept for a night.
    vi.advanceTimersByTime(8 * 3_600_000)
    honest.shows(1_000)
    expect(session.isCredible(liar, 20_000)).toBe(true)
    expect(session.isCredible(liar, 1_000_000_000)).toBe(false)
  })
})

describe('heightIn', () => {
  it.each([
    ['eth_blockNumber', '0x10', 16],
    ['eth_getBlockByNumber', { number: '0x7', hash: '0xab' }, 7],
    ['eth_getBlockByHash', { number: '0x7', hash: '0xab' }, 7],
    ['eth_getTransactionReceipt', { blockNumber: '0x7' }, 7],
    ['eth_sendRawTransactionSync', { blockNumber: '0x7' }, 7],
    ['eth_getLogs', [{ blockNumber: '0x6' }, { blockNumber: '0x7' }], 7],
    ['eth_getBlockByNumber', { number: '0x8', hash: null }, undefined],
    ['eth_getTransactionByHash', { blockNumber: null, hash: '0xab' }, undefined],
    ['eth_getLogs', [], undefined],
    ['eth_getBalance', '0x10', undefined],
    ['eth_call', { number: '0x7' }, undefined],
    ['eth_getTransactionReceipt', null, undefined],
  ])('%s %j: %s', (method, result, height) => {
    expect(heightIn(method, result)).toBe(height)
  })
})

it.each([[7], ['7'], ['0x'], ['0xzz'], ['0x1fffffffffffff'.concat('f')], [null], [`0x${'f'.repeat(14)}`]])(
  'quantity(%j) is no height',
  (value) => {
    expect(quantity(value)).toBeUndefined()
  },
)
