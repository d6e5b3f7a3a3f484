import { describe, expect, it } from 'vitest'
import { CallSlots } from './call-slots.ts'

const LIMITS = { callsMax: 4, callsPerRemoteMax: 3, callsKept: 1 }
const client = (remote: string, connection = 1) => ({ remote, connection })

function open() {
  const slots = new CallSlots()
  const order: string[] = []
  const take = (remote: string, connection = 1): boolean => {
    const place = slots.take(client(remote, connection), LIMITS)
    void place?.then(() => order.push(`${remote}${connection}`))
    return place === undefined
  }
  const release = async (remote: string) => {
    slots.release(client(remote), LIMITS)
    await Promise.resolve()
  }
  return { take, release, order }
}

describe('slots for calls', () => {
  it('are given in turns, by address and then by connection', async () => {
    const { take, release, order } = open()
    expect([take('a'), take('a'), take('b'), take('b')]).toEqual([true, true, true, true])
    expect([take('a', 1), take('a', 2), take('b', 3)]).toEqual([false, false, false])
    for (const remote of ['a', 'b', 'a']) await release(remote)
    expect(order).toEqual(['a1', 'b3', 'a2'])
  })

  it('are not all taken by one address, and are reused', async () => {
    const { take, release, order } = open()
    expect([take('a'), take('a'), take('a'), take('a', 2)]).toEqual([true, true, true, false])
    expect(take('b')).toBe(true)
    await release('b')
    expect(order).toEqual([])
    await release('a')
    expect(order).toEqual(['a2'])
  })

  it('are available to an address that has none, however many others have', async () => {
    const { take, release, order } = open()
    for (const remote of ['a', 'a', 'a', 'b']) take(remote)
    expect([take('c'), take('c', 2)]).toEqual([true, false])
    // The total is unchanged.
    await release('b')
    expect(order).toEqual([])
    await release('a')
    expect(order).toEqual(['c2'])
  })
})
