import type { Height } from '@quoin/protocol'
import { describe, expect, it } from 'vitest'
import { FutureMessages } from './future-messages.ts'
import { ENGINE_LIMITS } from './limits.ts'

const message = (from: string, height: number, size = 1) => ({
  from,
  height: height as Height,
  bytes: new Uint8Array(size),
  receivedMs: 0,
})

describe('messages of later heights', () => {
  it('come back in order when their height begins; what is older is forgotten', () => {
    const future = new FutureMessages()
    const [a, b, c] = [message('a', 6), message('b', 5), message('c', 6)]
    for (const each of [a, b, c]) future.add(each)
    expect(future.take(6 as Height)).toEqual([a, c])
    expect(future.count).toBe(0)
  })

  it('give way from the highest height when there are too many', () => {
    const future = new FutureMessages()
    for (let i = 0; i <= ENGINE_LIMITS.futureMessagesCountMax; i++) future.add(message(`${i % 8}`, 5 + (i % 3)))
    expect(future.count).toBe(ENGINE_LIMITS.futureMessagesCountMax)
    const perHeight = Math.ceil((ENGINE_LIMITS.futureMessagesCountMax + 1) / 3)
    expect(future.take(5 as Height)).toHaveLength(perHeight)
    expect(future.take(6 as Height)).toHaveLength(perHeight)
  })

  it('of one peer are bounded, at its own cost', () => {
    const future = new FutureMessages()
    future.add(message('honest', 9))
    for (let i = 0; i < 2 * ENGINE_LIMITS.futureMessagesPerPeerCountMax; i++) future.add(message('flooding', 6))
    expect(future.count).toBe(1 + ENGINE_LIMITS.futureMessagesPerPeerCountMax)
    future.take(6 as Height)
    expect(future.take(9 as Height)).toHaveLength(1)
  })

  it('are bounded in bytes', () => {
    const future = new FutureMessages()
    for (let i = 0; i < 20; i++) future.add(message('a', 5 + i, 1024 * 1024))
    expect(future.count).toBe(16)
    expect(future.take(5 as Height)).toHaveLength(1)
  })
})
