import { bytesToBigInt, bytesToHex, hexToBytes, nobleCrypto, unwrap } from '@quoin/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { typesOf, valueOf } from '../../../test/abi.ts'
import { decodeArguments } from '../abi/decode.ts'
import { encodeArguments } from '../abi/encode.ts'
import type { AbiType } from '../abi/type.ts'
import type { AbiValue } from '../abi/value.ts'
import { decodeStored, encodeStored } from './stored-value.ts'

const typeOf = (name: string): AbiType => typesOf(name).members[0]!.type
const encode = (name: string, value: unknown) => encodeStored(nobleCrypto, typeOf(name), value)
const decode = (name: string, stored: Uint8Array | undefined) => decodeStored(nobleCrypto, typeOf(name), stored)

const bits = fc.integer({ min: 1, max: 32 }).map((bytes) => 8 * bytes)
const scalarName = fc.oneof(
  fc.constantFrom('address', 'bool', 'bytes', 'string', 'uint256', 'int256'),
  bits.map((n) => `uint${n}`),
  bits.map((n) => `int${n}`),
  bits.map((n) => `bytes${n / 8}`),
)
const compositeName = fc.letrec<{ any: string; composite: string }>((tie) => ({
  any: fc.oneof({ maxDepth: 2 }, scalarName, tie('composite')),
  composite: fc.oneof(
    fc.tuple(tie('any'), fc.constantFrom('[]', '[2]')).map(([item, suffix]) => item + suffix),
    fc.array(tie('any'), { minLength: 1, maxLength: 3 }).map((members) => `(${members.join(',')})`),
  ),
})).composite

const withValue = (names: fc.Arbitrary<string>) =>
  names.chain((name) => valueOf(typeOf(name)).map((value): [string, AbiValue] => [name, value]))

/** The values whose ABI encoding is a zero word or empty contents. */
function isZero(value: AbiValue): boolean {
  if (value instanceof Uint8Array) return value.every((byte) => byte === 0)
  return value === 0n || value === false || value === '' || value === `0x${'0'.repeat(40)}`
}

describe('a value in storage', () => {
  it('comes back as it was, whatever its type', () => {
    fc.assert(
      fc.property(withValue(fc.oneof(scalarName, compositeName)), ([name, value]) => {
        expect(unwrap(decode(name, unwrap(encode(name, value))))).toStrictEqual(value)
      }),
      { numRuns: 100 },
    )
  })

  it('of a scalar type is absent if and only if it is zero', () => {
    fc.assert(
      fc.property(withValue(scalarName), ([name, value]) => {
        // Contents that consist of zeros are not empty.
        const content = name === 'bytes' || name === 'string'
        const zero = content ? (value as string | Uint8Array).length === 0 : isZero(value)
        expect(unwrap(encode(name, value)) === undefined).toBe(zero)
      }),
      { numRuns: 300 },
    )
    for (const name of ['uint8', 'int256', 'address', 'bool', 'bytes', 'string', 'bytes7'])
      expect(unwrap(encode(name, unwrap(decode(name, undefined)))), name).toBeUndefined()
  })

  it('of an array or tuple is never absent, and absence is no value', () => {
    expect(unwrap(encode('uint8[]', []))).toEqual(unwrap(encodeArguments(nobleCrypto, typesOf('uint8[]'), [[]])))
    expect(unwrap(encode('(bool)', [false]))).toEqual(new Uint8Array(32))
    expect(unwrap(decode('uint8[]', undefined))).toBeUndefined()
    expect(unwrap(decode('(bool)', undefined))).toBeUndefined()
  })

  it('is a word without its zeros', () => {
    for (const [name, value, stored] of [
      ['uint256', 0x0100n, '0x0100'],
      ['uint8', 255n, '0xff'],
      ['int16', -2n, `0x${'f'.repeat(63)}e`],
      ['int16', 2n, '0x02'],
      ['bool', true, '0x01'],
      ['address', '0x00000000000000000000000000000000000000ff', '0xff'],
      ['bytes4', Uint8Array.of(0, 1, 0, 0), '0x0001'],
      ['bytes', Uint8Array.of(0), '0x00'],
      ['string', 'ä', '0xc3a4'],
    ] as const)
      expect(bytesToHex(unwrap(encode(name, value))!), name).toBe(stored)
  })

  it('is the ABI word shortened, for every type of a word', () => {
    fc.assert(
      fc.property(withValue(scalarName.filter((name) => name !== 'bytes' && name !== 'string')), ([name, value]) => {
        const stored = unwrap(encode(name, value)) ?? new Uint8Array(0)
        const word = new Uint8Array(32)
        word.set(stored, name.startsWith('bytes') ? 0 : 32 - stored.length)
        expect(unwrap(decodeArguments(nobleCrypto, typesOf(name), word))).toStrictEqual([value])
      }),
    )
  })

  it('has one form: bytes that decode are those that their value encodes to', () => {
    const stored = fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc.uint8Array({ maxLength: 3 }),
      fc
        .array(fc.uint8Array({ minLength: 32, maxLength: 32 }), { maxLength: 4 })
        .map((words) => Uint8Array.from(words.flatMap((word) => [...word]))),
    )
    fc.assert(
      fc.property(fc.oneof(scalarName, compositeName), stored, (name, bytes) => {
        const value = decode(name, bytes)
        if (value.ok) expect(unwrap(encode(name, value.value))).toEqual(bytes)
        else expect(value.error.message).toContain(`not of type ${name}`)
      }),
      { numRuns: 1000 },
    )
  })

  it('is refused under a type that has no such form', () => {
    for (const [name, stored] of [
      ['uint8', '0x0100'],
      ['uint8', '0x00'],
      ['uint8', '0x'],
      ['uint256', `0x${'01'.repeat(33)}`],
      ['int8', '0xff'],
      ['bool', '0x02'],
      ['address', `0x${'01'.repeat(21)}`],
      ['bytes4', '0x0102030405'],
      ['bytes4', '0x0100'],
      ['bytes', '0x'],
      ['string', '0xff'],
      ['string', '0x'],
      ['uint256[]', '0x01'],
      ['(uint8)', `0x${'00'.repeat(33)}`],
    ] as const) {
      const value = decode(name, hexToBytes(stored))
      expect(value.ok ? value.value : value.error.message, `${name} ${stored}`).toContain(
        `the value stored under this key is not of type ${name}: `,
      )
    }
  })

  it('is refused when it is of another type', () => {
    fc.assert(
      fc.property(
        fc.oneof(scalarName, compositeName),
        fc.anything({ withBigInt: true, withTypedArray: true, withNullPrototype: true }),
        (name, value) => {
          const encoded = encode(name, value)
          if (!encoded.ok) expect(encoded.error.message).not.toBe('')
          else expect(decode(name, encoded.value).ok).toBe(true)
        },
      ),
      { numRuns: 500 },
    )
    for (const [name, value] of [
      ['uint8', 256n],
      ['uint8', -1n],
      ['uint8', 1],
      ['bytes4', new Uint8Array(5)],
      ['string', '\ud800'],
      ['address', '0xD8dA6BF26964aF9D7eEd9e03E53415D37aA96045'],
      ['uint8[2]', [1n]],
      ['uint8[]', undefined],
    ] as const)
      expect(encode(name, value).ok, name).toBe(false)
  })

  it('may be an address in lower case, and comes back with its checksum', () => {
    const stored = unwrap(encode('address', '0xd8da6bf26964af9d7eed9e03e53415d37aa96045'))!
    expect(bytesToBigInt(stored)).toBe(0xd8da6bf26964af9d7eed9e03e53415d37aa96045n)
    expect(unwrap(decode('address', stored))).toBe('0xd8dA6BF26964aF9D7eEd9e03E53415D37aA96045')
  })
})
