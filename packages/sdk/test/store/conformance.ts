import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { runs } from '../../../../test/long.ts'
import type { Change, Store } from '../../src/store/store.ts'

/** One device. */
export interface Device {
  /** A store on it. Each call has the same entries. */
  open(): Promise<Store>
  destroy(): Promise<void>
}

const put = (key: string, value: string): Change => ({ key, value })
const remove = (key: string): Change => ({ key, value: undefined })

/** What every store must do. `isShared`: stores that were opened separately have the same entries. */
export function describeStore(title: string, makeDevice: () => Promise<Device>, { isShared = true } = {}): void {
  describe(title, () => {
    let device: Device
    let opened: Store[]
    const open = async (): Promise<Store> => {
      if (!isShared && opened.length > 0) return opened[0]!
      const store = await device.open()
      opened.push(store)
      return store
    }
    beforeEach(async () => {
      opened = []
      device = await makeDevice()
    })
    afterEach(async () => {
      await Promise.all(opened.map((store) => store.close()))
      await device.destroy()
    })

    it('gives what was committed, to every store', async () => {
      const [a, b] = [await open(), await open()]
      expect(await a.get('x')).toBeUndefined()
      expect(await a.commit([put('x', '1'), put('y', '')])).toBe(true)
      expect(await b.get('x')).toBe('1')
      expect(await b.get('y')).toBe('')
      await b.commit([remove('x'), remove('never')])
      expect(await a.get('x')).toBeUndefined()
    })

    it('lists a prefix in order, in parts', async () => {
      const store = await open()
      const keys = ['a', 'b/', 'b/1', 'b/10', 'b/2', 'b/é', 'b/\uffff', 'c']
      await store.commit(keys.toReversed().map((key) => put(key, key)))
      const listed = async (prefix: string, options = {}) => (await store.list(prefix, options)).map(([key]) => key)
      expect(await listed('b/')).toEqual(keys.slice(1, 7))
      expect(await listed('b/', { limit: 2 })).toEqual(['b/', 'b/1'])
      expect(await listed('b/', { after: 'b/1', limit: 2 })).toEqual(['b/10', 'b/2'])
      expect(await listed('b/', { after: 'a' })).toEqual(keys.slice(1, 7))
      expect(await listed('b/', { after: 'c' })).toEqual([])
      expect(await listed('d')).toEqual([])
      await store.own('name', async () => expect(await listed('')).toEqual(keys))
      expect(await listed('', { after: 'b/é' })).toEqual(['b/\uffff', 'c'])
    })

    it('makes all changes or none', async () => {
      const store = await open()
      await store.commit([put('x', '1')])
      expect(await store.commit([put('x', '2'), put('y', '2')], { if: [put('x', '0')] })).toBe(false)
      expect(await store.commit([put('x', '2')], { if: [remove('x')] })).toBe(false)
      expect(await store.commit([put('x', '2')], { if: [put('x', '1'), put('y', '1')] })).toBe(false)
      expect(await store.list('')).toEqual([['x', '1']])
      expect(await store.commit([put('x', '2'), put('y', '2')], { if: [put('x', '1'), remove('y')] })).toBe(true)
      expect(await store.list('')).toEqual([
        ['x', '2'],
        ['y', '2'],
      ])
    })

    it('loses no conditional commit of stores that write at the same time', async () => {
      const stores = [await open(), await open(), await open()]
      const count = async (store: Store): Promise<void> => {
        for (;;) {
          const before = await store.get('count')
          if (await store.commit([put('count', String(Number(before ?? 0) + 1))], { if: [{ key: 'count', value: before }] }))
            return
        }
      }
      await Promise.all(Array.from({ length: 60 }, (_, i) => count(stores[i % 3]!)))
      expect(await stores[0]!.get('count')).toBe('60')
    })

    it('tells of changes below a prefix, until it is asked to stop', async () => {
      const [a, b] = [await open(), await open()]
      const seen = new Signal()
      const stop = a.watch('x/', () => seen.give())
      await b.commit([put('x/1', '1')])
      await seen.taken()
      await a.commit([put('x/2', '1')])
      await seen.taken()
      stop()
      seen.clear()
      await b.commit([put('x/3', '1')])
      await a.get('x/3')
      expect(seen.isGiven).toBe(false)
    })

    it('gives a name to one at a time, in all stores', async () => {
      const stores = [await open(), await open()]
      let owners = 0
      const order: number[] = []
      const work = (i: number) =>
        stores[i % 2]!.own('name', async () => {
          expect(++owners).toBe(1)
          // Other work gets its chance to come between.
          for (let step = 0; step < 3; step++) await stores[i % 2]!.get('x')
          order.push(i)
          owners--
          return i
        })
      expect(await Promise.all([0, 1, 2, 3].map(work))).toEqual([0, 1, 2, 3])
      expect(order.toSorted()).toEqual([0, 1, 2, 3])
    })

    it('gives different names to different owners', async () => {
      const store = await open()
      expect(await store.own('a', () => store.own('b', async () => 'both'))).toBe('both')
    })

    it('ends a wait for a name when asked, and at once if it may not wait', async () => {
      const [a, b] = [await open(), await open()]
      const [held, done] = [new Signal(), new Signal()]
      const owning = a.own('name', async () => {
        held.give()
        await done.taken()
      })
      await held.taken()
      const never = async () => expect.unreachable()
      expect(await b.own('name', never, { ifAvailable: true })).toBeUndefined()
      const stop = new AbortController()
      const waiting = b.own('name', never, { signal: stop.signal })
      stop.abort(new Error('enough'))
      await expect(waiting).rejects.toThrow('enough')
      await expect(b.own('name', never, { signal: stop.signal })).rejects.toThrow('enough')
      done.give()
      await owning
      expect(await b.own('name', async () => 'free', { ifAvailable: true })).toBe('free')
    })

    it('frees a name when its work fails', async () => {
      const store = await open()
      await expect(store.own('name', () => Promise.reject(new Error('broken')))).rejects.toThrow('broken')
      expect(await store.own('name', async () => 'next')).toBe('next')
    })

    it('refuses after it was closed, and takes its names away', async () => {
      const store = await open()
      const held = new Signal()
      const owning = store.own('name', async (lost) => {
        const taken = new Signal()
        lost.addEventListener('abort', () => taken.give())
        held.give()
        await taken.taken()
        return (lost.reason as Error).name
      })
      await held.taken()
      const waiting = store.own('name', async () => expect.unreachable())
      const refused = expect(waiting).rejects.toMatchObject({ reason: 'closed' })
      await store.close()
      await refused
      expect(await owning).toBe('StoreError')
      await expect(store.get('x')).rejects.toMatchObject({ name: 'StoreError', reason: 'closed' })
      await expect(store.commit([put('x', '1')])).rejects.toMatchObject({ reason: 'closed' })
      await expect(store.own('name', async () => 1)).rejects.toMatchObject({ reason: 'closed' })
      await store.close()
    })

    it('agrees with a map', async () => {
      const stores = [await open(), await open()]
      const key = fc.constantFrom('a', 'a/', 'a/b', 'b', 'ü', '')
      const change = fc.record({ key, value: fc.option(fc.string({ maxLength: 3 }), { nil: undefined }) })
      const step = fc.record({
        store: fc.nat(1),
        changes: fc.array(change, { maxLength: 3 }),
        if: fc.array(change, { maxLength: 1 }),
      })
      const model = new Map<string, string>()
      const property = fc.asyncProperty(fc.array(step, { maxLength: 8 }), key, async (steps, prefix) => {
        for (const { store, changes, if: conditions } of steps) {
          const holds = conditions.every((condition) => model.get(condition.key) === condition.value)
          expect(await stores[store]!.commit(changes, { if: conditions })).toBe(holds)
          if (!holds) continue
          for (const { key: changed, value } of changes) {
            if (value === undefined) model.delete(changed)
            else model.set(changed, value)
          }
        }
        const expected = [...model].filter(([found]) => found.startsWith(prefix)).toSorted(([a], [b]) => (a < b ? -1 : 1))
        for (const store of stores) expect(await store.list(prefix)).toEqual(expected)
      })
      await fc.assert(property, { numRuns: runs(30) })
    })
  })
}

/** An event that happens once or more, and a wait for it. */
export class Signal {
  isGiven = false
  #waiting: (() => void)[] = []

  give(): void {
    this.isGiven = true
    for (const resolve of this.#waiting.splice(0)) resolve()
  }

  clear(): void {
    this.isGiven = false
  }

  /** Resolves when the event has happened, and takes it. */
  async taken(): Promise<void> {
    if (!this.isGiven) await new Promise<void>((resolve) => void this.#waiting.push(resolve))
    this.isGiven = false
  }
}
