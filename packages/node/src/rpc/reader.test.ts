import { describe, expect, it } from 'vitest'
import { callObject, stateOverrides } from './call-schema.ts'
import { hexBytes } from './hex.ts'
import { DEFAULT_RPC_LIMITS as LIMITS } from './limits.ts'
import { logCriteria, logQuery } from './log-query.ts'
import { readParam } from './method.ts'
import { feeMethods } from './methods/fees.ts'
import { Misfit, type Reader, reader, readList } from './reader.ts'
import { data, quantity, storageKey } from './schema.ts'

const ADDRESS = `0x${'12'.repeat(20)}`
const HASH = `0x${'34'.repeat(32)}`

/** A list that counts how many of its items are read. */
function watched<T>(count: number, item: (i: number) => T): { readonly list: T[]; readonly looks: () => number } {
  let looks = 0
  const list = Array.from({ length: count }, (_, i) => item(i))
  const proxy = new Proxy(list, {
    get(target, name, receiver) {
      if (typeof name === 'string' && /^\d+$/.test(name)) looks++
      return Reflect.get(target, name, receiver)
    },
  })
  return { list: proxy, looks: () => looks }
}

/** An object that counts how many of its values are read. */
function watchedObject(count: number, name: (i: number) => string, value: unknown) {
  let looks = 0
  const object = Object.fromEntries(Array.from({ length: count }, (_, i) => [name(i), value]))
  const proxy = new Proxy(object, {
    get(target, key, receiver) {
      looks++
      return Reflect.get(target, key, receiver)
    },
  })
  return { object: proxy, looks: () => looks }
}

const refusalOf = (read: Reader<unknown>, value: unknown): string => {
  try {
    readParam(read, value, 0, LIMITS)
  } catch (failure) {
    return (failure as Error).message
  }
  throw new Error('it was taken')
}

const word = (i: number): string => `0x${i.toString(16).padStart(64, '0')}`
const named = (i: number): string => `0x${i.toString(16).padStart(40, '0')}`

describe('a list that is too long is refused before its items', () => {
  it('an access list', () => {
    const max = LIMITS.accessEntriesMax
    const { list, looks } = watched(max + 1, () => ({ address: ADDRESS, storageKeys: [] }))
    expect(refusalOf(callObject, { accessList: list })).toBe(
      `invalid param 0: accessList has ${max + 1} entries, the limit is ${max}`,
    )
    expect(looks()).toBe(0)
  })

  it('the keys of all its entries', () => {
    const { list, looks } = watched(LIMITS.accessKeysMax, () => HASH)
    const accessList = [
      { address: ADDRESS, storageKeys: [HASH] },
      { address: ADDRESS, storageKeys: list },
    ]
    expect(refusalOf(callObject, { accessList })).toMatch(
      /accessList\.1\.storageKeys has 4096 storage keys after those of earlier entries, the limit is 4095/,
    )
    expect(looks()).toBe(0)
  })

  it('addresses, and topics of all positions together', () => {
    const addresses = watched(LIMITS.logAddressesMax + 1, () => ADDRESS)
    const topics = watched(LIMITS.logTopicsMax, () => HASH)
    for (const criteria of [logQuery, logCriteria]) {
      expect(refusalOf(criteria, { address: addresses.list })).toBe('exceed max addresses: 1001, the limit is 1000')
      expect(refusalOf(criteria, { topics: [HASH, topics.list] })).toBe('exceed max topics: 1001, the limit is 1000')
    }
    expect([addresses.looks(), topics.looks()]).toEqual([0, 0])
  })

  it('overridden accounts, and their storage together', () => {
    const accounts = watchedObject(LIMITS.overridesMax + 1, named, {})
    expect(refusalOf(stateOverrides, accounts.object)).toBe('invalid param 0: has 1025 accounts, the limit is 1024')
    const slots = watchedObject(LIMITS.overrideEntriesMax, word, '0x01')
    const overrides = { [named(1)]: { stateDiff: { [HASH]: '0x' } }, [named(2)]: { state: slots.object } }
    expect(refusalOf(stateOverrides, overrides)).toBe(
      `invalid param 0: ${named(2)}.state has 4096 storage entries after those of earlier accounts, the limit is 4095`,
    )
    expect([accounts.looks(), slots.looks()]).toEqual([0, 0])
  })

  it('percentiles of fees', () => {
    const { list, looks } = watched(101, () => 1)
    const call = { limits: LIMITS } as never
    expect(() => feeMethods['eth_feeHistory']!.run({} as never, ['0x1', 'latest', list], call)).toThrow(
      'has 101 percentiles, the limit is 100',
    )
    expect(looks()).toBe(0)
  })
})

describe('reading stops at the first error', () => {
  it('in lists', () => {
    const entries = watched(LIMITS.accessEntriesMax, () => 0)
    expect(refusalOf(callObject, { accessList: entries.list })).toBe('invalid param 0: accessList.0 must be an object')
    const topics = watched(LIMITS.logTopicsMax, (i) => (i === 3 ? 1 : HASH))
    expect(refusalOf(logQuery, { topics: [null, topics.list] })).toMatch(/^invalid param 0: topics\.1\.3 /)
    expect([entries.looks(), topics.looks()]).toEqual([1, 4])
  })

  it('in overrides', () => {
    const accounts = watchedObject(LIMITS.overridesMax, named, { wrong: 1 })
    expect(refusalOf(stateOverrides, accounts.object)).toBe(
      `invalid param 0: ${named(0)} has the unknown field wrong, allowed are balance, nonce, code, state, stateDiff`,
    )
    const slots = watchedObject(LIMITS.overrideEntriesMax, word, 'wrong')
    expect(refusalOf(stateOverrides, { [ADDRESS]: { state: slots.object } })).toMatch(
      new RegExp(`state\\.${word(0)} must be hex: 0x`),
    )
    expect([accounts.looks(), slots.looks()]).toEqual([1, 1])
  })

  it('passes other errors on', () => {
    const bug = new TypeError('a bug')
    const broken = reader({}, (value) =>
      readList(value, 1, 'items', () => {
        throw bug
      }),
    )
    expect(() => readParam(broken, [1], 0, LIMITS)).toThrow(bug)
    expect(() => broken.read(1, LIMITS)).toThrow(Misfit)
  })
})

it('the largest allowed calls are read whole, and the words of an account share one buffer', () => {
  const { accessEntriesMax, overrideEntriesMax } = LIMITS
  const accessList = Array.from({ length: accessEntriesMax }, (_, i) => ({ address: named(i), storageKeys: [HASH] }))
  expect(callObject.read({ accessList }, LIMITS).accessList).toEqual(accessList)
  const state = Object.fromEntries(Array.from({ length: overrideEntriesMax }, (_, i) => [word(i), word(i + 256)]))
  const entries = stateOverrides.read({ [ADDRESS]: { state } }, LIMITS).get(ADDRESS as never)!.storage!.entries
  expect(entries).toHaveLength(overrideEntriesMax)
  // Numbers are stored without leading zeros.
  expect([...entries[1]![0].slice(-2), ...entries[1]![1]]).toEqual([0, 1, 1, 1])
  expect(new Set(entries.flatMap(([key, value]) => [key.buffer, value.buffer])).size).toBe(1)
})

it('values of storage that are longer than words are read as well', () => {
  const state = Object.fromEntries(Array.from({ length: 9 }, (_, i) => [word(i), `0x${`0${i}`.repeat(60 * i)}`]))
  const { entries } = stateOverrides.read({ [ADDRESS]: { state } }, LIMITS).get(ADDRESS as never)!.storage!
  expect(entries.map(([key, value]) => [key[31], value.length, ...new Set(value)])).toEqual(
    Array.from({ length: 9 }, (_, i) => (i === 0 ? [0, 0] : [i, 60 * i, i])),
  )
})

describe('hex', () => {
  it('is accepted in either case, short and long, with an even number of digits only', () => {
    for (const count of [0, 1, 511, 512, 70_000]) {
      const bytes = Uint8Array.from({ length: count }, (_, i) => i)
      const digits = Buffer.from(bytes).toString('hex')
      for (const text of [`0x${digits}`, `0x${digits.toUpperCase()}`, `0X${digits}`]) expect(hexBytes(text)).toEqual(bytes)
      for (const wrong of [digits.slice(0, -1), `${digits}0`, `0x${digits}0`, `0x${digits}0g`, `0x${digits}\u0161\u0161`])
        if (wrong !== '') expect(hexBytes(wrong)).toBeUndefined()
    }
  })

  it('of a number that is too long is not scanned', () => {
    const wrong = `0x1${'g'.repeat(100)}`
    expect(quantity.safeParse(wrong).error?.issues).toMatchObject([{ message: 'is above 2^53 - 1' }])
    expect(storageKey.safeParse(`0x${'g'.repeat(300)}`).error?.issues).toHaveLength(1)
    expect(data.safeParse('0x1').error?.issues).toMatchObject([{ message: 'must be hex: 0x and an even number of hex digits' }])
  })
})
