import { nobleCrypto as crypto, type Evidence, type Height, proposalEvidence } from '@quoin/protocol'
import { describe, expect, it } from 'vitest'
import { openTestNode, testValidators } from '../../test/chain.ts'
import { ManualClock } from '../../test/clock.ts'
import { type Contradiction, testEvidence } from '../../test/evidence.ts'
import { decodeMessage } from '../engine/messages.ts'
import type { Offence, PeerId } from '../powers.ts'
import { EvidenceExchange } from './evidence-exchange.ts'
import { EvidencePool } from './evidence-pool.ts'
import { EVIDENCE_LIMITS } from './limits.ts'

const validators = testValidators(crypto, 4)
const strangers = testValidators(crypto, 1, 60)
const [first, second, third] = validators.set.validators.map(({ address }) => address) as [never, never, never]

async function setUp(blocks = 2) {
  const node = await openTestNode({ crypto, validators })
  for (let i = 0; i < blocks; i++) await node.produce()
  const clock = new ManualClock()
  const pool = await EvidencePool.open(node.kv, crypto)
  const sent: { readonly to: PeerId; readonly evidence: Evidence }[] = []
  const blamed: { readonly peer: PeerId; readonly offence: Offence }[] = []
  const transport = {
    peers: () => ['a', 'b', 'c'],
    send: (to: PeerId, bytes: Uint8Array) => {
      const decoded = decodeMessage(bytes)
      if (!decoded.ok || decoded.value.kind !== 'evidence') throw new Error('evidence is meant')
      sent.push({ to, evidence: decoded.value.evidence })
    },
    penalise: (peer: PeerId, offence: Offence) => void blamed.push({ peer, offence }),
  }
  const parts = { pool, chain: node.chain, state: node.kv, transport, clock, crypto, self: third, logger: node.log }
  const exchange = new EvidenceExchange(parts)
  const evidence = (of: Partial<Contradiction> = {}, by = validators) =>
    testEvidence(crypto, node.chain.domain, by, { validator: first, height: 2, ...of })
  return { node, clock, pool, sent, blamed, exchange, evidence }
}

describe('evidence that the engine found', () => {
  it('is kept and sent to all peers, once', async () => {
    const { exchange, evidence, sent, pool, node } = await setUp()
    exchange.found(evidence())
    exchange.found(evidence())
    expect(pool.size).toBe(1)
    expect(sent).toEqual(['a', 'b', 'c'].map((to) => ({ to, evidence: evidence() })))
    expect(node.log.lines.filter(({ level }) => level === 'warn')).toHaveLength(1)
  })

  it("of this node's own key is an error: another process uses it", async () => {
    const { exchange, evidence, node } = await setUp()
    exchange.found(evidence({ validator: third }))
    expect(node.log.lines.at(-1)).toMatchObject({ level: 'error', message: expect.stringContaining('another process') })
  })
})

describe('evidence that a peer sends', () => {
  it('is verified, kept, and sent to the other peers', async () => {
    const { exchange, evidence, sent, pool, blamed } = await setUp()
    exchange.received('b', evidence())
    expect(pool.size).toBe(1)
    expect(sent.map(({ to }) => to)).toEqual(['a', 'c'])
    exchange.received('a', evidence())
    exchange.received('a', evidence({ values: [5, 6] }))
    expect([sent.length, exchange.counters.verified, blamed.length]).toEqual([2, 1, 0])
  })

  it.each<[string, (made: (of?: Partial<Contradiction>, by?: typeof validators) => Evidence) => Evidence]>([
    [
      'a wrong signature',
      (made) => {
        const one = made()
        return one.kind === 'votes' ? { ...one, second: { ...one.second, signature: one.first.signature } } : one
      },
    ],
    ['a key that is in no set', (made) => made({ validator: strangers.set.validators[0]!.address }, strangers)],
    [
      'the name of another validator',
      (made) => {
        const one = made()
        return one.kind === 'votes'
          ? { ...one, first: { ...one.first, validator: second }, second: { ...one.second, validator: second } }
          : one
      },
    ],
    [
      'proposals that nobody signed',
      () => {
        const unsigned = {
          height: 2 as Height,
          round: 0 as never,
          polRound: undefined,
          proposer: first,
          signature: new Uint8Array(64),
        }
        const valueId = (n: number) => `0x${String(n).repeat(64)}` as never
        return proposalEvidence({ ...unsigned, valueId: valueId(1) }, { ...unsigned, valueId: valueId(2) })
      },
    ],
  ])('with %s is refused, and the peer pays', async (_what, make) => {
    const { exchange, evidence, sent, pool, blamed } = await setUp()
    exchange.received('b', make(evidence))
    expect([pool.size, sent]).toEqual([0, []])
    expect(blamed).toEqual([{ peer: 'b', offence: 'invalid' }])
  })

  it('of heights that consensus has not reached, or of height 0, is ignored: the node may only be behind', async () => {
    const { exchange, evidence, pool, blamed } = await setUp()
    exchange.received('b', evidence({ height: 4 }))
    exchange.received('b', evidence({ height: 0 }))
    expect([pool.size, blamed, exchange.counters.verified]).toEqual([0, [], 0])
    exchange.received('b', evidence({ height: 3 }))
    expect(pool.size).toBe(1)
  })

  it('costs no more signatures than its allowance, whatever it sends', async () => {
    const { exchange, evidence, clock } = await setUp()
    const one = evidence()
    const forged = (round: number): Evidence =>
      one.kind === 'votes'
        ? { ...one, first: { ...one.first, round: round as never }, second: { ...one.second, round: round as never } }
        : one
    for (let round = 1; round <= 500; round++) exchange.received('b', forged(round))
    expect(exchange.counters.verified).toBe(EVIDENCE_LIMITS.peerBurstCount)
    exchange.onPeer('b', 'down')
    exchange.onPeer('b', 'up')
    exchange.received('b', forged(1_000))
    expect(exchange.counters.verified).toBe(EVIDENCE_LIMITS.peerBurstCount)
    exchange.received('c', evidence())
    clock.advance(1_000)
    for (let round = 1; round <= 500; round++) exchange.received('b', forged(2_000 + round))
    expect(exchange.counters.verified).toBe(EVIDENCE_LIMITS.peerBurstCount + 1 + EVIDENCE_LIMITS.peerPerSecondCount)
  })

  it('of one key is verified a few times only', async () => {
    const { exchange, evidence, pool } = await setUp()
    for (let round = 0; round < 20; round++) exchange.received('b', evidence({ round }))
    expect(pool.size).toBe(EVIDENCE_LIMITS.perKeyCountMax)
    expect(exchange.counters.verified).toBe(EVIDENCE_LIMITS.perKeyCountMax)
  })
})

it('is sent to a peer that connects, and to all again now and then, because messages are lost', async () => {
  const { exchange, evidence, sent, clock } = await setUp()
  exchange.received('a', evidence())
  sent.length = 0
  exchange.onPeer('d', 'up')
  expect(sent).toEqual([{ to: 'd', evidence: evidence() }])
  clock.advance(EVIDENCE_LIMITS.resendMs)
  expect(sent.slice(1).map(({ to }) => to)).toEqual(['a', 'b', 'c'])
  exchange.close()
  clock.advance(EVIDENCE_LIMITS.resendMs)
  expect(sent).toHaveLength(4)
})
