import { describe, expect, it } from 'vitest'
import { judge, type Round } from './judge.ts'
import type { Observation } from './messages.ts'
import { intervalsIn, median, quantile } from './statistics.ts'
import { Timeline } from './timeline.ts'

const PLAIN = { intervalRatio: 1.25, transferRatio: 2, blocksMore: 2, noiseMs: 20, probesLostMax: 0.05, readsLostMax: 0.05 }
const JUDGED = { growthMbMax: 100, lanes: ['far'], reads: true, fillsBlocks: false } as const

/** A chain that makes a block every `everyMs`, with an honest user whose transfers take `transferMs`. */
function quiet(from: number, to: number, everyMs: number, transferMs: number, rssBytes = 200e6): readonly Observation[] {
  const observations: Observation[] = []
  for (let at = from; at < to; at += everyMs) observations.push({ kind: 'head', at, node: 3, height: at / everyMs })
  for (let at = from; at < to; at += transferMs) {
    observations.push({ kind: 'sent', at, lane: 'far', id: at, head: Math.floor(at / everyMs) })
    observations.push({
      kind: 'transfer',
      at: at + transferMs,
      lane: 'far',
      id: at,
      ms: transferMs,
      height: Math.ceil((at + transferMs) / everyMs),
    })
    observations.push({ kind: 'read', at, lane: 'near', method: 'eth_call', ms: 3 })
    for (const node of [0, 3]) observations.push({ kind: 'probe', at, node, ms: 1 })
    observations.push({ kind: 'process', at, node: 0, rssBytes, cpuMs: at / 10 })
  }
  return observations
}

const figuresOf = (observations: readonly Observation[], from: number, to: number) => {
  const timeline = new Timeline()
  for (const observation of observations) timeline.add(observation)
  return timeline.figures({ from, to }, { observer: 3, attacked: [0] }, to)
}

const roundOf = (attack: readonly Observation[]): Round => {
  const all = [...quiet(0, 5_000, 500, 500), ...attack, ...quiet(10_000, 15_000, 500, 500)]
  const [before, during, after] = [figuresOf(all, 0, 5_000), figuresOf(all, 5_000, 10_000), figuresOf(all, 10_000, 15_000)]
  return { before, during, after, ended: [] }
}

const broken = (attack: readonly Observation[]): readonly string[] =>
  judge([roundOf(attack)], JUDGED, PLAIN).flatMap(({ what, isKept }) => (isKept ? [] : [what]))

describe('statistics', () => {
  it('takes the middle value, and that below which a share lies', () => {
    expect(median([])).toBeUndefined()
    expect(median([3, 1, 2])).toBe(2)
    expect(median([4, 1, 2, 3])).toBe(2.5)
    expect(quantile([3, 1, 2], 1)).toBe(3)
    expect(quantile([3, 1, 2], 0)).toBe(1)
  })

  it('counts the gaps between events in a span', () => {
    expect(intervalsIn({ from: 100, to: 200 }, [90, 110, 130, 150, 170, 190, 250])).toEqual({ count: 5, meanMs: 20, maxMs: 20 })
  })

  it('counts a standstill that no event begins or ends', () => {
    expect(intervalsIn({ from: 100, to: 200 }, [110, 120])).toEqual({ count: 2, meanMs: 45, maxMs: 80 })
    expect(intervalsIn({ from: 100, to: 200 }, [180, 190])).toEqual({ count: 2, meanMs: 45, maxMs: 80 })
    expect(intervalsIn({ from: 100, to: 200 }, [90, 170])).toEqual({ count: 1, meanMs: 50, maxMs: 70 })
    expect(intervalsIn({ from: 100, to: 200 }, [])).toEqual({ count: 0, meanMs: 100, maxMs: 100 })
  })
})

describe('the judgement', () => {
  it('finds nothing where an attack changed nothing', () => {
    expect(broken(quiet(5_000, 10_000, 500, 500))).toEqual([])
  })

  it('finds slow blocks', () => {
    expect(broken(quiet(5_000, 10_000, 700, 500))).toEqual(['mean block interval during the attack, ms'])
  })

  it('finds a chain that stopped, and a transfer that never became final', () => {
    const stuck = { kind: 'sent', at: 5_000, lane: 'far', id: -1, head: 9 } as const
    expect(broken([stuck, ...quiet(9_900, 10_000, 500, 500)])).toContain('mean block interval during the attack, ms')
    expect(broken([stuck])).toEqual([
      'mean block interval during the attack, ms',
      'p50 of far transfers during the attack, ms',
      'share of /health probes without answer',
      'share of honest reads without answer',
    ])
  })

  it('counts a transfer that was stuck through a whole phase as that phase’s', () => {
    const all = [{ kind: 'sent', at: 4_900, lane: 'far', id: 1, head: 9 } as const, ...quiet(10_000, 11_000, 500, 500)]
    expect(figuresOf(all, 5_000, 10_000).transfers.far).toMatchObject({ count: 1, pending: 1, p50Ms: 5_100 })
  })

  it('finds slow transfers, memory, and lost answers', () => {
    const lost = Array.from({ length: 5 }, (_, i): readonly Observation[] => [
      { kind: 'probe', at: 5_000 + i, node: 0, ms: undefined },
      { kind: 'read', at: 5_000 + i, lane: 'near', method: 'eth_call', ms: undefined },
    ]).flat()
    expect(broken([...quiet(5_000, 10_000, 500, 1_250, 400e6), ...lost])).toEqual([
      'p50 of far transfers during the attack, ms',
      'growth of memory, MB',
      'share of /health probes without answer',
      'share of honest reads without answer',
    ])
  })

  it('counts in blocks what transfers wait while an attack fills them', () => {
    const judged = { ...JUDGED, fillsBlocks: true }
    const waits = (attack: readonly Observation[]) =>
      judge([roundOf(attack)], judged, PLAIN).filter(({ what }) => what.startsWith('blocks that far'))
    // Blocks are four times as slow, and the transfer is in the next one as before.
    expect(waits(quiet(5_000, 10_000, 2_000, 2_000)).map(({ isKept }) => isKept)).toEqual([true, true])
    // Blocks are as fast as before, and each transfer is in the fifth.
    expect(waits(quiet(5_000, 10_000, 500, 2_500))).toMatchObject([
      { found: 5, allowed: 3, isKept: false },
      { found: 1, isKept: true },
    ])
    const stuck = { kind: 'sent', at: 5_000, lane: 'far', id: -1, head: 9 } as const
    const heads = quiet(5_000, 10_000, 500, 500).filter(({ kind }) => kind === 'head')
    expect(waits([stuck, ...heads])[0]).toMatchObject({ isKept: false })
  })

  it('counts sessions that ended at any node', () => {
    const gauges = (at: number, node: number, disconnects: number): Observation => ({
      ...{ kind: 'gauges', at, node, disconnects },
      ...{ loopMaxMs: 0, finalityMs: 0, poolTransactions: 0, peers: 3 },
    })
    const all = [gauges(10, 0, 7), gauges(10, 1, 2), gauges(20, 0, 9), gauges(20, 1, 5)]
    const during = figuresOf(all, 0, 100)
    expect(during.disconnects).toBe(5)
    const findings = judge([{ ...roundOf([]), during }], { ...JUDGED, disconnectsMax: 4 }, PLAIN)
    expect(findings.find(({ what }) => what === 'sessions of peers that ended')).toMatchObject({ found: 5, isKept: false })
  })

  it('looks at /health of attacked nodes alone', () => {
    const all = [0, 3].map((node): Observation => ({ kind: 'probe', at: 10, node, ms: node === 0 ? undefined : 1 }))
    expect(figuresOf(all, 0, 100)).toMatchObject({ probes: 1, probesLost: 1 })
  })

  it('takes the median over rounds, and every validator that ended', () => {
    const slow = roundOf(quiet(5_000, 10_000, 2_000, 500))
    const well = roundOf(quiet(5_000, 10_000, 500, 500))
    expect(judge([well, slow, well], JUDGED, PLAIN).every(({ isKept }) => isKept)).toBe(true)
    expect(judge([well, slow, slow], JUDGED, PLAIN).every(({ isKept }) => isKept)).toBe(false)
    const ended = { ...well, ended: ['validator-2'] }
    expect(judge([well, ended, well], JUDGED, PLAIN).find(({ isKept }) => !isKept)?.what).toBe('validators that ended')
  })
})
