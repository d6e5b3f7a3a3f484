import { bytesToHex, concatBytes, nobleCrypto, unwrap } from '@quoin/protocol'
import { solidityPacked } from 'ethers'
import fc from 'fast-check'
import { encodePacked as viemPacked } from 'viem'
import { describe, expect, it } from 'vitest'
import { abiParameters } from '../../../../protocol/test/abi-arbitraries.ts'
import { ethersValue, typesOf, viemValue, withValues } from '../../../test/abi.ts'
import { ENCODE_LIMITS } from './encode.ts'
import { encodePacked } from './packed.ts'

/** Types for which Solidity and both libraries have a packed form. */
const flat = abiParameters.map((list) => list.filter(({ type }) => !/^(tuple|.*\].*\]|(string|bytes)\[)/.test(type)))

describe('packed encoding', () => {
  it("is viem's and ethers'", () => {
    fc.assert(
      fc.property(withValues(flat), ({ types, values }) => {
        const names = types.members.map(({ type }) => type.name)
        const packed = bytesToHex(unwrap(encodePacked(nobleCrypto, types, values)))
        expect(packed).toBe(viemPacked(names as never, types.members.map(({ type }, i) => viemValue(type, values[i]!)) as never))
        expect(packed).toBe(
          solidityPacked(
            names,
            types.members.map(({ type }, i) => ethersValue(type, values[i]!)),
          ),
        )
      }),
      { numRuns: 300 },
    )
  })

  it.each([
    ['(uint8,bool)', [[1n, true]], '[0]: (uint8,bool) has no packed encoding'],
    ['uint8[][]', [[]], '[0]: uint8[] has no packed encoding'],
    ['string[2]', [['a', 'b']], '[0]: string[2] has no packed encoding'],
    ['bool,uint8', [true, 256n], '[1]: the integer is out of range for uint8'],
    ['bool,uint8[2]', [true, [1n, 'a']], '[1][1]: a bigint is expected'],
    ['uint8[2]', [[1n]], '[0]: 1 items, expected 2'],
    ['uint8[]', ['a'], '[0]: an array is expected'],
    ['bool', [], '0 values, expected 1'],
    ['bool', [0], '[0]: a boolean is expected'],
    ['bool[]', [new Array(2 ** 32 - 1)], '[0]: the encoding has more than 524288 bytes'],
    ['bytes', [new Uint8Array(ENCODE_LIMITS.encodedBytesMax + 1)], '[0]: the encoding has more than 524288 bytes'],
  ])('refuses %s: %#', (types, values, message) => {
    expect(encodePacked(nobleCrypto, typesOf(types), values)).toMatchObject({ ok: false, error: { message } })
  })

  it('gives a copy', () => {
    const content = Uint8Array.of(1, 2)
    const packed = unwrap(encodePacked(nobleCrypto, typesOf('bytes'), [content]))
    content.fill(0)
    expect(packed).toEqual(concatBytes(Uint8Array.of(1, 2)))
  })
})
