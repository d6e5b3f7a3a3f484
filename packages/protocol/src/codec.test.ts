import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { checkCanonical, checkRoundTrip, checkStrict } from '../test/codec-laws.ts'
import { Address, bytesToHex, equalBytes, Hash, hexToBytes, joinBytes } from './bytes.ts'
import * as codec from './codec.ts'

const hex = (bytes: Uint8Array) => bytesToHex(bytes).slice(2)
const bytes = (text: string) => hexToBytes(`0x${text}`)
const refusal = <T>(type: codec.Codec<T>, text: string) => {
  const decoded = codec.decode(type, bytes(text))
  return decoded.ok ? undefined : decoded.error.message
}

describe('integers', () => {
  const types = [
    { name: 'u8', make: codec.u8, width: 1, max: 0xff, largest: 'ff' },
    { name: 'u16', make: codec.u16, width: 2, max: 0xffff, largest: 'ffff' },
    { name: 'u32', make: codec.u32, width: 4, max: 0xffff_ffff, largest: 'ffffffff' },
    { name: 'u64', make: codec.u64, width: 8, max: Number.MAX_SAFE_INTEGER, largest: '001fffffffffffff' },
  ] as const

  it.each(types)('$name is big-endian, of fixed width, and never wraps', ({ make, width, max, largest }) => {
    const type = make()
    expect(type.bytesMax).toBe(width)
    expect(hex(codec.encode(type, max))).toBe(largest)
    expect(hex(codec.encode(type, 1))).toBe('01'.padStart(2 * width, '0'))
    for (const wrong of [-1, max + 1, 0.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => codec.encode(type, wrong)).toThrow(RangeError)
    }
    fc.assert(
      fc.property(fc.integer({ min: 0, max }), (value) => {
        expect(hex(checkRoundTrip(type, value))).toBe(value.toString(16).padStart(2 * width, '0'))
      }),
    )
    checkStrict(type, codec.encode(type, max))
  })

  it.each(types)('$name keeps to a narrower range both ways', ({ make, width }) => {
    const type = make(100)
    checkRoundTrip(type, 100)
    expect(() => codec.encode(type, 101)).toThrow('101 is not an integer from 0 to 100')
    expect(refusal(type, (101).toString(16).padStart(2 * width, '0'))).toBe(`101 is above 100 (at byte ${width})`)
  })

  it('u64 refuses what a number cannot hold exactly', () => {
    expect(refusal(codec.u64(), '0020000000000000')).toContain('2^53')
    expect(refusal(codec.u64(), 'ffffffffffffffff')).toContain('2^53')
    expect(codec.decode(codec.u64(), bytes('001fffffffffffff'))).toEqual({ ok: true, value: 2 ** 53 - 1 })
  })

  it('u256 is 32 bytes, big-endian', () => {
    const type = codec.u256()
    expect(hex(codec.encode(type, 2n ** 256n - 1n))).toBe('ff'.repeat(32))
    fc.assert(
      fc.property(fc.bigInt(0n, 2n ** 256n - 1n), (value) => {
        expect(hex(checkRoundTrip(type, value))).toBe(value.toString(16).padStart(64, '0'))
      }),
    )
    for (const wrong of [-1n, 2n ** 256n]) expect(() => codec.encode(type, wrong)).toThrow(RangeError)
    checkStrict(type, codec.encode(type, 7n))
  })
})

describe('bool', () => {
  it('is 0 or 1 and nothing else', () => {
    for (let byte = 0; byte < 256; byte++) {
      const decoded = codec.decode(codec.bool, Uint8Array.of(byte))
      if (byte < 2) expect(decoded).toEqual({ ok: true, value: byte === 1 })
      else expect(decoded.ok).toBe(false)
    }
    expect(hex(codec.encode(codec.bool, true))).toBe('01')
  })
})

describe('byte strings', () => {
  it('of a fixed length have that length', () => {
    const type = codec.fixedBytes(3)
    expect(hex(checkRoundTrip(type, bytes('010203')))).toBe('010203')
    for (const wrong of ['0102', '01020304']) {
      expect(() => codec.encode(type, bytes(wrong))).toThrow(RangeError)
      expect(refusal(type, wrong)).toBeDefined()
    }
  })

  it('of variable length have it in four bytes, up to a limit', () => {
    const type = codec.bytes(3)
    expect(type.bytesMax).toBe(7)
    for (const value of ['', '01', '010203']) {
      expect(hex(checkRoundTrip(type, bytes(value)))).toBe(`0000000${value.length / 2}${value}`)
      checkStrict(type, codec.encode(type, bytes(value)))
    }
    expect(() => codec.encode(type, bytes('01020304'))).toThrow('4 bytes, at most 3 are allowed')
    expect(refusal(type, '0000000401020304')).toBe('8 bytes, at most 7 are allowed')
    expect(refusal(type, '00000004010203')).toBe('length 4, at most 3 is allowed (at byte 4)')
    expect(refusal(type, 'ffffffff')).toBe('length 4294967295, at most 3 is allowed (at byte 4)')
    expect(refusal(type, '000000020a')).toBe('unexpected end of input: 2 bytes needed, 1 left (at byte 4)')
    expect(refusal(type, '000000010a0b')).toBe('1 bytes follow the value')
  })

  it('decode to copies: the buffer they came in may be used again', () => {
    const input = bytes('00000002aabb')
    const decoded = codec.decode(codec.bytes(2), input)
    input.fill(0)
    expect(decoded).toEqual({ ok: true, value: bytes('aabb') })

    const buffer = Buffer.from('00000002aabb', 'hex')
    const fromBuffer = codec.decode(codec.bytes(2), buffer)
    buffer.fill(0)
    expect(fromBuffer).toEqual({ ok: true, value: bytes('aabb') })
  })

  it('of any length keep their order, and are copied when they are written', () => {
    const item = fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc.integer({ min: 4_090, max: 9_000 }).map((length) => new Uint8Array(length).fill(length)),
    )
    fc.assert(
      fc.property(fc.array(item, { maxLength: 8 }), fc.boolean(), (items, borrows) => {
        const writer = new codec.Writer(borrows)
        for (const bytes of items) writer.bytes(bytes)
        const expected = joinBytes(items)
        expect(writer.length).toBe(expected.length)
        if (!borrows) for (const bytes of items) bytes.fill(7)
        const written = writer.finish()
        for (const bytes of items) bytes.fill(8)
        expect(equalBytes(written, expected)).toBe(true)
        writer.u8(1)
        expect(writer.finish().length).toBe(expected.length + 1)
      }),
    )
  })

  it('of hashes and addresses read as lower-case hex', () => {
    const hash = Hash(new Uint8Array(32).fill(0xab))
    const address = Address(new Uint8Array(20).fill(0xcd))
    expect(hex(checkRoundTrip(codec.hash, hash))).toBe('ab'.repeat(32))
    expect(hex(checkRoundTrip(codec.address, address))).toBe('cd'.repeat(20))
    checkStrict(codec.hash, codec.encode(codec.hash, hash))
    checkStrict(codec.address, codec.encode(codec.address, address))
    for (const wrong of ['0x', `${address}ab`, `0x${'g'.repeat(40)}`]) {
      expect(() => codec.encode(codec.address, wrong as Address)).toThrow()
    }
  })
})

describe('ascii', () => {
  const type = codec.ascii(4)

  it('takes printable characters only', () => {
    for (let code = 0; code < 256; code++) {
      const printable = code >= 0x20 && code <= 0x7e
      expect(codec.decode(type, Uint8Array.of(0, 2, 0x61, code)).ok).toBe(printable)
      const text = `a${String.fromCharCode(code)}`
      if (printable) checkRoundTrip(type, text)
      else expect(() => codec.encode(type, text)).toThrow(RangeError)
    }
    for (const text of ['😀', 'é', 'a\n', '\u{ff21}']) expect(() => codec.encode(type, text)).toThrow(RangeError)
  })

  it('has its length in two bytes, up to its limit', () => {
    expect(type.bytesMax).toBe(6)
    expect(hex(checkRoundTrip(type, 'abcd'))).toBe('000461626364')
    checkStrict(type, codec.encode(type, 'abcd'))
    expect(() => codec.encode(type, 'abcde')).toThrow(RangeError)
    expect(refusal(type, '00056162636465')).toBeDefined()
    expect(refusal(type, 'ffff61626364')).toBe('length 65535, at most 4 is allowed (at byte 2)')
  })
})

describe('utf8', () => {
  const type = codec.utf8(8)

  it('round-trips text of so many bytes, in one encoding', () => {
    for (const text of ['', 'a', 'Ærø', '😀😀', 'a\0b']) checkRoundTrip(type, text)
    checkStrict(type, codec.encode(type, 'Ærø'))
    expect(codec.encode(type, 'é')).toEqual(Uint8Array.of(0, 2, 0xc3, 0xa9))
  })

  it('refuses more bytes, and text that is not well-formed', () => {
    for (const text of ['123456789', 'ééééé', '😀😀a', '\ud83d', 'a\ude00'])
      expect(() => codec.encode(type, text)).toThrow(RangeError)
    const wrong = [
      [0, 9, ...new Uint8Array(9).fill(97)],
      [0, 1, 0xff],
      // A slash in two bytes, half of a surrogate pair, a cut sequence.
      [0, 2, 0xc0, 0xaf],
      [0, 3, 0xed, 0xa0, 0xbd],
      [0, 1, 0xc3],
    ]
    for (const bytes of wrong) expect(codec.decode(type, Uint8Array.from(bytes))).toMatchObject({ ok: false })
    // A byte order mark is text like any other.
    expect(codec.decode(type, Uint8Array.of(0, 3, 0xef, 0xbb, 0xbf))).toEqual({ ok: true, value: '\ufeff' })
  })
})

describe('lists', () => {
  const type = codec.list(codec.u16(), 2)

  it('have their count in four bytes, up to a limit', () => {
    expect(type.bytesMax).toBe(8)
    for (const value of [[], [1], [1, 65_535]]) checkStrict(type, checkRoundTrip(type, value))
    expect(hex(codec.encode(type, [1, 65_535]))).toBe('000000020001ffff')
    expect(() => codec.encode(type, [1, 2, 3])).toThrow('3 items, at most 2 are allowed')
    expect(refusal(type, '00000003')).toBe('3 items, at most 2 are allowed (at byte 4)')
    expect(refusal(type, 'ffffffff')).toBe('4294967295 items, at most 2 are allowed (at byte 4)')
    expect(refusal(type, '000000020001')).toBe('unexpected end of input: 2 bytes needed, 0 left (at byte 6)')
  })

  it('stop at the first missing item, whatever the count', () => {
    const long = codec.list(codec.u8(), 0xffff_ffff)
    expect(refusal(long, 'ffffffff01')).toBe('unexpected end of input: 1 bytes needed, 0 left (at byte 5)')
  })
})

describe('optional', () => {
  it('is a presence byte and the value', () => {
    const type = codec.optional(codec.u8())
    expect(type.bytesMax).toBe(2)
    expect(hex(checkRoundTrip(type, undefined))).toBe('00')
    expect(hex(checkRoundTrip(type, 0))).toBe('0100')
    for (const wrong of ['', '01', '0001', '0205', 'ff']) expect(refusal(type, wrong)).toBeDefined()
  })
})

describe('struct', () => {
  it('is its fields in the order of their declaration, whatever the order in the value', () => {
    const type = codec.struct({ b: codec.u8(), a: codec.u16() })
    expect(type.bytesMax).toBe(3)
    expect(hex(checkRoundTrip(type, { a: 0x0203, b: 1 }))).toBe('010203')
    checkStrict(type, bytes('010203'))
  })
})

describe('union', () => {
  const type = codec.union({ none: codec.struct({}), some: codec.struct({ value: codec.u16() }) })

  it('is a tag and that variant', () => {
    expect(type.bytesMax).toBe(3)
    expect(hex(checkRoundTrip(type, { kind: 'none' }))).toBe('00')
    expect(hex(checkRoundTrip(type, { kind: 'some', value: 5 }))).toBe('010005')
    for (const wrong of ['', '02', 'ff0005', '0000', '0100']) expect(refusal(type, wrong)).toBeDefined()
    expect(refusal(type, '02')).toBe('unknown tag 2 (at byte 1)')
  })

  it('refuses to encode a variant that was not declared', () => {
    expect(() => codec.encode(type, { kind: 'toString' } as never)).toThrow(TypeError)
  })
})

describe('checked', () => {
  const even = codec.checked(codec.u8(), (value) => (value % 2 === 0 ? undefined : `${value} is odd`))

  it('applies its rule both ways', () => {
    expect(even.bytesMax).toBe(1)
    checkRoundTrip(even, 4)
    expect(() => codec.encode(even, 5)).toThrow('5 is odd')
    expect(refusal(even, '05')).toBe('5 is odd (at byte 1)')
  })

  it('throws for a bug of the rule: only refusals are results', () => {
    const broken = codec.checked(codec.u8(), () => {
      throw new TypeError('bug')
    })
    expect(() => codec.decode(broken, Uint8Array.of(1))).toThrow(TypeError)
  })
})

/** A type, its values, and one of the longest. */
interface Sample {
  readonly type: codec.Codec<unknown>
  readonly values: fc.Arbitrary<unknown>
  readonly longest: unknown
}

const sample = <T>(type: codec.Codec<T>, values: fc.Arbitrary<T>, longest: T): Sample => ({
  type: type as codec.Codec<unknown>,
  values,
  longest,
})

const leaf: fc.Arbitrary<Sample> = fc.oneof(
  fc.integer({ min: 0, max: 300 }).map((max) => sample(codec.u16(max), fc.integer({ min: 0, max }), max)),
  fc.constant(sample(codec.u64(), fc.maxSafeNat(), 1)),
  fc.constant(sample(codec.u256(), fc.bigInt(0n, 2n ** 256n - 1n), 1n)),
  fc.constant(sample(codec.bool, fc.boolean(), true)),
  fc.nat(9).map((max) => sample(codec.bytes(max), fc.uint8Array({ maxLength: max }), new Uint8Array(max))),
  fc.nat(9).map((max) => sample(codec.ascii(max), fc.string({ unit: 'grapheme-ascii', maxLength: max }), 'x'.repeat(max))),
)

const fieldNames = ['c', 'a', 'b']

/** Types made of every combinator. */
const { type: anyType } = fc.letrec<{ type: Sample }>((tie) => {
  const fields = fc.array(tie('type'), { minLength: 1, maxLength: 3 })
  const structOf = (items: readonly Sample[]): Sample => {
    const named = items.map((item, i) => [fieldNames[i]!, item] as const)
    const pick = <T>(of: (item: Sample) => T) => Object.fromEntries(named.map(([name, item]) => [name, of(item)]))
    return sample(
      codec.struct(pick(({ type }) => type)),
      fc.record(pick(({ values }) => values)),
      pick(({ longest }) => longest),
    )
  }
  return {
    type: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      leaf,
      fields.map(structOf),
      fields.map((items): Sample => {
        const variants = items.map((item, i) => [`v${i}`, structOf([item])] as const)
        const largest = variants.reduce((a, b) => (b[1].type.bytesMax > a[1].type.bytesMax ? b : a))
        const tagged = ([kind, { values }]: (typeof variants)[number]) => values.map((value) => ({ kind, ...(value as object) }))
        return sample<unknown>(
          codec.union(Object.fromEntries(variants.map(([kind, { type }]) => [kind, type]))) as codec.Codec<unknown>,
          fc.oneof(...variants.map(tagged)),
          { kind: largest[0], ...(largest[1].longest as object) },
        )
      }),
      fc
        .tuple(tie('type'), fc.nat(3))
        .map(([{ type, values, longest }, max]) =>
          sample<readonly unknown[]>(codec.list(type, max), fc.array(values, { maxLength: max }), Array(max).fill(longest)),
        ),
      // A present but undefined value would look like an absent one, so optional wraps a list here.
      tie('type').map(({ type, values, longest }) =>
        sample<readonly unknown[] | undefined>(
          codec.optional(codec.list(type, 1)),
          fc.option(fc.array(values, { maxLength: 1 }), { nil: undefined }),
          [longest],
        ),
      ),
    ),
  }
})

describe('every type that the combinators make', () => {
  it('round-trips, and has one encoding for each value', () => {
    fc.assert(
      fc.property(
        anyType.chain((made) => made.values.map((value) => ({ ...made, value }))),
        ({ type, value }) => checkStrict(type, checkRoundTrip(type, value)),
      ),
      { numRuns: 150 },
    )
  })

  it('has at most bytesMax bytes, and can have that many', () => {
    fc.assert(
      fc.property(anyType, ({ type, longest }) => {
        expect(codec.encode(type, longest).length).toBe(type.bytesMax)
      }),
    )
  })

  it('decodes any bytes canonically or not at all', () => {
    fc.assert(
      fc.property(anyType, fc.uint8Array({ maxLength: 40 }), ({ type }, input) => {
        checkCanonical(type, input)
      }),
      { numRuns: 500 },
    )
  })
})
