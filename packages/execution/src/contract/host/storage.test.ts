import { hexToBytes, utf8ToBytes } from '@quoin/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { typesOf, valueOf as valueOfType } from '../../../test/abi.ts'
import { frameOf, gasOf, refusalOf, runFunction, SELF, valueOf } from '../../../test/guest.ts'
import { disk } from '../../ticks.ts'
import { type GuestValue, VM_GAS } from '../../vm/index.ts'
import { CONTRACT_GAS } from '../contract-gas.ts'

const bytes = (length: number, fill = 7) => new Uint8Array(length).fill(fill)
const KEY = utf8ToBytes('key')

describe('storage', () => {
  it('holds values of every type, and has them back', () => {
    const names = [
      'uint256',
      'int8',
      'address',
      'bool',
      'bytes3',
      'bytes',
      'string',
      'uint64[]',
      '(address,string)[2]',
      'bytes32[2][]',
    ]
    const stored = fc
      .constantFrom(...names)
      .chain((name) => valueOfType(typesOf(name).members[0]!.type).map((value): [string, GuestValue] => [name, value]))
    fc.assert(
      fc.property(stored, ([name, value]) => {
        const frame = frameOf()
        valueOf('quoin.store(values[0], "key", values[1])', frame, name, value)
        expect(valueOf('quoin.load(values[0], "key")', frame, name)).toStrictEqual(value)
        expect(valueOf('quoin.has("key")', frame)).toBe(frame.journal.storage(SELF, KEY) !== undefined)
      }),
      { numRuns: 30 },
    )
  })

  it('returns the zero of its type for a missing key', () => {
    const zeros = valueOf(
      '["uint8", "int256", "bool", "string", "bytes", "bytes2", "address", "bool[]"].map((t) => quoin.load(t, "key"))',
      frameOf(),
    )
    expect(zeros).toEqual([0n, 0n, false, '', bytes(0), bytes(2, 0), `0x${'0'.repeat(40)}`, undefined])
  })

  it('keeps no key for zero', () => {
    const frame = frameOf()
    valueOf('(quoin.store("uint256", "key", 7n), quoin.store("string", "text", "a"))', frame)
    expect(frame.journal.storage(SELF, KEY)).toEqual(Uint8Array.of(7))
    expect(valueOf('[quoin.has("key"), quoin.has("text"), quoin.has("other")]', frame)).toEqual([true, true, false])
    valueOf('(quoin.store("uint256", "key", 0n), quoin.store("string", "text", ""))', frame)
    expect(valueOf('[quoin.has("key"), quoin.has("text")]', frame)).toEqual([false, false])
    expect(frame.journal.changes()).toEqual([])
  })

  it('removes', () => {
    const frame = frameOf()
    valueOf('quoin.store("bool[]", "key", [])', frame)
    expect(
      valueOf('[quoin.load("bool[]", "key"), quoin.remove("key"), quoin.load("bool[]", "key"), quoin.remove("key")]', frame),
    ).toEqual([[], undefined, undefined, undefined])
  })

  it('has keys of text and bytes, which are equal if their bytes are', () => {
    const frame = frameOf()
    valueOf('(quoin.store("uint8", "ä", 1n), quoin.store("uint8", new Uint8Array(0), 2n))', frame)
    expect(frame.journal.storage(SELF, hexToBytes('0xc3a4'))).toEqual(Uint8Array.of(1))
    expect(valueOf('[quoin.load("uint8", Uint8Array.of(0xc3, 0xa4)), quoin.load("uint8", "")]', frame)).toEqual([1n, 2n])
    for (const longest of ['"a".repeat(128)', '"ä".repeat(64)', 'new Uint8Array(128)'])
      expect(valueOf(`quoin.has(${longest})`, frame)).toBe(false)
  })

  it.each(['load("uint8", KEY)', 'store("uint8", KEY, 1n)', 'has(KEY)', 'remove(KEY)'])('refuses invalid keys: %s', (call) => {
    const refusal = (key: string) => refusalOf(`quoin.${call.replace('KEY', key)}`, frameOf())
    const name = call.slice(0, call.indexOf('('))
    for (const long of ['"a".repeat(129)', '"ä".repeat(65)', '"€".repeat(1e6)', 'new Uint8Array(129)'])
      expect(refusal(long)).toBe(`${name}: the key has more than 128 bytes`)
    expect(refusal('"\\ud800"')).toBe(`${name}: the key has a lone surrogate`)
    for (const odd of ['1', '1n', 'undefined', 'null', 'true'])
      expect(refusal(odd)).toBe(`${name}: a key must be a string or a Uint8Array`)
    for (const odd of ['Symbol()', '({})', '[]', '() => 0']) expect(refusal(odd)).toContain(`${name}: argument`)
  })

  it('refuses invalid types', () => {
    for (const [type, why] of [
      ['uint', 'uint is not the canonical name of a type'],
      ['', 'expected a type'],
      ['uint8,uint8', 'expected one type: write a tuple in parentheses'],
      ['mapping(address=>uint256)', 'mapping is not the canonical name of a type'],
      ['uint8'.repeat(200), "the type's name has more than 512 characters"],
      ['uint8[99999999][99999999]', 'more than fits into a transaction'],
    ])
      for (const call of ['load(values[0], "key")', 'store(values[0], "key", 1n)'])
        expect(refusalOf(`quoin.${call}`, frameOf(), type!), type).toContain(why)
  })

  it('refuses values that are not of the type, and changes nothing', () => {
    const frame = frameOf()
    for (const [type, value, why] of [
      ['uint8', '256n', 'store: the integer is out of range for uint8'],
      ['uint8', '1', 'store: a bigint is expected'],
      ['address', '"0x12"', 'store: an address is expected'],
      ['bool', '0n', 'store: a boolean is expected'],
      ['bytes2', 'new Uint8Array(3)', 'store: 3 bytes, expected 2'],
      ['string', '"\\udc00"', 'store: the string has a lone surrogate'],
      ['uint8[2]', '[1n]', 'store: [0]: 1 items, expected 2'],
      ['uint8[]', '[1n, 256n]', 'store: [0][1]: the integer is out of range for uint8'],
      ['uint8[]', 'undefined', 'store: [0]: an array is expected'],
      ['string', '"a".repeat(65537)', 'store: the value takes 65537 bytes, at most 65536 are allowed'],
      ['bytes', 'new Uint8Array(65537)', 'store: the value takes 65537 bytes, at most 65536 are allowed'],
      ['uint8[]', 'Array(2047).fill(1n)', 'store: the value takes 65568 bytes, at most 65536 are allowed'],
    ])
      expect(refusalOf(`quoin.store("${type}", "key", ${value})`, frame)).toBe(why)
    expect(frame.journal.changes()).toEqual([])
    valueOf('quoin.store("string", "key", "a".repeat(65536))', frame)
    expect(frame.journal.storage(SELF, KEY)).toHaveLength(65536)
  })

  it('refuses a value that was stored under another type', () => {
    const frame = frameOf()
    valueOf('quoin.store("uint256", "key", 256n)', frame)
    expect(refusalOf('quoin.load("uint8", "key")', frame)).toBe(
      'load: the value stored under this key is not of type uint8: the word is out of range for uint8',
    )
    expect(refusalOf('quoin.load("bool[]", "key")', frame)).toContain('not of type bool[]')
    expect(valueOf('quoin.load("bytes", "key")', frame)).toEqual(Uint8Array.of(1, 0))
  })

  it('changes nothing when the gas ends within a store', () => {
    const source = 'export default { functions: { run: () => quoin.store("bytes", "key", new Uint8Array(1000)) } }'
    const enough = runFunction(source, frameOf()) as { gasUsed: number }
    // The store's own last charge is 16,000 gas.
    for (const missing of [10_000, 15_000, 20_000].map(disk)) {
      const frame = frameOf()
      expect(runFunction(source, frame, [], enough.gasUsed - missing).kind).toBe('out-of-gas')
      expect(frame.journal.changes(), `${missing} short`).toEqual([])
    }
    const frame = frameOf()
    expect(runFunction(source, frame, [], enough.gasUsed).kind).toBe('return')
    expect(frame.journal.changes()).toHaveLength(1)
  })

  it('is charged for the bytes read, replaced and written', () => {
    const frame = frameOf()
    const [small, large] = [10, 1010].map((length) => gasOf('quoin.store("bytes", "a", values[0])', frameOf(), bytes(length)))
    expect(large! - small!).toBeGreaterThan(disk(16_000))
    valueOf('quoin.store("bytes", "b", new Uint8Array(1000).fill(1))', frame)
    frame.journal.beginTransaction()
    expect(gasOf('quoin.has("b")', frame) - gasOf('quoin.has("c")', frame)).toBe(disk(1_000))
    const removing = (key: string) => {
      frame.journal.beginTransaction()
      const outcome = runFunction('export default { functions: { run: (key) => quoin.remove(key) } }', frame, [key])
      return outcome.kind === 'return' ? outcome.gasUsed : Number.NaN
    }
    expect(removing('b') - removing('b')).toBe(disk(16_000))
  })

  it('costs only the in-memory price once the transaction has used the key, for whatever purpose and with whatever outcome', () => {
    const frame = frameOf()
    const { journal } = frame
    const { read, write } = CONTRACT_GAS.key
    const { storeByte, keptByte } = CONTRACT_GAS.storage
    const has = () => gasOf('quoin.has("k")', frame)
    const store = (length: number) =>
      gasOf('quoin.store("bytes", "k", values[0])', frame, bytes(length)) - length * VM_GAS.hostByte
    const start = journal.checkpoint()
    expect(has() - has()).toBe(read)
    const first = store(100)
    journal.revert(start)
    // Read and written before; the new value is as long as, shorter or longer than what was paid for.
    const again = store(100)
    expect(first - again).toBe(write + storeByte * ('k'.length + 100))
    // In addition, the value is copied to the guest.
    const near = (more: number, expected: number) => expect(Math.abs(more - expected), `${more}`).toBeLessThan(200)
    near(again - store(10), keptByte * 90)
    near(store(130) - again, (storeByte + keptByte) * 30)
    const warm = has()
    journal.beginTransaction()
    expect(has() - warm).toBe(read + CONTRACT_GAS.storage.loadByte * 130)
    expect(has()).toBe(warm)
  })
})
