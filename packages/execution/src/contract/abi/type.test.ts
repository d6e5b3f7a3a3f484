import { nobleCrypto } from '@quoin/protocol'
import { getAddress as ethersChecksum } from 'ethers'
import fc from 'fast-check'
import { isAddress, toHex } from 'viem'
import { describe, expect, it } from 'vitest'
import { abiParameters } from '../../../../protocol/test/abi-arbitraries.ts'
import { typesOf } from '../../../test/abi.ts'
import { checksumAddress, parseAddress } from './address.ts'
import { parseTypeList, tupleOf, typeOf } from './type.ts'

describe('a list of types', () => {
  it('is read from the text that signatures have', () => {
    fc.assert(
      fc.property(abiParameters, (parameters) => {
        const { name, dynamic, headBytes } = tupleOf(parameters)
        expect(typesOf(name.slice(1, -1))).toMatchObject({ name, dynamic, headBytes })
      }),
    )
  })

  it('has the sizes of heads', () => {
    const sizes = typesOf('uint8,(bool,bytes4[3])[2],string,uint256[],(bytes),string[2]').members.map(({ type }) => [
      type.headBytes,
      type.dynamic,
    ])
    expect(sizes).toEqual([
      [32, false],
      [256, false],
      [32, true],
      [32, true],
      [32, true],
      [32, true],
    ])
  })

  it.each([
    ['uint', 'uint is not the canonical name of a type'],
    [',', ' is not the canonical name of a type'],
    ['bool,', ' is not the canonical name of a type'],
    ['()', ' is not the canonical name of a type'],
    ['(bool', 'missing ) at character 5'],
    ['bool)', 'unexpected character at position 4'],
    ['bool[0]', 'missing ] at character 5'],
    ['bool[01]', 'missing ] at character 5'],
    ['bool[1', 'missing ] at character 6'],
    ['bool bool', 'unexpected character at position 4'],
    ['tuple', 'tuple is not the canonical name of a type'],
    ['constructor', 'constructor is not the canonical name of a type'],
    [`bool${'[]'.repeat(17)}`, 'types nest more than 16 levels'],
    [`${'('.repeat(17)}bool${')'.repeat(17)}`, 'types nest more than 16 levels'],
    ['('.repeat(100_000), 'types nest more than 16 levels'],
    [Array(65).fill('bool').join(), 'a list has more than 64 types'],
    ['bool[8193]', 'a value takes 262176 bytes, more than fits into a transaction'],
  ])('is refused: %.20s', (text, message) => {
    expect(parseTypeList(text)).toEqual({ ok: false, error: { code: 'type', path: '', message } })
  })

  it('makes structs arrays unless their members have different names', () => {
    const struct = (...names: readonly string[]) =>
      typeOf({ name: '', type: 'tuple', components: names.map((name) => ({ name, type: 'bool' })) })
    expect(struct('a', 'b')).toMatchObject({ named: true })
    for (const names of [['a', ''], [''], ['a', 'a']]) expect(struct(...names)).toMatchObject({ named: false })
  })
})

describe('an address', () => {
  const bytes20 = fc.uint8Array({ minLength: 20, maxLength: 20 })

  it("has ethers' checksum", () => {
    fc.assert(
      fc.property(bytes20, (bytes) => {
        const text = checksumAddress(nobleCrypto, bytes)
        expect(text).toBe(ethersChecksum(toHex(bytes)))
        expect(parseAddress(nobleCrypto, text)).toEqual(bytes)
        expect(parseAddress(nobleCrypto, text.toLowerCase())).toEqual(bytes)
      }),
    )
  })

  it('is valid if and only if viem accepts it', () => {
    const cased = fc.tuple(bytes20, fc.infiniteStream(fc.boolean())).map(([bytes, upper]) =>
      checksumAddress(nobleCrypto, bytes).replace(/[a-f]/gi, (letter) => {
        const { value } = upper.next()
        return value === true ? letter : letter.toLowerCase()
      }),
    )
    fc.assert(
      fc.property(fc.oneof(cased, fc.string(), fc.stringMatching(/^0x[0-9a-fA-F]{39,41}$/)), (text) => {
        expect(typeof parseAddress(nobleCrypto, text) !== 'string').toBe(isAddress(text, { strict: true }))
      }),
      { numRuns: 300 },
    )
  })
})
