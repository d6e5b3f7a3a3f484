import { expect, it } from 'vitest'
import { judge, soak } from '../../scripts/bench/lib/soak.mjs'
import { freePorts } from './ports.ts'

interface Sample {
  readonly height: number
  readonly rss: readonly number[]
  readonly heap: readonly number[]
  readonly rpcHeap: readonly number[]
  readonly handles: readonly number[]
  readonly restarts: readonly number[]
  readonly latencyMs: number
}

const isLong = process.env['QUOIN_TEST_LONG'] !== undefined
const MEGABYTE = 2 ** 20

it('under a steady load with small heaps nothing grows', { timeout: 600_000 }, async () => {
  const rpcPort = await freePorts(8)
  const { samples, findings } = (await soak({ minutes: isLong ? 3 : 0.2, rpcPort, p2pPort: rpcPort + 4 })) as {
    samples: readonly Sample[]
    findings: readonly string[]
  }
  expect(samples.at(-1)!.height).toBeGreaterThan(samples[0]!.height)
  expect(samples.at(-1)!.restarts).toEqual([0, 0, 0, 0])
  // A young process still grows.
  if (isLong) expect(findings).toEqual([])
})

it('what grows is found', () => {
  const four = (value: number) => [value, value, value, value]
  const steady = Array.from({ length: 9 }, (_, i): Sample => {
    const memory = four(200 * MEGABYTE + (i % 2) * MEGABYTE)
    return { height: i, rss: memory, heap: memory, rpcHeap: memory, handles: four(50), restarts: four(0), latencyMs: 300 }
  })
  expect(judge(steady)).toEqual([])
  const grows = (change: (sample: Sample, i: number) => Partial<Sample>) =>
    (judge(steady.map((sample, i) => ({ ...sample, ...change(sample, i) }))) as readonly string[]).join('\n')
  expect(grows(({ rss }, i) => ({ rss: rss.map((bytes, node) => bytes + (node === 1 ? i * 20 * MEGABYTE : 0)) }))).toBe(
    'rss of validator 2 grew from 280 to 341 MB',
  )
  expect(grows((_, i) => ({ handles: [50, 50, 50, 50 + 10 * i] }))).toContain('handles of validator 4 grew')
  expect(grows((_, i) => ({ latencyMs: i < 6 ? 300 : 600 }))).toContain('receipts came after 300 ms, then after 600 ms')
  expect(grows(() => ({ restarts: [0, 0, 1, 0] }))).toBe('the RPC thread of validator 3 died')
  expect(grows((_, i) => ({ height: Math.min(i, 3) }))).toBe('the chain stalled')
})
