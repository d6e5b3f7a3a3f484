import { CONTRACT_GAS } from '@quoin/execution/contract'
import fc from 'fast-check'
import { bytesToHex, toHex } from 'viem'
import { beforeAll, describe, expect, it } from 'vitest'
import { runs } from '../../../../../test/long.ts'
import { type TestContract, TestContracts } from '../../../../execution/test/contracts.ts'
import { readTree } from '../../../test/kit/tree.ts'
import { type KitContract, kitContract } from '../../../test/kit-contract.ts'

/** Enough gas for any number of rows in one call. */
const GAS = { gas: 40_000_000_000 }

let numbers: KitContract
let pairs: KitContract
beforeAll(async () => {
  numbers = await kitContract(`import { contract, table } from '@quoin/contracts'
    export default contract({
      abi: [
        'function put(int256[] keys)',
        'function remove(int256[] keys)',
        'function keys(bool reverse) view returns (int256[])',
        'function some(int256 from, uint256 limit) view returns (int256[])',
        'function get(int256 key) view returns (uint8)',
        'function size() view returns (uint256)',
        'function wrong(uint256 which)',
      ],
      state: { rows: table({ key: 'int256', row: { n: 'uint8' } }) },
      functions: {
        put({ state }, keys) { for (const key of keys) state.rows.put(key, { n: 1n }) },
        remove({ state }, keys) { for (const key of keys) state.rows.remove(key) },
        keys: ({ state }, reverse) => [...state.rows.keys({ reverse })],
        some: ({ state }, from, limit) => [...state.rows.range({ from, limit })].map(([key]) => key),
        get: ({ state }, key) => state.rows.get(key)?.n ?? 0n,
        size: ({ state }) => state.rows.size,
        wrong({ state }, which) {
          const rows = state.rows as any
          const wrongs = [
            () => rows.get(1), () => rows.put('1', { n: 1n }), () => rows.remove(2n ** 255n), () => rows.has(undefined),
            () => rows.first({ from: 1 }), () => rows.put(1n, {}), () => rows.put(1n, { n: 256n }),
          ]
          wrongs[Number(which)]!()
        },
      },
    })`)
  pairs = await kitContract(`import { contract, table } from '@quoin/contracts'
    export default contract({
      abi: [
        'function put((bytes32 a, int256 b)[] keys)',
        'function remove((bytes32 a, int256 b)[] keys)',
        'function keys(bool reverse) view returns ((bytes32 a, int256 b)[])',
        'function wrong(uint256 which)',
      ],
      state: { rows: table({ key: { a: 'bytes32', b: 'int256' }, row: { n: 'uint8' } }) },
      functions: {
        put({ state }, keys) { for (const key of keys) state.rows.put(key, { n: 1n }) },
        remove({ state }, keys) { for (const key of keys) state.rows.remove(key) },
        keys: ({ state }, reverse) => [...state.rows.keys({ reverse })],
        wrong({ state }, which) {
          const rows = state.rows as any
          const a = new Uint8Array(32)
          const wrongs = [
            () => rows.get({ a }), () => rows.get({ b: 1n }), () => rows.first({ from: { b: 1n } }), () => rows.first({ prefix: { b: 1n } }),
            () => rows.put({ a: new Uint8Array(31), b: 1n }, { n: 1n }), () => rows.first({ prefix: { a: 'a' } }),
          ]
          wrongs[Number(which)]!()
        },
      },
    })`)
})

const ascending = (a: bigint, b: bigint): number => (a < b ? -1 : a > b ? 1 : 0)

/** A table and a sorted array. Compares them with each other and with the tree in storage. */
class Numbers {
  readonly contracts = new TestContracts()
  readonly contract: TestContract = numbers.deploy(this.contracts)
  readonly #held = new Set<bigint>()

  put(keys: readonly bigint[]): void {
    this.contracts.call(this.contract, 'put', [keys], GAS)
    for (const key of keys) this.#held.add(key)
  }

  remove(keys: readonly bigint[]): void {
    this.contracts.call(this.contract, 'remove', [keys], GAS)
    for (const key of keys) this.#held.delete(key)
  }

  shape() {
    return readTree(this.contracts.journal, this.contract.address, 'rows')
  }

  check(): void {
    const expected = [...this.#held].sort(ascending)
    expect(this.contracts.call(this.contract, 'keys', [false], GAS)).toEqual(expected)
    expect(this.contracts.call(this.contract, 'keys', [true], GAS)).toEqual(expected.toReversed())
    const shape = this.shape()
    expect([shape.keys.length, shape.size]).toEqual([expected.length, expected.length])
    expect(shape.leaves).toBeLessThanOrEqual(Math.max(1, expected.length))
    expect(shape.charsMax).toBeLessThanOrEqual(600)
  }
}

/** Keys with many digits: six of them fill a leaf, so that few rows make deep trees. */
const wide = (n: number): bigint => (n % 2 === 0 ? 1n : -1n) * (10n ** 70n + BigInt(n) ** 9n)
const upTo = (count: number, key: (i: number) => bigint = wide) => Array.from({ length: count }, (_, i) => key(i))

describe('the tree of a table', () => {
  it('holds the right keys and is well formed after any changes', () => {
    const chunk = fc.record({
      removes: fc.boolean(),
      start: fc.nat({ max: 150 }),
      count: fc.integer({ min: 1, max: 100 }),
      stride: fc.constantFrom(1, 2, 7, -1, 61),
    })
    const follow = (chunks: readonly { removes: boolean; start: number; count: number; stride: number }[]) => {
      const table = new Numbers()
      for (const { removes, start, count, stride } of chunks) {
        const keys = upTo(count, (i) => wide((((start + i * stride) % 151) + 151) % 151))
        if (removes) table.remove(keys)
        else table.put(keys)
      }
      table.check()
    }
    fc.assert(fc.property(fc.array(chunk, { maxLength: 12 }), follow), { numRuns: runs(25) })
  })

  it('fills its leaves when keys ascend, and most of them when they do not', () => {
    const rowsPerLeaf = (key: (i: number) => bigint) => {
      const table = new Numbers()
      table.put(upTo(600, key))
      table.check()
      return 600 / table.shape().leaves
    }
    const digits = (i: number) => BigInt(10_000 + i)
    expect(rowsPerLeaf(digits)).toBeGreaterThan(38)
    expect(rowsPerLeaf((i) => -digits(i))).toBeGreaterThan(17)
    // The new key is rarely the greatest of all, but often the greatest of its neighbourhood.
    expect(rowsPerLeaf((i) => 10_000n + ((BigInt(i) * 6_180_339_887n) % 89_989n))).toBeGreaterThan(20)
  })

  it('divides a leaf in the middle where a key is the last of it and not of all', () => {
    const table = new Numbers()
    const at = (n: bigint) => 10n ** 12n + n
    // As many keys as fit into one leaf.
    table.put(upTo(20, (i) => at(BigInt(i))))
    expect(table.shape().leaves).toBe(1)
    // Each key comes right after the same full leaf: 9, 8, … 1 × 10¹¹, then × 10¹⁰, and so on.
    for (const key of upTo(90, (i) => at(BigInt(9 - (i % 9)) * 10n ** BigInt(11 - Math.floor(i / 9))))) table.put([key])
    table.check()
    expect(table.shape().leaves).toBeLessThan(15)
  })

  it('becomes small again: nothing is left of rows that were removed but the count of nodes', () => {
    const table = new Numbers()
    const keys = upTo(200)
    table.put(keys)
    const { height, nodes } = table.shape()
    expect(height).toBeGreaterThanOrEqual(3)
    table.remove(keys.filter((_, i) => i % 20 !== 0))
    table.check()
    expect(table.shape().nodes).toBeLessThan(nodes / 2)
    table.remove(keys.slice(1))
    table.check()
    expect(table.shape()).toMatchObject({ nodes: 1, height: 1 })
    table.remove(keys)
    table.check()
    expect(table.shape()).toMatchObject({ keys: [], height: 0 })
    table.put([5n])
    table.check()
  })

  it('does not grow when it is a queue', () => {
    const table = new Numbers()
    const at = (i: number) => 10n ** 60n + BigInt(i)
    let nodesMax = 0
    for (let i = 0; i < 600; i += 30) {
      table.put(upTo(30, (j) => at(i + j)))
      if (i >= 60) table.remove(upTo(30, (j) => at(i + j - 60)))
      nodesMax = Math.max(nodesMax, table.shape().nodes)
    }
    table.check()
    expect(nodesMax).toBeLessThan(40)
  })

  it('writes the row, the leaf and the count for a row, and a node more where one is divided', () => {
    const table = new Numbers()
    const key = (i: number) => BigInt((i * 7919) % 10_007)
    for (let i = 0; i < 3_000; i += 500) table.put(upTo(500, (j) => key(i + j)))
    const { journal } = table.contracts
    let divided = 0
    for (let i = 3_000; i < 3_100; i++) {
      const before = journal.checkpoint().writes
      const { height, nodes } = table.shape()
      table.put([key(i)])
      // A call without value does not write the account's nonce and balance.
      const writes = journal.checkpoint().writes - before
      const grown = table.shape().nodes - nodes
      divided += Math.min(1, grown)
      expect(writes).toBeLessThanOrEqual(3 + 3 * grown)
      expect(height).toBeLessThanOrEqual(4)
    }
    expect(divided).toBeGreaterThan(0)
    table.check()
  })

  it('reads a range of a large table for the cost of its rows and one path to each leaf', () => {
    const table = new Numbers()
    for (let i = 0; i < 3_000; i += 500) table.put(upTo(500, (j) => BigInt(i + j)))
    const gas = (limit: bigint) => table.contracts.attempt(table.contract, 'some', [1_500n, limit], GAS).gasUsed
    expect(table.contracts.call(table.contract, 'some', [1_500n, 3n], GAS)).toEqual([1_500n, 1_501n, 1_502n])
    const [one, twenty, hundred] = [gas(1n), gas(20n), gas(100n)] as const
    const { read } = CONTRACT_GAS.key
    expect(one).toBeLessThan(4 * read + 300_000)
    expect((twenty - one) / 19).toBeLessThan(read + 60_000)
    expect((hundred - twenty) / 80).toBeLessThan(read + 60_000)
  })

  it('distinguishes keys with equal prefixes', () => {
    const key = fc.record({
      a: fc.constantFrom(...['00', '01', 'ff'].map((byte) => `0x${'00'.repeat(31)}${byte}` as const)),
      b: fc.oneof(fc.bigInt({ min: -200n, max: 200n }), fc.bigInt({ min: -(2n ** 255n), max: 2n ** 255n - 1n })),
    })
    const follow = (puts: readonly { a: string; b: bigint }[], removes: readonly number[]) => {
      const contracts = new TestContracts()
      const contract = pairs.deploy(contracts)
      contracts.call(contract, 'put', [puts], GAS)
      const removed = removes.flatMap((n) => puts[n] ?? [])
      contracts.call(contract, 'remove', [removed], GAS)
      const nameOf = ({ a, b }: { a: string; b: bigint }) => `${a} ${b}`
      const gone = new Set(removed.map(nameOf))
      const held = new Map(puts.filter((put) => !gone.has(nameOf(put))).map((put) => [nameOf(put), put]))
      const expected = [...held.values()].sort((x, y) => (x.a < y.a ? -1 : x.a > y.a ? 1 : ascending(x.b, y.b)))
      expect(contracts.call(contract, 'keys', [false], GAS)).toEqual(expected)
      expect(contracts.call(contract, 'keys', [true], GAS)).toEqual(expected.toReversed())
      expect(readTree(contracts.journal, contract.address, 'rows').size).toBe(expected.length)
    }
    const indexes = fc.array(fc.nat({ max: 80 }), { maxLength: 60 })
    fc.assert(fc.property(fc.array(key, { maxLength: 80 }), indexes, follow), { numRuns: runs(15) })
  })
})

describe('a table', () => {
  it.each([0n, 1n, 2n, 3n, 4n])('refuses invalid keys (%s)', (which) => {
    const contracts = new TestContracts()
    expect(contracts.failure(numbers.deploy(contracts), 'wrong', [which])).toContain(
      'TypeError: a key must be a value of type int256',
    )
  })

  it.each([
    [0n, 'a key must be a value of type int256'],
    [1n, 'a key must be a value of type bytes32'],
    [2n, 'a part of a key has its first members: a, b'],
    [3n, 'a part of a key has its first members: a, b'],
    [4n, 'a key must be a value of type bytes32'],
    [5n, 'a key must be a value of type bytes32'],
  ])('refuses invalid parts of keys (%s)', (which, reason) => {
    const contracts = new TestContracts()
    expect(contracts.failure(pairs.deploy(contracts), 'wrong', [which])).toContain(`TypeError: ${reason}`)
  })

  it('stores nothing of an invalid row', () => {
    const contracts = new TestContracts()
    const contract = numbers.deploy(contracts)
    for (const which of [5n, 6n]) contracts.failure(contract, 'wrong', [which])
    expect(contracts.call(contract, 'keys', [false])).toEqual([])
    expect(contracts.call(contract, 'size')).toBe(0n)
  })

  it('is in the layout with the types of key and row', () => {
    expect(numbers.layout).toEqual(['rows table(int256;(uint8))'])
    expect(pairs.layout).toEqual(['rows table(bytes32,int256;(uint8))'])
  })

  it('keeps rows where eth_getStorageAt finds them: behind the name and the key', () => {
    const contracts = new TestContracts()
    const { address } = numbers.deploy(contracts)
    contracts.call({ address, abi: numbers.abi }, 'put', [[-42n]])
    expect(bytesToHex(contracts.journal.storage(address, Buffer.from('rows:-42'))!)).toBe(toHex(1n, { size: 32 }))
  })
})
