import { describe, expect, it } from 'vitest'
import { ManualClock } from '../../test/clock.ts'
import { type AdmittedNode, admissionList } from './admission.ts'
import { Dialer } from './dialer.ts'
import { NETWORK_LIMITS } from './limits.ts'
import { Timers } from './timers.ts'

const lesser = '12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp'
const greater = '12D3KooWSahP5pFRCEfaziPEba7urXGeif6T1y8jmodzdFUvzBHj'

function setUp(self: string, peer: string) {
  const clock = new ManualClock()
  const timers = new Timers(clock)
  const dials: { readonly at: number; readonly signal: AbortSignal; resolve(): void; reject(error: Error): void }[] = []
  const held = { ms: 0 }
  const dialer = new Dialer({
    self,
    limits: NETWORK_LIMITS,
    timers,
    random: () => 0,
    dial: (_, signal) =>
      new Promise((resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason))
        dials.push({ at: clock.monotonic(), signal, resolve, reject })
      }),
    heldMs: () => held.ms,
    failed: () => {},
  })
  const nodes: ReadonlyMap<string, AdmittedNode> = admissionList(
    [{ peerId: peer, addresses: ['/ip4/127.0.0.1/tcp/1'] }],
    self,
    8,
  ).nodes
  /** Lets the result of a dial arrive. */
  const settle = () => new Promise<void>((resolve) => setImmediate(resolve))
  return { clock, timers, dials, held, dialer, nodes, settle }
}

describe('dialer', () => {
  it('dials at once with the lesser id, after a head start with the greater', () => {
    const first = setUp(lesser, greater)
    first.dialer.set(first.nodes)
    first.clock.advance(0)
    expect(first.dials.length).toBe(1)
    const second = setUp(greater, lesser)
    second.dialer.set(second.nodes)
    second.clock.advance(NETWORK_LIMITS.dialHeadStartMs - 1)
    expect(second.dials.length).toBe(0)
    second.clock.advance(1)
    expect(second.dials.length).toBe(1)
  })

  it('waits longer after each failure, up to the limit', async () => {
    const { dialer, nodes, clock, dials, settle } = setUp(lesser, greater)
    dialer.set(nodes)
    clock.advance(0)
    for (let i = 0; i < 7; i++) {
      dials.at(-1)!.reject(new Error('refused'))
      await settle()
      const before = dials.length
      for (let ms = 0; ms < 10_000 && dials.length === before; ms += 125) clock.advance(125)
    }
    expect(dials.map(({ at }, i) => at - (dials[i - 1]?.at ?? 0))).toEqual([0, 125, 250, 500, 1_000, 2_000, 2_500, 2_500])
  })

  it('gives a dial up after its time', async () => {
    const { dialer, nodes, clock, dials } = setUp(lesser, greater)
    dialer.set(nodes)
    clock.advance(0)
    clock.advance(NETWORK_LIMITS.dialMsMax)
    expect(dials[0]!.signal.aborted).toBe(true)
  })

  it('rests while connected, and dials again when the connection is gone', async () => {
    const { dialer, nodes, clock, dials, settle } = setUp(lesser, greater)
    dialer.set(nodes)
    clock.advance(0)
    dialer.connected(greater)
    dials[0]!.resolve()
    await settle()
    clock.advance(60_000)
    expect(dials.length).toBe(1)
    dialer.disconnected(greater, 60_000)
    clock.advance(0)
    expect(dials.length).toBe(2)
  })

  it('counts a connection that did not last as a failure', async () => {
    const { dialer, nodes, clock, dials, settle } = setUp(lesser, greater)
    dialer.set(nodes)
    clock.advance(0)
    dialer.connected(greater)
    dials[0]!.resolve()
    await settle()
    dialer.disconnected(greater, 10)
    clock.advance(124)
    expect(dials.length).toBe(1)
    clock.advance(1)
    expect(dials.length).toBe(2)
  })

  it('leaves a banned peer alone until the ban is over', () => {
    const { dialer, nodes, clock, dials, held } = setUp(lesser, greater)
    held.ms = 5_000
    dialer.set(nodes)
    clock.advance(4_999)
    held.ms = 1
    expect(dials.length).toBe(0)
    held.ms = 0
    clock.advance(1)
    expect(dials.length).toBe(1)
  })

  it('aborts and forgets a peer that leaves the list, and everything at the end', async () => {
    const { dialer, nodes, clock, dials } = setUp(lesser, greater)
    dialer.set(nodes)
    clock.advance(0)
    dialer.set(new Map())
    expect(dials[0]!.signal.aborted).toBe(true)
    dialer.set(nodes)
    clock.advance(0)
    expect(dials.length).toBe(2)
    await dialer.stop()
    expect(dials[1]!.signal.aborted).toBe(true)
    clock.advance(60_000)
    expect(dials.length).toBe(2)
  })
})
