import { type AbiParameter, bytesToHex, concatBytes, hexToBytes, nobleCrypto, unwrap } from '@quoin/protocol'
import { AbiCoder, type Result as EthersResult, ParamType } from 'ethers'
import fc from 'fast-check'
import { decodeAbiParameters, encodeAbiParameters } from 'viem'
import { describe, expect, it } from 'vitest'
import { abiParameters } from '../../../../protocol/test/abi-arbitraries.ts'
import { ethersValue, typesOf, viemValue, withValues } from '../../../test/abi.ts'
import { decodeArguments, decodeLeadingArguments } from './decode.ts'
import { ENCODE_LIMITS, encodeArguments } from './encode.ts'
import { type TupleType, tupleOf } from './type.ts'

const cases = withValues(abiParameters)
const ethers = AbiCoder.defaultAbiCoder()

const encode = (types: TupleType, values: readonly unknown[]) => encodeArguments(nobleCrypto, types, values)
const decode = (types: TupleType, bytes: Uint8Array) => decodeArguments(nobleCrypto, types, bytes)
const valuesFor = (types: TupleType, values: readonly unknown[], as: typeof viemValue) =>
  types.members.map(({ type }, i) => as(type, values[i] as never))
const ethersTypes = (parameters: readonly AbiParameter[]) => parameters.map((parameter) => ParamType.from(parameter as never))

/** ethers' Result is an array with extra properties; plain nested arrays can be compared. */
const plain = (value: unknown): unknown => (Array.isArray(value) ? Array.from(value as EthersResult, plain) : value)

describe('values', () => {
  it('are encoded as viem and ethers encode them, and decoded again', () => {
    fc.assert(
      fc.property(cases, ({ parameters, types, values }) => {
        const bytes = unwrap(encode(types, values))
        expect(bytesToHex(bytes)).toBe(encodeAbiParameters(parameters, valuesFor(types, values, viemValue)))
        expect(bytesToHex(bytes)).toBe(ethers.encode(ethersTypes(parameters), valuesFor(types, values, ethersValue)))
        expect(decode(types, bytes)).toEqual({ ok: true, value: values })
      }),
      { numRuns: 300 },
    )
  })

  it('are what viem and ethers decode', () => {
    fc.assert(
      fc.property(cases, ({ parameters, types, values }) => {
        const bytes = unwrap(encode(types, values))
        const hex = bytesToHex(bytes)
        expect(decodeAbiParameters(parameters, hex)).toEqual(valuesFor(types, values, viemValue))
        expect(plain(ethers.decode(ethersTypes(parameters), hex))).toEqual(valuesFor(types, values, ethersValue))
      }),
      { numRuns: 200 },
    )
  })

  it('have one encoding: bytes that decode are those that their values encode to', () => {
    const mutation = fc.record({ at: fc.nat(), to: fc.oneof(fc.constantFrom(0, 1, 32, 64, 0x80, 0xff), fc.nat(255)) })
    let decoded = 0
    fc.assert(
      fc.property(cases, fc.array(mutation, { minLength: 1, maxLength: 3 }), ({ types, values }, mutations) => {
        let bytes = unwrap(encode(types, values))
        if (bytes.length === 0) return
        // Half of the positions are near the end of a word, where lengths, offsets and small integers are.
        for (const { at, to } of mutations) bytes = bytes.with(at % 2 === 0 ? at % bytes.length : (at % bytes.length) | 31, to)
        const result = decode(types, bytes)
        if (!result.ok) return
        decoded++
        expect(encode(types, result.value)).toEqual({ ok: true, value: bytes })
      }),
      { numRuns: 1000 },
    )
    // When this was written, 2,726 of 10,000 did. Fewer than 100 of 1,000 by chance is less likely than 10^-38.
    expect(decoded).toBeGreaterThan(100)
  })

  it('are refused when the data is cut or longer, and read from the front when something follows', () => {
    fc.assert(
      fc.property(cases, fc.uint8Array({ minLength: 1, maxLength: 40 }), ({ types, values }, suffix) => {
        const bytes = unwrap(encode(types, values))
        for (let length = 0; length < bytes.length; length += 31) expect(decode(types, bytes.subarray(0, length)).ok).toBe(false)
        const longer = concatBytes(bytes, suffix)
        expect(decode(types, longer)).toEqual({
          ok: false,
          error: { code: 'trailing-bytes', path: '', message: `${suffix.length} bytes follow the arguments` },
        })
        expect(decodeLeadingArguments(nobleCrypto, types, longer)).toEqual({
          ok: true,
          value: { values, bytesRead: bytes.length },
        })
      }),
      { numRuns: 100 },
    )
  })

  it('decode to copies, also of a Buffer', () => {
    const types = typesOf('bytes,bytes4')
    const buffer = Buffer.from(unwrap(encode(types, [Uint8Array.of(1, 2), Uint8Array.of(1, 2, 3, 4)])))
    const values = unwrap(decode(types, buffer))
    buffer.fill(0)
    expect(values).toEqual([Uint8Array.of(1, 2), Uint8Array.of(1, 2, 3, 4)])
    for (const value of values) expect((value as Uint8Array).constructor).toBe(Uint8Array)
  })
})

/** 32-byte words: numbers, or hex padded on the left. */
const words = (...list: readonly (number | string)[]) =>
  hexToBytes(`0x${list.map((word) => (typeof word === 'number' ? word.toString(16) : word).padStart(64, '0')).join('')}`)

const order: AbiParameter = {
  name: 'orders',
  type: 'tuple[]',
  components: [
    { name: 'owner', type: 'address' },
    { name: 'note', type: 'string' },
  ],
}
const ones = 'f'.repeat(64)
/** A length, and contents padded on the right. */
const text = (length: number, content: string) =>
  hexToBytes(`0x${length.toString(16).padStart(64, '0')}${content.padEnd(64, '0')}`)

describe('decoding refuses', () => {
  it.each([
    ['uint8', words(256), 'range', '[0]: the word is out of range for uint8'],
    ['uint8', words(ones), 'range', '[0]: the word is out of range for uint8'],
    ['uint248', words(`1${'0'.repeat(62)}`), 'range', '[0]: the word is out of range for uint248'],
    ['int8', words(128), 'range', '[0]: the word is out of range for int8'],
    ['int8', words(`${'f'.repeat(62)}7f`), 'range', '[0]: the word is out of range for int8'],
    ['bool', words(2), 'range', '[0]: the word is neither 0 nor 1'],
    ['bool', words(`1${'0'.repeat(63)}`), 'range', '[0]: the word is neither 0 nor 1'],
    ['address', words(`1${'0'.repeat(40)}`), 'padding', '[0]: byte 11 is padding and must be zero'],
    ['bytes3', words(1), 'padding', '[0]: byte 31 is padding and must be zero'],
    ['bytes', concatBytes(words(32), text(1, '0001')), 'padding', '[0]: byte 65 is padding and must be zero'],
    [
      'bytes',
      concatBytes(words(32), words(1), Uint8Array.of(1)),
      'too-short',
      '[0]: 32 bytes are needed at byte 64, the data has 65',
    ],
    ['string', concatBytes(words(32), text(2, 'c328')), 'utf8', '[0]: the string is not UTF-8'],
    ['string', words(0), 'offset', '[0]: the offset at byte 0 is not 32'],
    ['string', words(64, 0, 0), 'offset', '[0]: the offset at byte 0 is not 32'],
    ['string', words(`1${'0'.repeat(32)}20`, 0), 'offset', '[0]: the offset at byte 0 is not 32'],
    ['string', words(32), 'too-short', '[0]: 32 bytes are needed at byte 32, the data has 32'],
    ['bytes', words(32, ones), 'length', '[0]: it claims more bytes than the 0 bytes left could hold'],
    ['uint256[]', words(32, 0xffffffff, 0), 'length', '[0]: it claims more items than the 32 bytes left could hold'],
    ['uint256[]', words(32, 32, 0), 'too-short', '[0]: 1024 bytes are needed at byte 64, the data has 96'],
    ['uint256[3]', words(1, 2), 'too-short', '96 bytes are needed at byte 0, the data has 64'],
    // Two strings that share their bytes; a million heads could share them too.
    ['string,string', words(64, 64, 0), 'offset', '[1]: the offset at byte 32 is not 96'],
    ['string,string', words(96, 64, 0, 0), 'offset', '[0]: the offset at byte 0 is not 64'],
    ['(uint8,bool[2])[2]', words(1, 0, 1, 2, 1, 3), 'range', '[0][1][1][1]: the word is neither 0 nor 1'],
    ['', words(0), 'trailing-bytes', '32 bytes follow the arguments'],
  ])('%s: %#', (types, bytes, code, message) => {
    expect(decode(typesOf(types), bytes)).toMatchObject({ ok: false, error: { code, message } })
  })

  it('and names the member', () => {
    const types = tupleOf([{ name: 'to', type: 'address' }, order])
    const values = [
      '0x0000000000000000000000000000000000000000',
      [{ owner: '0x0000000000000000000000000000000000000001', note: 'a' }],
    ]
    const bytes = unwrap(encode(types, values))
    const owner = 32 * 4
    expect(decode(types, bytes.with(owner, 1))).toEqual({
      ok: false,
      error: { code: 'padding', path: 'orders[0].owner', message: 'orders[0].owner: byte 128 is padding and must be zero' },
    })
    expect(decode(types, bytes.with(0, 1))).toMatchObject({ error: { path: 'to' } })
  })

  it('bombs, without work in proportion to the lengths that they claim', () => {
    const deep = typesOf(`uint256${'[]'.repeat(16)}`)
    expect(decode(deep, words(...Array.from({ length: 34 }, () => 32)))).toMatchObject({ ok: false })
    const many = typesOf('string[]')
    const heads = 4000
    const shared = concatBytes(
      words(32, heads),
      words(...Array.from({ length: heads }, () => 32 * heads)),
      new Uint8Array(64_000),
    )
    expect(decode(many, shared)).toMatchObject({ ok: false, error: { code: 'offset', path: '[0][1]' } })
  })
})

describe('encoding refuses', () => {
  const lower = '0xd8da6bf26964af9d7eed9e03e53415d37aa96045'
  const checked = '0xd8dA6BF26964aF9D7eEd9e03E53415D37aA96045'
  it.each([
    ['uint8', 256n, 'range', '[0]: the integer is out of range for uint8'],
    ['uint8', -1n, 'range', '[0]: the integer is out of range for uint8'],
    ['uint256', 1n << 256n, 'range', '[0]: the integer is out of range for uint256'],
    ['int8', 128n, 'range', '[0]: the integer is out of range for int8'],
    ['int8', -129n, 'range', '[0]: the integer is out of range for int8'],
    ['uint8', 1, 'type', '[0]: a bigint is expected'],
    ['uint8', '1', 'type', '[0]: a bigint is expected'],
    ['bool', 1, 'type', '[0]: a boolean is expected'],
    ['address', checked.slice(0, -1), 'type', '[0]: an address is expected'],
    ['address', checked.slice(2), 'type', '[0]: an address is expected'],
    ['address', `${checked.slice(0, -1)}g`, 'type', '[0]: an address is expected'],
    ['address', 1n, 'type', '[0]: an address is expected'],
    ['address', checked.replace('dA', 'da'), 'checksum', '[0]: the checksum of the address is wrong'],
    ['address', `0x${checked.slice(2).toUpperCase()}`, 'checksum', '[0]: the checksum of the address is wrong'],
    ['bytes4', Uint8Array.of(1, 2, 3), 'length', '[0]: 3 bytes, expected 4'],
    ['bytes4', '0x01020304', 'type', '[0]: a Uint8Array is expected'],
    ['bytes', [1], 'type', '[0]: a Uint8Array is expected'],
    ['string', Uint8Array.of(1), 'type', '[0]: a string is expected'],
    ['string', 'a\ud800b', 'utf8', '[0]: the string has a lone surrogate'],
    ['bool[]', Uint8Array.of(1), 'type', '[0]: an array is expected'],
    ['bool[]', { length: 1 }, 'type', '[0]: an array is expected'],
    ['bool[]', new Array(3), 'type', '[0][0]: a boolean is expected'],
    ['bool[2]', [true], 'length', '[0]: 1 items, expected 2'],
    ['(bool,bool)', [true], 'length', '[0]: 1 members, expected 2'],
    ['(bool,bool)', { 0: true, 1: true, length: 2 }, 'type', '[0]: an array of the members is expected'],
    ['bool[]', new Array(2 ** 32 - 1), 'too-large', '[0]: the encoding has more than 524288 bytes'],
    ['bytes', new Uint8Array(ENCODE_LIMITS.encodedBytesMax), 'too-large', '[0]: the encoding has more than 524288 bytes'],
  ])('%s: %#', (types, value, code, message) => {
    expect(encode(typesOf(types), [value])).toMatchObject({ ok: false, error: { code, message } })
  })

  it('structs that lack a member or have another', () => {
    const types = tupleOf([order])
    const errorOf = (value: unknown) => {
      const encoded = encode(types, [[value]])
      return encoded.ok ? undefined : encoded.error.message
    }
    const whole = { owner: lower, note: '' }
    expect(errorOf(whole)).toBeUndefined()
    expect(errorOf({ owner: checked, note: '' })).toBeUndefined()
    expect(errorOf({ owner: lower })).toBe('orders[0]: member note is missing')
    expect(errorOf(Object.create(whole))).toBe('orders[0]: member owner is missing')
    expect(errorOf({ ...whole, more: 1 })).toBe('orders[0]: unknown member more')
    expect(errorOf({ ...whole, owner: '' })).toBe('orders[0].owner: an address is expected')
    for (const value of [null, undefined, 1n, 'a', [lower, ''], Uint8Array.of(1)])
      expect(errorOf(value)).toBe('orders[0]: an object is expected')
  })

  it('lists of another length', () => {
    expect(encode(typesOf('bool'), [])).toMatchObject({ error: { message: '0 values, expected 1' } })
    expect(encode(typesOf(''), [1n])).toMatchObject({ error: { message: '1 values, expected 0' } })
  })

  it('anything else, too: it never throws', () => {
    fc.assert(
      fc.property(
        cases,
        fc.array(fc.anything({ withBigInt: true, withTypedArray: true }), { maxLength: 4 }),
        ({ types }, values) => {
          const encoded = encode(types, values)
          if (encoded.ok) expect(decode(types, encoded.value).ok).toBe(true)
        },
      ),
      { numRuns: 300 },
    )
  })
})

it('a value that is shared many times over cannot make an encoding without end', () => {
  let value: unknown = []
  for (let i = 0; i < 14; i++) value = [value, value, value, value]
  expect(encode(typesOf(`bool${'[]'.repeat(15)}`), [value])).toMatchObject({ ok: false, error: { code: 'too-large' } })
})
