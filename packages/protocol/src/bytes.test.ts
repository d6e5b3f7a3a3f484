import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  Address,
  bigIntToBytes,
  bytesToBigInt,
  bytesToHex,
  bytesToNumber,
  compareBytes,
  concatBytes,
  equalBytes,
  Hash,
  hexToBytes,
  numberToBytes,
  parseHex,
  parseUtf8,
  utf8ToBytes,
} from './bytes.ts'

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

const anyBytes = fc.uint8Array({ maxLength: 70 })
const few = fc.uint8Array({ maxLength: 3, max: 2 })

describe('hex', () => {
  it("is Node's for long bytes too, at any boundary of the chunks", () => {
    for (const length of [0, 511, 512, 513, 1_024, 1_025, 5_000]) {
      const bytes = Uint8Array.from({ length }, (_, i) => (i * 31) & 255)
      expect(bytesToHex(bytes)).toBe(`0x${Buffer.from(bytes).toString('hex')}`)
    }
  })

  it('is a flat string: 10,000 hashes take less than 200 bytes each', () => {
    const bytes = new Uint8Array(32)
    const kept: string[] = []
    collectGarbage()
    const before = process.memoryUsage().heapUsed
    for (let i = 0; i < 10_000; i++) {
      bytes.set([i & 255, i >> 8])
      kept.push(bytesToHex(bytes))
    }
    collectGarbage()
    expect((process.memoryUsage().heapUsed - before) / kept.length).toBeLessThan(200)
  })

  it("is Node's, with a prefix", () => {
    fc.assert(
      fc.property(anyBytes, (bytes) => {
        const text = bytesToHex(bytes)
        expect(text).toBe(`0x${Buffer.from(bytes).toString('hex')}`)
        expect(hexToBytes(text)).toEqual(bytes)
        expect(parseHex(`0x${text.slice(2).toUpperCase()}`)).toEqual(bytes)
      }),
    )
  })

  it('refuses anything else', () => {
    for (const text of [
      '',
      '0',
      '0x0',
      '00',
      '0X00',
      '0xg0',
      '0x0g',
      ' 0x00',
      '0x00 ',
      '0x0',
      '0x-1',
      '0x０0',
      '0x:0',
      '0x@a',
      '0x`a',
      '0x/0',
    ]) {
      expect(parseHex(text), text).toBeUndefined()
      expect(() => hexToBytes(text as `0x${string}`), text).toThrow(TypeError)
    }
    expect(parseHex('0x')).toEqual(new Uint8Array(0))
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0x20, max: 0x7f }), { minLength: 2, maxLength: 2 }), (codes) => {
        const text = String.fromCharCode(...codes)
        expect(parseHex(`0x${text}`) !== undefined).toBe(/^[0-9a-fA-F]{2}$/.test(text))
      }),
    )
  })

  it('of hashes and addresses has their size, in lower case', () => {
    const checksummed = '0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266'
    expect(Address(checksummed)).toBe(checksummed.toLowerCase())
    expect(Hash(new Uint8Array(32).fill(0xab))).toBe(`0x${'ab'.repeat(32)}`)
    for (const length of [0, 19, 21, 31, 33]) {
      expect(() => Hash(new Uint8Array(length))).toThrow('Hash must be 32 bytes')
      expect(() => Address(bytesToHex(new Uint8Array(length)))).toThrow('Address must be 20 bytes')
    }
    expect(() => Address('somebody')).toThrow(TypeError)
  })
})

describe('order', () => {
  it("is Node's", () => {
    fc.assert(
      fc.property(few, few, (a, b) => {
        expect(Math.sign(compareBytes(a, b))).toBe(Buffer.compare(a, b))
        expect(equalBytes(a, b)).toBe(Buffer.compare(a, b) === 0)
      }),
      { numRuns: 500 },
    )
  })

  it('of bytes is the order of their hex, on which sets and registries rely', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 4, maxLength: 4 }), fc.uint8Array({ minLength: 4, maxLength: 4 }), (a, b) => {
        expect(bytesToHex(a) < bytesToHex(b)).toBe(compareBytes(a, b) < 0)
      }),
    )
  })
})

it('concatenation joins in order', () => {
  fc.assert(
    fc.property(fc.array(anyBytes, { maxLength: 5 }), (parts) => {
      expect(concatBytes(...parts)).toEqual(Uint8Array.from(parts.flatMap((part) => [...part])))
    }),
  )
})

describe('integers', () => {
  it('are big-endian', () => {
    expect(bytesToHex(numberToBytes(0x0102, 4))).toBe('0x00000102')
    expect(bytesToHex(bigIntToBytes(0x0102n, 4))).toBe('0x00000102')
    fc.assert(
      fc.property(fc.maxSafeNat(), fc.integer({ min: 7, max: 40 }), (value, length) => {
        const bytes = numberToBytes(value, length)
        expect(bytes).toEqual(bigIntToBytes(BigInt(value), length))
        expect(bytesToNumber(bytes)).toBe(value)
      }),
    )
    fc.assert(
      fc.property(fc.bigInt(0n, 2n ** 256n - 1n), (value) => {
        expect(bytesToBigInt(bigIntToBytes(value, 32))).toBe(value)
        expect(bytesToNumber(bigIntToBytes(value, 32))).toBe(value < 2n ** 53n ? Number(value) : undefined)
      }),
    )
    expect(bytesToBigInt(new Uint8Array(0))).toBe(0n)
    expect(bytesToNumber(new Uint8Array(0))).toBe(0)
  })

  it('throw if the value does not fit', () => {
    for (const [value, length] of [
      [256, 1],
      [-1, 2],
      [2 ** 53 - 1, 6],
    ] as const) {
      expect(() => numberToBytes(value, length)).toThrow(RangeError)
      expect(() => bigIntToBytes(BigInt(value), length)).toThrow(RangeError)
    }
    expect(bytesToNumber(hexToBytes('0x1fffffffffffff'))).toBe(Number.MAX_SAFE_INTEGER)
    expect(bytesToNumber(hexToBytes('0x20000000000000'))).toBeUndefined()
  })
})

/** The result of the platform's strict decoder; undefined if it throws. */
function platformText(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return undefined
  }
}

it('UTF-8 decodes as with TextDecoder, which refuses the same bytes', () => {
  const head = fc.constantFrom(
    0x00,
    0x41,
    0x7f,
    0x80,
    0xbf,
    0xc0,
    0xc1,
    0xc2,
    0xdf,
    0xe0,
    0xed,
    0xef,
    0xf0,
    0xf4,
    0xf5,
    0xf8,
    0xff,
  )
  fc.assert(
    fc.property(
      fc.oneof(
        fc.uint8Array(),
        fc.array(head).map((all) => Uint8Array.from(all)),
      ),
      (bytes) => {
        expect(parseUtf8(bytes)).toBe(platformText(bytes))
      },
    ),
    { numRuns: 1000 },
  )
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const bytes = utf8ToBytes(text)
      expect(parseUtf8(bytes)).toBe(text)
      for (let length = 0; length < bytes.length; length++)
        expect(parseUtf8(bytes.subarray(0, length))).toBe(platformText(bytes.subarray(0, length)))
    }),
  )
  for (const first of [0xc2, 0xdf, 0xe0, 0xed, 0xf0, 0xf4])
    for (let second = 0; second < 256; second++) {
      const bytes = Uint8Array.of(first, second, 0x80, 0xbf)
      for (const length of [2, 3, 4]) expect(parseUtf8(bytes.subarray(0, length))).toBe(platformText(bytes.subarray(0, length)))
    }
  const long = 'ä€😀 '.repeat(5000)
  expect(parseUtf8(utf8ToBytes(long))).toBe(long)
})

it('UTF-8 encodes as with TextEncoder, also lone surrogates', () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.nat(0xffff), fc.integer({ min: 0xd700, max: 0xe100 }))).map((units) => String.fromCharCode(...units)),
      (text) => {
        expect(utf8ToBytes(text)).toEqual(new TextEncoder().encode(text))
      },
    ),
    { numRuns: 500 },
  )
})
