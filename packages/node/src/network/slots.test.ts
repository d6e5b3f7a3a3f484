import { describe, expect, it } from 'vitest'
import { Slots } from './slots.ts'

const never = new AbortController().signal

describe('slots', () => {
  it('are given in order of arrival, never more than there are', async () => {
    const slots = new Slots(2, 10)
    const order: number[] = []
    const releases: (() => void)[] = []
    const waiting = [0, 1, 2, 3].map(async (i) => {
      const release = await slots.acquire(never)
      order.push(i)
      releases.push(release!)
    })
    await Promise.all(waiting.slice(0, 2))
    expect(order).toEqual([0, 1])
    releases[1]!()
    await waiting[2]
    expect(order).toEqual([0, 1, 2])
    releases[0]!()
    await waiting[3]
    expect(order).toEqual([0, 1, 2, 3])
  })

  it('refuse beyond the queue limit, and are released only once', async () => {
    const slots = new Slots(1, 1)
    const release = await slots.acquire(never)
    const second = slots.acquire(never)
    expect(await slots.acquire(never)).toBeUndefined()
    release!()
    release!()
    expect(await second).toBeTypeOf('function')
    const third = slots.acquire(never)
    expect(await slots.acquire(never)).toBeUndefined()
    ;(await second)!()
    expect(await third).toBeTypeOf('function')
  })

  it('release waiters that stop waiting', async () => {
    const slots = new Slots(1, 1)
    const release = await slots.acquire(never)
    const controller = new AbortController()
    const waiting = slots.acquire(controller.signal)
    controller.abort(new Error('enough'))
    await expect(waiting).rejects.toThrow('enough')
    await expect(slots.acquire(controller.signal)).rejects.toThrow('enough')
    const next = slots.acquire(never)
    release!()
    expect(await next).toBeTypeOf('function')
  })
})
