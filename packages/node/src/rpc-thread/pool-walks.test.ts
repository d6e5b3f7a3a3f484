import type { Address, SignedTransaction } from '@quoin/protocol'
import { expect, it, vi } from 'vitest'
import type { PooledTransaction } from '../mempool/types.ts'
import type { PoolPage, Question } from './messages.ts'
import { PAGE_LIMITS, PoolPages } from './pool-pages.ts'
import { PoolWalks } from './pool-walks.ts'

const senderOf = (i: number) => `0x${i}` as Address

/** A pool of this many senders, with one transaction of each, whose bytes are its number. */
function poolOf(count: number, bytes = 4) {
  const all = Array.from({ length: count }, (_, i): PooledTransaction => {
    const raw = new Uint8Array(bytes)
    new DataView(raw.buffer).setUint32(0, i)
    return { transaction: { raw, sender: senderOf(i) } as SignedTransaction, isQueued: i % 3 === 0 }
  })
  return {
    *walk(sender?: Address) {
      for (const one of all) if (sender === undefined || one.transaction.sender === sender) yield one
    },
  }
}

const numberOf = ({ transaction: { raw } }: PooledTransaction): number => new DataView(raw.slice().buffer).getUint32(0)

/** Both ends of the walks, and how many pages were in flight at a time. */
function open(pool: ReturnType<typeof poolOf>) {
  const pages = new PoolPages(pool)
  const sent: PoolPage[] = []
  let inFlight = 0
  let inFlightMax = 0
  const ask = vi.fn(async ({ walk }: Extract<Question, { kind: 'pool-page' }>) => {
    inFlightMax = Math.max(inFlightMax, ++inFlight)
    await new Promise(setImmediate)
    inFlight--
    const page = structuredClone(pages.page(walk))
    sent.push(page)
    return page
  })
  const walks = new PoolWalks({ ask: ask as never }, ({ raw, sender }) => ({ raw, sender }) as SignedTransaction)
  return { pages, walks, sent, ask, inFlightMax: () => inFlightMax }
}

const client = (remote: string) => ({ remote, connection: 1 })

async function numbers(walk: AsyncIterable<PooledTransaction>): Promise<readonly number[]> {
  const found: number[] = []
  for await (const one of walk) {
    expect(one.isQueued).toBe(numberOf(one) % 3 === 0)
    expect(one.transaction.sender).toBe(senderOf(numberOf(one)))
    found.push(numberOf(one))
  }
  return found
}

const upTo = (count: number): readonly number[] => Array.from({ length: count }, (_, i) => i)

it.each([0, 1, PAGE_LIMITS.pageCountMax, PAGE_LIMITS.pageCountMax + 1, 1_000])(
  'a walk reads %i transactions, each once',
  async (count) => {
    const { walks, sent } = open(poolOf(count))
    expect(await numbers(walks.walk(undefined, client('a')))).toEqual(upTo(count))
    for (const { lengths } of sent) expect(lengths.length).toBeLessThanOrEqual(PAGE_LIMITS.pageCountMax)
    expect(await numbers(walks.walk(senderOf(count - 1), client('a')))).toEqual(count === 0 ? [] : [count - 1])
  },
)

it('a page has a limited number of bytes, except for its last transaction', async () => {
  const half = PAGE_LIMITS.pageBytes / 2 + 1
  const { walks, sent } = open(poolOf(5, half))
  expect(await numbers(walks.walk(undefined, client('a')))).toEqual(upTo(5))
  expect(sent.map(({ lengths }) => lengths.length)).toEqual([2, 2, 1])
  for (const { bytes } of sent) expect(bytes.length).toBeLessThanOrEqual(2 * half)
  const large = open(poolOf(3, 4 * PAGE_LIMITS.pageBytes))
  expect(await numbers(large.walks.walk(undefined, client('a')))).toEqual(upTo(3))
  expect(large.sent.map(({ lengths }) => lengths.length).slice(0, 3)).toEqual([1, 1, 1])
})

it('one walk over all runs at a time, with one page in flight; addresses take turns', async () => {
  const { walks, inFlightMax } = open(poolOf(500))
  const ended: string[] = []
  const run = async (remote: string) => {
    expect(await numbers(walks.walk(undefined, client(remote)))).toEqual(upTo(500))
    ended.push(remote)
  }
  await Promise.all([run('a'), run('a'), run('a'), run('b')])
  expect(inFlightMax()).toBe(1)
  // The one of the other address did not wait for all that came before it.
  expect(ended.indexOf('b')).toBeLessThan(3)
})

it('a walk that is given up, or fails, lets the next one begin, from the start', async () => {
  const { walks, ask } = open(poolOf(1_000))
  for await (const one of walks.walk(undefined, client('a'))) if (numberOf(one) === 300) break
  expect(await numbers(walks.walk(undefined, client('a')))).toEqual(upTo(1_000))
  ask.mockRejectedValueOnce(new Error('the node is busy'))
  await expect(numbers(walks.walk(undefined, client('a')))).rejects.toThrow('the node is busy')
  expect(await numbers(walks.walk(undefined, client('a')))).toEqual(upTo(1_000))
})

it('the walk of a new thread does not continue that of the old one', () => {
  const { pages } = open(poolOf(1_000))
  const first = pages.page({ over: 'all', isFirst: true })
  pages.clear()
  expect(pages.page({ over: 'all', isFirst: false })).toEqual(first)
})
