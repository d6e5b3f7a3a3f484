import { describe, expect, it } from 'vitest'
import { EventQueue } from './event-queue.ts'
import { ENGINE_LIMITS } from './limits.ts'

const { eventsCountMax, eventsBytesMax, eventsPerPeerCountMax, eventsPerPeerBytesMax, smallMessageBytesMax } = ENGINE_LIMITS

const drain = <T>(queue: EventQueue<T>): T[] => {
  const events: T[] = []
  for (let event = queue.next(); event !== undefined; event = queue.next()) events.push(event)
  return events
}

describe('the event queue', () => {
  it('gives the events of the node in order, and waits when there are none', async () => {
    const queue = new EventQueue<number>()
    const waiting = queue.wait()
    queue.push(1)
    expect(await waiting).toBe(true)
    for (const event of [2, 3, 4]) queue.push(event)
    expect(drain(queue)).toEqual([1, 2, 3, 4])
    expect(queue.next()).toBeUndefined()
  })

  it('lets peers take turns, and the node itself go first', () => {
    const queue = new EventQueue<string>()
    for (let i = 0; i < 4; i++) queue.pushFrom('flooding', `f${i}`, 1)
    for (const event of ['a0', 'a1']) queue.pushFrom('a', event, 1)
    queue.pushFrom('b', 'b0', 1)
    queue.push('timeout')
    expect(drain(queue)).toEqual(['timeout', 'f0', 'a0', 'b0', 'f1', 'a1', 'f2', 'f3'])
  })

  it('takes small messages of a peer before its large ones', () => {
    const queue = new EventQueue<string>()
    queue.pushFrom('a', 'proposal', smallMessageBytesMax + 1)
    queue.pushFrom('a', 'vote', smallMessageBytesMax)
    queue.pushFrom('b', 'proposal of b', smallMessageBytesMax + 1)
    expect(drain(queue)).toEqual(['vote', 'proposal of b', 'proposal'])
  })

  it('bounds the messages of a peer in number and bytes, and frees room as they are taken', () => {
    for (const [size, max] of [
      [1, eventsPerPeerCountMax],
      [1024 * 1024, eventsPerPeerBytesMax / (1024 * 1024)],
    ] as const) {
      const queue = new EventQueue<string>()
      for (let i = 0; i < max; i++) expect(queue.pushFrom('a', 'flood', size)).toBe(true)
      expect(queue.pushFrom('a', 'flood', size)).toBe(false)
      expect(queue.pushFrom('b', 'vote', 100)).toBe(true)
      expect(queue.next()).toBe('flood')
      expect(queue.pushFrom('a', 'flood', size)).toBe(true)
      expect(queue.pushFrom('a', 'flood', size)).toBe(false)
    }
  })

  it('bounds all messages together, and always has room for the node itself', () => {
    for (const [size, max] of [
      [1, eventsCountMax],
      [512 * 1024, eventsBytesMax / (512 * 1024)],
    ] as const) {
      const queue = new EventQueue<string>()
      let taken = 0
      for (let peer = 0; peer < 40; peer++) {
        for (let i = 0; i < eventsPerPeerCountMax; i++) if (queue.pushFrom(`${peer}`, 'message', size)) taken++
      }
      expect(taken).toBe(max)
      queue.push('timeout')
      expect(queue.length).toBe(max + 1)
      expect(queue.next()).toBe('timeout')
      expect(drain(queue)).toHaveLength(max)
      expect(queue.length).toBe(0)
    }
  })

  it('ends the wait when it is closed, and gives nothing more', async () => {
    const queue = new EventQueue<number>()
    const waiting = queue.wait()
    queue.close()
    expect(await waiting).toBe(false)
    queue.push(1)
    expect([await queue.wait(), queue.next()]).toEqual([false, undefined])
  })
})
