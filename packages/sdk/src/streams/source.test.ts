import { type Client, createClient, custom } from 'viem'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { streamBlocks } from './actions.ts'

beforeEach(() => vi.useFakeTimers())
afterEach(() => vi.useRealTimers())

const head = { height: 7, hash: `0x${'07'.repeat(32)}`, time: 7_000 }

/** A node that answers a question as it likes, and counts the questions. */
function nodeOf(answer: () => object | Promise<object>) {
  const node = { asked: 0 }
  const request = async (): Promise<object> => {
    node.asked += 1
    return answer()
  }
  return { node, client: createClient({ transport: custom({ request } as never) }) as Client }
}

/** Reads until the test ends, for so long. */
async function readFor(client: Client, ms: number): Promise<void> {
  const stop = new AbortController()
  const reading = (async () => {
    for await (const _ of streamBlocks(client, { after: 'abc', signal: stop.signal })) throw new Error('there is no block')
  })()
  const ended = expect(reading).rejects.toThrow('enough')
  await vi.advanceTimersByTimeAsync(ms)
  stop.abort(new Error('enough'))
  await ended
}

it('a node that answers at once and has nothing, as a cache does, is asked four times a second', async () => {
  const { node, client } = nodeOf(() => ({ cursor: 'abc', height: 7, isWithin: false, head, items: [] }))
  await readFor(client, 10_000)
  expect(node.asked).toBeGreaterThan(30)
  expect(node.asked).toBeLessThan(50)
})

it('one that moves on without items is asked on at once', async () => {
  let at = 0
  const { node, client } = nodeOf(() => {
    // After a thousand blocks it waits.
    if (at === 1_000) return new Promise<never>(() => undefined)
    at += 1
    return { cursor: `abc${at}`, height: at, isWithin: false, head, items: [] }
  })
  await readFor(client, 100)
  expect(node.asked).toBe(1_001)
})
