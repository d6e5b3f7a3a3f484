import fc from 'fast-check'
import { expect, it } from 'vitest'
import { type Client, FairQueue } from './fair-queue.ts'

const drain = <T>(queue: FairQueue<T>): T[] => {
  const items: T[] = []
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) items.push(next.item)
  return items
}

it('turns go round among addresses, and among the connections of each', () => {
  const queue = new FairQueue<string>()
  const push = (remote: string, connection: number, ...items: string[]) => {
    for (const item of items) queue.push({ remote, connection }, item)
  }
  push('a', 1, 'a1.1', 'a1.2', 'a1.3')
  push('a', 2, 'a2.1')
  push('b', 3, 'b3.1', 'b3.2')
  expect(queue.size).toBe(6)
  expect(queue.sizeOf({ remote: 'a' })).toBe(4)
  expect(drain(queue)).toEqual(['a1.1', 'b3.1', 'a2.1', 'b3.2', 'a1.2', 'a1.3'])
  expect(queue.size).toBe(0)
})

it('skips clients that the filter excludes, and they keep their position', () => {
  const queue = new FairQueue<string>()
  queue.push({ remote: 'a', connection: 1 }, 'a')
  queue.push({ remote: 'b', connection: 2 }, 'b')
  expect(queue.shift(({ remote }) => remote === 'b')?.item).toBe('b')
  expect(queue.shift(() => false)).toBeUndefined()
  expect(queue.shift()?.item).toBe('a')
})

it('a new address waits for at most one turn of each other address; nothing is lost, and each connection keeps its order', () => {
  const client = fc.record({ remote: fc.constantFrom('a', 'b', 'c', 'd'), connection: fc.nat(2) })
  fc.assert(
    fc.property(fc.array(client, { maxLength: 60 }), fc.nat(40), (clients, taken) => {
      const queue = new FairQueue<{ readonly client: Client; readonly n: number }>()
      clients.forEach((one, n) => {
        queue.push(one, { client: one, n })
      })
      const before = Array.from({ length: Math.min(taken, clients.length) }, () => queue.shift()!.item)
      const newcomer = { client: { remote: 'new', connection: 9 }, n: 1_000 }
      queue.push(newcomer.client, newcomer)
      const after = drain(queue)
      const all = [...before, ...after]
      expect(all.map(({ n }) => n).sort((a, b) => a - b)).toEqual([...clients.keys(), 1_000])
      expect(after.indexOf(newcomer)).toBeLessThanOrEqual(4)
      for (const { remote, connection } of clients) {
        const own = all.filter((item) => item.client.remote === remote && item.client.connection === connection).map(({ n }) => n)
        expect(own).toEqual([...own].sort((a, b) => a - b))
      }
    }),
  )
})

it('removes an item from any position', () => {
  const queue = new FairQueue<string>()
  const client = { remote: 'a', connection: 1 }
  for (const item of ['x', 'y', 'z']) queue.push(client, item)
  expect([queue.remove(client, 'y'), queue.remove(client, 'y'), queue.remove({ remote: 'b', connection: 1 }, 'x')]).toEqual([
    true,
    false,
    false,
  ])
  expect(drain(queue)).toEqual(['x', 'z'])
})
