import * as fake from 'fake-indexeddb'
import { openDB } from 'idb'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { describeStore, Signal } from '../../test/store/conformance.ts'
import { WebLocks } from '../../test/store/web-locks.ts'
import { type BrowserPowers, indexedDb } from './browser.ts'

let locks: WebLocks
const powers = (): BrowserPowers => ({ locks: locks as unknown as LockManager })

function stub(): void {
  locks = new WebLocks()
  for (const [name, value] of Object.entries(fake)) if (name.startsWith('IDB')) vi.stubGlobal(name, value)
  vi.stubGlobal('indexedDB', new fake.IDBFactory())
}

const device =
  (more: BrowserPowers = {}) =>
  async () => {
    stub()
    return { open: () => indexedDb('test', { ...powers(), ...more }), destroy: async () => void vi.unstubAllGlobals() }
  }

describeStore('indexedDb', device())
describeStore('indexedDb without a channel between tabs', device({ openChannel: undefined }))
describeStore(
  'indexedDb in a browser that cannot store',
  async () => {
    stub()
    vi.stubGlobal('indexedDB', undefined)
    return { open: () => indexedDb('test', powers()), destroy: async () => void vi.unstubAllGlobals() }
  },
  { isShared: false },
)

describe('indexedDb and what browsers do', () => {
  beforeEach(stub)
  afterEach(() => {
    vi.restoreAllMocks()
    vi.unstubAllGlobals()
  })

  it('survives the tab', async () => {
    const first = await indexedDb('test', powers())
    expect(first).toMatchObject({ durability: 'device', tabReason: undefined })
    await first.commit([{ key: 'x', value: '1' }])
    await first.close()
    const second = await indexedDb('test', powers())
    expect(await second.get('x')).toBe('1')
    await second.close()
  })

  it('lives in the tab where the browser has no database, no locks, or refuses', async () => {
    const reasonOf = async (more: BrowserPowers = {}) => {
      const store = await indexedDb('test', { ...powers(), ...more })
      expect(await store.commit([{ key: 'x', value: '1' }])).toBe(true)
      expect(await store.get('x')).toBe('1')
      await store.close()
      return { durability: store.durability, tabReason: store.tabReason }
    }
    expect(await reasonOf({ locks: undefined })).toEqual({ durability: 'tab', tabReason: 'no-locks' })
    for (const name of ['SecurityError', 'InvalidStateError', 'UnknownError']) {
      vi.spyOn(indexedDB, 'open').mockImplementation(() => {
        throw new DOMException('a private mode', name)
      })
      expect(await reasonOf()).toEqual({ durability: 'tab', tabReason: 'refused' })
      vi.restoreAllMocks()
    }
    vi.spyOn(IDBObjectStore.prototype, 'put').mockImplementation(() => {
      throw new DOMException('it cannot be stored here', 'DataCloneError')
    })
    expect(await reasonOf()).toEqual({ durability: 'tab', tabReason: 'refused' })
    vi.restoreAllMocks()
    vi.stubGlobal('indexedDB', undefined)
    expect(await reasonOf()).toEqual({ durability: 'tab', tabReason: 'no-database' })
  })

  it('opens the database again when the browser closed it', async () => {
    const databases: IDBDatabase[] = []
    const open = IDBFactory.prototype.open
    vi.spyOn(IDBFactory.prototype, 'open').mockImplementation(function (this: IDBFactory, ...args) {
      const request = open.apply(this, args)
      request.addEventListener('success', () => databases.push(request.result as unknown as IDBDatabase))
      return request
    })
    const store = await indexedDb('test', powers())
    await store.commit([{ key: 'x', value: '1' }])
    // By the browser, with an event.
    fake.forceCloseDatabase(databases.at(-1) as never)
    expect(await store.get('x')).toBe('1')
    // Without one, as browsers do when their storage process ends.
    databases.at(-1)!.close()
    expect(await store.commit([{ key: 'y', value: '2' }], { if: [{ key: 'x', value: '1' }] })).toBe(true)
    expect(databases).toHaveLength(3)
    await store.close()
  })

  it('lets another tab delete the database, and begins anew', async () => {
    const store = await indexedDb('test', powers())
    await store.commit([{ key: 'x', value: '1' }])
    await new Promise<void>((resolve, reject) => {
      const request = indexedDB.deleteDatabase('quoin/test')
      request.onsuccess = () => resolve()
      request.onerror = () => reject(new Error('not deleted'))
    })
    expect(await store.get('x')).toBeUndefined()
    expect(await store.commit([{ key: 'x', value: '2' }])).toBe(true)
    await store.close()
  })

  it('does not wait long for a tab that blocks the database', async () => {
    // It neither closes its connection nor lets the deletion begin.
    const other = await openDB('quoin/test', 1)
    const deletion = indexedDB.deleteDatabase('quoin/test')
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    try {
      const opening = indexedDb('test', powers())
      await vi.advanceTimersByTimeAsync(10_000)
      expect(await opening).toMatchObject({ durability: 'tab', tabReason: 'blocked' })
    } finally {
      vi.useRealTimers()
      other.close()
    }
    await new Promise((resolve) => deletion.addEventListener('success', resolve))
  })

  it('says that the disk is full', async () => {
    const store = await indexedDb('test', powers())
    vi.spyOn(IDBObjectStore.prototype, 'put').mockImplementation(() => {
      throw new DOMException('no room', 'QuotaExceededError')
    })
    await expect(store.commit([{ key: 'x', value: '1' }])).rejects.toMatchObject({ name: 'StoreError', reason: 'full' })
    vi.restoreAllMocks()
    expect(await store.get('x')).toBeUndefined()
    await store.close()
  })

  it('tells an owner whose lock was stolen', async () => {
    const store = await indexedDb('test', powers())
    const [held, lost] = [new Signal(), new Signal()]
    const owning = store.own('key', async (signal) => {
      signal.addEventListener('abort', () => lost.give())
      held.give()
      await lost.taken()
    })
    const refused = expect(owning).rejects.toThrow('stolen')
    await held.taken()
    locks.steal('quoin/test/key')
    await refused
    await store.close()
  })
})
