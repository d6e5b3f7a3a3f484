import { describe, expectTypeOf, it } from 'vitest'
import {
  type Address,
  contract,
  list,
  mapping,
  type ReadTable,
  remote,
  replacing,
  set,
  type Table,
  table,
  value,
} from './index.ts'
import type { Read, Written } from './state/field.ts'

const orders = table({ key: 'uint256', row: { owner: 'address', amount: 'uint256' } })
const bids = table({
  key: { price: 'uint128', maker: 'address', id: 'int64' },
  row: { signs: 'int8[]', inner: { open: 'bool' } },
})

interface Order {
  readonly owner: Address
  readonly amount: bigint
}
interface BidKey {
  readonly price: bigint
  readonly maker: Address
  readonly id: bigint
}

declare const rows: Written<typeof orders>
declare const readRows: Read<typeof orders>
declare const bidRows: Written<typeof bids>
declare const who: Address

describe('table', () => {
  it('infers key and row', () => {
    expectTypeOf(rows.get(1n)).toEqualTypeOf<Order | undefined>()
    expectTypeOf(rows.put(1n, { owner: who, amount: 1n })).toEqualTypeOf<boolean>()
    expectTypeOf(rows.update(1n, (order) => ({ owner: who, amount: (order?.amount ?? 0n) + 1n }))).toEqualTypeOf<Order>()
    expectTypeOf(rows.size).toEqualTypeOf<bigint>()
    expectTypeOf([...rows.range()]).toEqualTypeOf<(readonly [key: bigint, row: Order])[]>()
    expectTypeOf([...rows.keys({ from: 1n, to: 2n, reverse: true, limit: 3n })]).toEqualTypeOf<bigint[]>()
    expectTypeOf(rows.first()?.[1]).toEqualTypeOf<Order | undefined>()
    expectTypeOf(bidRows.first({ prefix: { price: 1n } })?.[0]).toEqualTypeOf<BidKey | undefined>()
    expectTypeOf(bidRows.get({ price: 1n, maker: who, id: 1n })?.signs).toEqualTypeOf<readonly bigint[] | undefined>()
    for (const [{ price, maker }, { inner }] of bidRows.range({ from: { price: 1n }, to: { price: 2n, maker: who } })) {
      expectTypeOf(price).toEqualTypeOf<bigint>()
      expectTypeOf(maker).toEqualTypeOf<Address>()
      expectTypeOf(inner.open).toEqualTypeOf<boolean>()
    }
    const limit = undefined as bigint | undefined
    rows.range({ limit, from: undefined })
  })

  it('refuses what is neither', () => {
    // @ts-expect-error a number is not a key
    rows.get(1)
    // @ts-expect-error a member of the row is missing
    rows.put(1n, { owner: who })
    // @ts-expect-error no such member of the row
    rows.put(1n, { owner: who, amount: 1n, more: 1n })
    // @ts-expect-error a literal is not an address
    rows.put(1n, { owner: '0x00', amount: 1n })
    // @ts-expect-error a row may be undefined
    void rows.get(1n).amount
    // @ts-expect-error a key of one word has no parts
    rows.range({ prefix: 1n })
    // @ts-expect-error a limit is a bigint
    rows.range({ limit: 1 })
    // @ts-expect-error no such option
    rows.range({ until: 1n })
    // @ts-expect-error `first` has no direction
    rows.first({ reverse: true })
    // @ts-expect-error a member of the key is missing
    bidRows.get({ price: 1n, maker: who })
    // @ts-expect-error no such member of the key
    bidRows.range({ prefix: { prize: 1n } })
    // @ts-expect-error a string is not a word
    table({ key: 'string', row: { n: 'bool' } })
    // @ts-expect-error a string is not a word
    table({ key: { name: 'string' }, row: { n: 'bool' } })
    // @ts-expect-error a row is a struct
    table({ key: 'uint256', row: 'uint256' })
    // @ts-expect-error no such type
    table({ key: 'uint256', row: { n: 'uint' } })
    // @ts-expect-error a row is missing
    table({ key: 'uint256' })
  })

  it('can be read only by view functions', () => {
    expectTypeOf(readRows).toEqualTypeOf<ReadTable<'uint256', Order>>()
    expectTypeOf(rows).toEqualTypeOf<Table<'uint256', Order>>()
    contract({
      abi: ['function f(uint256 id) view returns (uint256)', 'function g(uint256 id)'],
      state: { orders, byOwner: mapping('address', orders) },
      functions: {
        f({ state, sender }, id) {
          // @ts-expect-error a view function cannot write
          state.orders.put(id, { owner: sender, amount: 1n })
          // @ts-expect-error a view function cannot write
          state.byOwner.at(sender).remove(id)
          return state.byOwner.at(sender).get(id)?.amount ?? state.orders.size
        },
        g({ state, sender }, id) {
          state.byOwner.at(sender).put(id, { owner: sender, amount: 1n })
        },
      },
    })
  })
})

describe('list and set', () => {
  const points = list({ x: 'uint256', at: { y: 'int8' } })
  const members = set('address')
  type Point = { readonly x: bigint; readonly at: { readonly y: bigint } }

  it('infer their values', () => {
    const row = {} as Written<typeof points>
    expectTypeOf(row.get(0n)).toEqualTypeOf<Point>()
    expectTypeOf(row.pop()).toEqualTypeOf<Point | undefined>()
    expectTypeOf(row.push({ x: 1n, at: { y: 2n } })).toEqualTypeOf<bigint>()
    expectTypeOf([...row]).toEqualTypeOf<Point[]>()
    const some = {} as Written<typeof members>
    expectTypeOf(some.add(who)).toEqualTypeOf<boolean>()
    expectTypeOf(some.slice(0n)).toEqualTypeOf<readonly Address[]>()
    const bytes = {} as Written<ReturnType<typeof set<'bytes32'>>>
    expectTypeOf(bytes.at(0n)).toEqualTypeOf<Uint8Array>()
  })

  it('refuse what is none', () => {
    const row = {} as Written<typeof points>
    // @ts-expect-error a number is not an index
    row.get(0)
    // @ts-expect-error a member is missing
    row.push({ x: 1n })
    const some = {} as Written<typeof members>
    // @ts-expect-error a literal is not an address
    some.add('0x00')
    // @ts-expect-error a set has no structs
    set({ x: 'bool' })
    // @ts-expect-error a set has no arrays
    set('bool[]')
    const readRow = {} as Read<typeof points>
    // @ts-expect-error a view function cannot write
    readRow.push({ x: 1n, at: { y: 2n } })
    const readSome = {} as Read<typeof members>
    // @ts-expect-error a view function cannot write
    readSome.add(who)
    // @ts-expect-error a view function cannot remove
    readSome.remove(who)
  })
})

describe('replacing', () => {
  it('converts what the former field held', () => {
    const former = mapping('address', 'uint32')
    const next = replacing('former', former, mapping('address', { n: 'uint256', flag: 'bool' }), (old) => {
      expectTypeOf(old).toEqualTypeOf<bigint>()
      return { n: old, flag: true }
    })
    expectTypeOf({} as Written<typeof next>['get']).returns.toEqualTypeOf<
      { readonly n: bigint; readonly flag: boolean } | undefined
    >()
    replacing('nested', mapping('bool', former), mapping('bool', mapping('address', 'string')), (old) => `${old + 1n}`)
    // @ts-expect-error the result of convert is not a string
    replacing('former', former, mapping('address', 'string'), (old) => old)
    // @ts-expect-error a list is not replaced
    replacing('list', list('uint8'), list('uint16'), (old) => old)
  })
})

describe('remote', () => {
  it('infers arguments and answers; tuples are arrays', () => {
    const token = remote([
      'struct Point { uint256 x; int8[] y; }',
      'function transfer(address to, uint256 value) returns (bool)',
      'function points(Point[2] points) view returns (Point, string)',
      'function over(uint256 n) view',
      'function over(string text) view returns (bytes4)',
    ])
    expectTypeOf(token.transfer(who, who, 1n)).toEqualTypeOf<boolean>()
    expectTypeOf(token.transfer({ to: who, value: 1n, gas: 5n }, who, 1n)).toEqualTypeOf<boolean>()
    expectTypeOf(
      token.points(who, [
        [1n, []],
        [2n, [1n]],
      ]),
    ).toEqualTypeOf<readonly [readonly [bigint, readonly bigint[]], string]>()
    expectTypeOf(token['over(uint256)'](who, 1n)).toEqualTypeOf<void>()
    expectTypeOf(token['over(string)'](who, 'a')).toEqualTypeOf<Uint8Array>()
    // @ts-expect-error no such function
    token.transferFrom(who, who, 1n)
    // @ts-expect-error the name is ambiguous
    token.over(who, 1n)
    // @ts-expect-error an argument is missing
    token.transfer(who, who)
    // @ts-expect-error the called contract is missing
    token.transfer(1n, who, 1n)
    // @ts-expect-error no such option
    token.transfer({ to: who, from: who }, who, 1n)
    // @ts-expect-error value is a bigint
    token.transfer({ to: who, value: 1 }, who, 1n)
  })
})

describe('value', () => {
  it('knows what was never written', () => {
    const state = {} as Written<ReturnType<typeof value<'uint8[2][]'>>>
    expectTypeOf(state.get()).toEqualTypeOf<readonly (readonly bigint[])[] | undefined>()
    const text = {} as Written<ReturnType<typeof value<'string'>>>
    expectTypeOf(text.get()).toEqualTypeOf<string>()
  })
})
