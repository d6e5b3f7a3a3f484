import { decodeRlp as ethersDecodeRlp, encodeRlp as ethersEncodeRlp } from 'ethers'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bytesToBigInt, bytesToHex, equalBytes, type Hex, hexToBytes, utf8ToBytes } from './bytes.ts'
import { encodeRlp, integerPayload, RlpFailure, RlpReader, type RlpValue, wrapList } from './rlp.ts'

/** A value as ethereum/tests writes it: a string, an integer (`bigint` if large) or a list. */
type Vector = string | number | bigint | readonly Vector[]

const valueOf = (vector: Vector): RlpValue => {
  if (typeof vector === 'string') return utf8ToBytes(vector)
  return typeof vector === 'object' ? vector.map(valueOf) : integerPayload(vector)
}

/** Reads all items as an untyped decoder would. */
function readAll(bytes: Uint8Array): RlpValue {
  const reader = new RlpReader(bytes)
  const value = readItem(reader)
  reader.finish()
  return value
}

function readItem(reader: RlpReader): RlpValue {
  const { kind, start, end } = reader.item()
  if (kind === 'bytes') return reader.bytes.slice(start, end)
  const items: RlpValue[] = []
  const inside = new RlpReader(reader.bytes, start, end)
  while (!inside.done) items.push(readItem(inside))
  return items
}

const words = ['asdf', 'qwer', 'zxcv']
const wordsHex = 'cf84617364668471776572847a786376'
const lorem = 'Lorem ipsum dolor sit amet, consectetur adipisicing eli'
const loremHex = bytesToHex(utf8ToBytes(lorem)).slice(2)

/** ethereum/tests, RLPTests/rlptest.json. */
const valid: Readonly<Record<string, readonly [Vector, string]>> = {
  emptystring: ['', '80'],
  bytestring00: ['\u0000', '00'],
  bytestring01: ['\u0001', '01'],
  bytestring7F: ['\u007f', '7f'],
  shortstring: ['dog', '83646f67'],
  shortstring2: [lorem, `b7${loremHex}`],
  longstring: [`${lorem}t`, `b838${loremHex}74`],
  zero: [0, '80'],
  smallint: [1, '01'],
  smallint2: [16, '10'],
  smallint3: [79, '4f'],
  smallint4: [127, '7f'],
  mediumint1: [128, '8180'],
  mediumint2: [1000, '8203e8'],
  mediumint3: [100000, '830186a0'],
  mediumint4: [83729609699884896815286331701780722n, '8f102030405060708090a0b0c0d0e0f2'],
  mediumint5: [
    105315505618206987246253880190783558935785933862974822347068935681n,
    '9c0100020003000400050006000700080009000a000b000c000d000e01',
  ],
  emptylist: [[], 'c0'],
  stringlist: [['dog', 'god', 'cat'], 'cc83646f6783676f6483636174'],
  multilist: [['zw', [4], 1], 'c6827a77c10401'],
  shortListMax1: [
    [...words, ...words, ...words, 'asdf', 'qwer'],
    'f784617364668471776572847a78637684617364668471776572847a78637684617364668471776572847a78637684617364668471776572',
  ],
  longList1: [Array<Vector>(4).fill(words), `f840${wordsHex.repeat(4)}`],
  longList2: [Array<Vector>(32).fill(words), `f90200${wordsHex.repeat(32)}`],
  listsoflists: [[[[], []], []], 'c4c2c0c0c0'],
  listsoflists2: [[[], [[]], [[], [[]]]], 'c7c0c1c0c3c0c1c0'],
  dictTest1: [
    [
      ['key1', 'val1'],
      ['key2', 'val2'],
      ['key3', 'val3'],
      ['key4', 'val4'],
    ],
    'ecca846b6579318476616c31ca846b6579328476616c32ca846b6579338476616c33ca846b6579348476616c34',
  ],
  bigint: [2n ** 256n, `a101${'00'.repeat(32)}`],
}

/** ethereum/tests, RLPTests/invalidRLPTest.json, with its names. */
const invalid: Readonly<Record<string, string>> = {
  int32Overflow: 'bf0f000000000000021111',
  int32Overflow2: 'ff0f000000000000021111',
  wrongSizeList: 'f80180',
  wrongSizeList2: 'f80100',
  incorrectLengthInArray: 'b9002100dc2b275d0f74e8a53e6f4ec61b27f24278820be3f82ea2110e582081b0565df0',
  randomRLP:
    'f861f83eb9002100dc2b275d0f74e8a53e6f4ec61b27f24278820be3f82ea2110e582081b0565df027b90015002d5ef8325ae4d034df55d4b58d0dfba64d61ddd17be00000b9001a00dae30907045a2f66fa36f2bb8aa9029cbb0b8a7b3b5c435ab331',
  bytesShouldBeSingleByte00: '8100',
  bytesShouldBeSingleByte01: '8101',
  bytesShouldBeSingleByte7F: '817f',
  leadingZerosInLongLengthArray1:
    'b90040000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f',
  leadingZerosInLongLengthArray2: 'b800',
  leadingZerosInLongLengthList1:
    'fb00000040000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f',
  leadingZerosInLongLengthList2: 'f800',
  nonOptimalLongLengthArray1: 'b81000112233445566778899aabbccddeeff',
  nonOptimalLongLengthArray2: 'b801ff',
  nonOptimalLongLengthList1: 'f810000102030405060708090a0b0c0d0e0f',
  nonOptimalLongLengthList2: 'f803112233',
}

/** More bytes that are not canonical RLP. */
const alsoInvalid: Readonly<Record<string, string>> = {
  nothing: '',
  'two items': '0000',
  'a byte after a list': 'c000',
  'a string cut short': '8261',
  'a list cut short': 'c281',
  'a length cut short': 'b9',
  'a long string cut short': `b838${'00'.repeat(55)}`,
  'a string of 55 bytes in the long form': `b837${'61'.repeat(55)}`,
  'a list of 55 bytes in the long form': `f837${'61'.repeat(55)}`,
  'a length of 2^53': 'bf0020000000000000',
  'a length of 2^64 - 1': 'ffffffffffffffffff',
  'an item that runs out of its list': 'c28261ff',
  'a list that runs out of its list': 'c2c200ff',
}

describe('public vectors', () => {
  it.each(Object.entries(valid))('%s', (_name, [vector, encoded]) => {
    const value = valueOf(vector)
    expect(bytesToHex(encodeRlp(value))).toBe(`0x${encoded}`)
    expect(readAll(hexToBytes(`0x${encoded}`))).toEqual(value)
  })

  it.each([...Object.entries(invalid), ...Object.entries(alsoInvalid)])('%s is refused', (_name, encoded) => {
    expect(() => readAll(hexToBytes(`0x${encoded}`))).toThrow(RlpFailure)
  })
})

const string = fc.oneof(
  { weight: 5, arbitrary: fc.uint8Array({ maxLength: 4 }) },
  { weight: 1, arbitrary: fc.uint8Array({ minLength: 53, maxLength: 58 }) },
  { weight: 1, arbitrary: fc.integer({ min: 250, max: 260 }).map((length) => new Uint8Array(length)) },
)
const { value: anyValue } = fc.letrec<{ value: RlpValue }>((tie) => ({
  value: fc.oneof({ depthSize: 'small' }, string, fc.array(tie('value'), { maxLength: 6 })),
}))

const hexTree = (value: RlpValue): never => (value instanceof Uint8Array ? bytesToHex(value) : value.map(hexTree)) as never

describe('RLP', () => {
  it('round-trips, and writes and reads as ethers does', () => {
    fc.assert(
      fc.property(anyValue, (value) => {
        const encoded = encodeRlp(value)
        expect(bytesToHex(encoded)).toBe(ethersEncodeRlp(hexTree(value)))
        expect(readAll(encoded)).toEqual(value)
        expect(ethersDecodeRlp(encoded)).toEqual(hexTree(value))
      }),
      { numRuns: 300 },
    )
  })

  it('reads canonical encodings only', () => {
    const near = anyValue.chain((value) => {
      const encoded = encodeRlp(value)
      const change = fc.tuple(fc.nat(encoded.length - 1), fc.nat(255)).map(([at, byte]) => encoded.with(at, byte))
      return fc.oneof(
        change,
        fc.nat(encoded.length).map((length) => encoded.slice(0, length)),
      )
    })
    fc.assert(
      fc.property(fc.oneof(near, fc.uint8Array({ maxLength: 12 })), (bytes) => {
        let value: RlpValue
        try {
          value = readAll(bytes)
        } catch (failure) {
          expect(failure).toBeInstanceOf(RlpFailure)
          return
        }
        expect(equalBytes(encodeRlp(value), bytes)).toBe(true)
      }),
      { numRuns: 2_000 },
    )
  })

  it('wraps a payload of any length', () => {
    for (const length of [0, 1, 55, 56, 255, 256, 65_535, 65_536]) {
      const items = Array.from({ length }, () => Uint8Array.of(1))
      expect(equalBytes(wrapList(new Uint8Array(length).fill(1)), encodeRlp(items)), `${length} bytes`).toBe(true)
    }
  })
})

describe('integers', () => {
  const read = (hex: Hex) => new RlpReader(hexToBytes(hex))

  it('are the shortest big-endian bytes', () => {
    fc.assert(
      fc.property(fc.bigInt(0n, 2n ** 256n - 1n), (value) => {
        const payload = integerPayload(value)
        expect(payload[0]).not.toBe(0)
        expect(bytesToBigInt(payload)).toBe(value)
        expect(new RlpReader(encodeRlp(payload)).bigint('value')).toBe(value)
        const number = () => new RlpReader(encodeRlp(payload)).number('value')
        if (value < 2n ** 53n) expect(number()).toBe(Number(value))
        else expect(number).toThrow(RlpFailure)
      }),
    )
    expect(integerPayload(0)).toEqual(new Uint8Array(0))
    expect(integerPayload(256)).toEqual(Uint8Array.of(1, 0))
  })

  it.each([
    ['a zero byte', '0x00', 'value has a leading zero'],
    ['a leading zero', '0x820001', 'value has a leading zero'],
    ['a list', '0xc0', 'value is a list'],
    ['33 bytes', `0xa1${'ff'.repeat(33)}`, 'value has more than 32 bytes'],
  ] as const)('refuse %s', (_what, hex, message) => {
    expect(() => read(hex).bigint('value')).toThrow(message)
    expect(() => read(hex).number('value')).toThrow(RlpFailure)
  })

  it('keep to a limit', () => {
    expect(read('0x64').number('value', 100)).toBe(100)
    expect(() => read('0x65').number('value', 100)).toThrow('value is above 100')
    expect(() => read('0x89010000000000000000').number('value')).toThrow('value has more than 8 bytes')
  })
})

describe('the cursor', () => {
  it('asks for what it expects, by name', () => {
    const read = () => new RlpReader(hexToBytes('0xc3820102'))
    expect(() => read().string('to')).toThrow('to is a list')
    expect(() => read().list('fields').list('to')).toThrow('to is not a list')
    expect(() => read().list('fields').string('to', 20)).toThrow('to has 2 bytes, not 20')
    expect(() => read().list('fields').finish()).toThrow('3 bytes follow the last item')
    const fields = read().list('fields')
    expect(fields.string('to', 2)).toEqual(Uint8Array.of(1, 2))
    expect(fields.done).toBe(true)
    expect(() => fields.string('value')).toThrow('an item is missing')
  })
})
