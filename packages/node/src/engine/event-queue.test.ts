import { describe, expect, it } from 'vitest'
import { EventQueue } from './event-queue.ts'
import { ENGINE_LIMITS } from './limits.ts'

describe('the event queue', () => {
  it('gives events in order, in batches, and waits when there are none', async () => {
    const queue = new EventQueue<number>()
    const first = queue.take(2)
    queue.push(1)
    expect(await first).toEqual([1])
    for (const event of [2, 3, 4]) queue.push(event)
    expect(await queue.take(2)).toEqual([2, 3])
    expect(await queue.take(2)).toEqual([4])
  })

  it('bounds the messages of a peer without touching those of others, and frees room as they are taken', async () => {
    const queue = new EventQueue<string>()
    const { eventsPerPeerCountMax: max } = ENGINE_LIMITS
    for (let i = 0; i < max; i++) expect(queue.pushFrom('a', 'flood')).toBe(true)
    expect(queue.pushFrom('a', 'flood')).toBe(false)
    expect(queue.pushFrom('b', 'vote')).toBe(true)
    await queue.take(1)
    expect(queue.pushFrom('a', 'flood')).toBe(true)
    expect(queue.pushFrom('a', 'flood')).toBe(false)
  })

  it('bounds all messages together, and always has room for the node itself', async () => {
    const queue = new EventQueue<string>()
    let taken = 0
    for (let peer = 0; peer < 10; peer++) {
      for (let i = 0; i < ENGINE_LIMITS.eventsPerPeerCountMax; i++) if (queue.pushFrom(`${peer}`, 'message')) taken++
    }
    expect(taken).toBe(ENGINE_LIMITS.eventsCountMax)
    queue.push('timeout')
    expect(queue.length).toBe(ENGINE_LIMITS.eventsCountMax + 1)
  })

  it('ends the wait when it is closed, and gives nothing more', async () => {
    const queue = new EventQueue<number>()
    const waiting = queue.take(1)
    queue.close()
    expect(await waiting).toEqual([])
    queue.push(1)
    expect(await queue.take(1)).toEqual([])
  })
})
