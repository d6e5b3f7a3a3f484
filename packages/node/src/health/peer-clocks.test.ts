import { codec, type TimeMs } from '@quoin/protocol'
import { describe, expect, it } from 'vitest'
import { ManualClock } from '../../test/clock.ts'
import { type PeerId, TransportError } from '../powers.ts'
import { CLOCK_REQUEST, clockAnswerCodec } from './clock-messages.ts'
import { CLOCK_LIMITS, PeerClocks } from './peer-clocks.ts'

type Answer = (clock: ManualClock) => Uint8Array

/** A peer with this clock offset and round trip time. */
const peer =
  (offsetMs: number, thereMs = 0, backMs = thereMs): Answer =>
  (clock) => {
    clock.advance(thereMs)
    const answer = codec.encode(clockAnswerCodec, (clock.now() + offsetMs) as TimeMs)
    clock.advance(backMs)
    return answer
  }

function world(answers: Record<PeerId, Answer>) {
  const clock = new ManualClock()
  clock.advance(1_000_000_000)
  const penalties: PeerId[] = []
  const failures: unknown[] = []
  const clocks = new PeerClocks({
    clock,
    transport: {
      peers: () => Object.keys(answers),
      request: async (to, message) => {
        expect([...message]).toEqual([CLOCK_REQUEST])
        return answers[to]!(clock)
      },
      penalise: (id) => void penalties.push(id),
    },
    logger: { debug: () => {} },
    precisionMs: () => 500,
    onFailure: (error) => void failures.push(error),
  })
  return { clocks, clock, penalties, failures }
}

describe('the clocks of the peers', () => {
  it('are measured at half of the round trip', async () => {
    const { clocks } = world({ a: peer(5_000, 100) })
    await clocks.ask()
    expect([clocks.medianMs, clocks.peerCount]).toEqual([5_000, 1])
    expect(clocks.conditions()).toMatchObject([
      { code: 'clock-off', message: expect.stringContaining('5000 ms behind the median of 1') },
    ])
  })

  it('count by their median, so that a single peer cannot move it', async () => {
    const { clocks } = world({
      a: peer(10),
      b: peer(-20),
      c: () => codec.encode(clockAnswerCodec, Number.MAX_SAFE_INTEGER as TimeMs),
    })
    await clocks.ask()
    expect([clocks.medianMs, clocks.conditions()]).toEqual([10, []])
    const even = world({ a: peer(-600), b: peer(-601) })
    await even.clocks.ask()
    expect(even.clocks.conditions()).toMatchObject([
      { message: expect.stringMatching(/60[01] ms ahead of the median of 2 peers/) },
    ])
  })

  it('are clamped to a limit', async () => {
    const { clocks } = world({ a: () => codec.encode(clockAnswerCodec, Number.MAX_SAFE_INTEGER as TimeMs), b: peer(0) })
    await clocks.ask()
    expect(clocks.medianMs).toBe(CLOCK_LIMITS.offsetMsMax / 2)
  })

  it('do not count if the answer is late, malformed or missing, or the peer is gone', async () => {
    const answers: Record<PeerId, Answer> = { late: peer(9_000, CLOCK_LIMITS.roundTripMsMax), good: peer(1) }
    answers['malformed'] = () => Uint8Array.of(1, 2)
    answers['missing'] = () => {
      throw new TransportError('refused', 'no')
    }
    const { clocks, penalties, failures } = world(answers)
    await clocks.ask()
    expect([clocks.medianMs, clocks.peerCount, penalties, failures]).toEqual([1, 1, ['malformed'], []])
    delete answers['good']
    await clocks.ask()
    expect([clocks.medianMs, clocks.peerCount]).toEqual([undefined, 0])
  })

  it('are asked repeatedly until closed', async () => {
    let asked = 0
    const { clocks, clock } = world({
      a: (now) => {
        asked++
        return peer(0)(now)
      },
    })
    clock.advance(CLOCK_LIMITS.intervalMs)
    clock.advance(CLOCK_LIMITS.intervalMs)
    expect(asked).toBe(2)
    await clocks.close()
    clock.advance(10 * CLOCK_LIMITS.intervalMs)
    expect(asked).toBe(2)
  })
})
