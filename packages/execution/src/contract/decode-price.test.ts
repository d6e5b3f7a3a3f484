import { nobleCrypto, unwrap } from '@quoin/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeArguments } from './abi/encode.ts'
import { type AbiType, parseTypeList } from './abi/type.ts'
import type { AbiValue } from './abi/value.ts'
import { decodeGas } from './decode-price.ts'
import { MESSAGE_GAS } from './message-gas.ts'

const { word, addressWord } = MESSAGE_GAS
const price = (types: string, bytes: number): number => decodeGas(unwrap(parseTypeList(types)), bytes)

describe('the price of decoding', () => {
  it.each([
    ['uint256,bool', 64, 2 * word],
    ['uint256,bool', 4_000, 2 * word],
    ['address,(bool,address)[3]', 7 * 32, 3 * word + 4 * addressWord],
    ['bytes', 64, 2 * word],
    ['bytes', 65, 3 * word],
    ['address,bytes', 10 * 32, 9 * word + addressWord],
    ['address[]', 12 * 32, 2 * word + 10 * addressWord],
    // Multicall3: offset, target, allowFailure, offset and length of the data.
    ['(address,bool,bytes)[]', (2 + 5 * 10) * 32, 2 * word + 10 * (4 * word + addressWord)],
    ['(address,bool,bytes)[],address[]', (4 + 10) * 32, 4 * word + 10 * addressWord],
    ['(uint256,(address,address)[])[]', (2 + 4 + 2) * 32, 2 * word + 6 * addressWord],
  ] as const)('of %s in %i bytes', (types, bytes, gas) => {
    expect(price(types, bytes)).toBe(gas)
  })

  it('is at least the sum of the prices of its words and addresses', () => {
    const scalar = fc.constantFrom('uint256', 'address', 'bytes', 'bool')
    const { type } = fc.letrec<{ type: string }>((tie) => ({
      type: fc.oneof(
        { depthSize: 'small', withCrossShrink: true },
        scalar,
        fc.array(tie('type'), { minLength: 1, maxLength: 3 }).map((members) => `(${members.join()})`),
        tie('type').map((item) => `${item}[]`),
        tie('type').map((item) => `${item}[2]`),
      ),
    }))
    const zeros = function* () {
      for (;;) yield 0
    }
    let most = 0
    fc.assert(
      fc.property(fc.array(type, { minLength: 1, maxLength: 3 }), fc.infiniteStream(fc.nat(4)), (types, sizes) => {
        const inputs = unwrap(parseTypeList(types.join()))
        let addresses = 0
        const valueOf = (one: AbiType): AbiValue => {
          const size = sizes.next().value as number
          if (one.kind === 'tuple') return one.members.map(({ type: member }) => valueOf(member))
          if (one.kind === 'array') return Array.from({ length: one.length ?? size }, () => valueOf(one.item))
          if (one.kind === 'address') {
            addresses++
            return `0x${'00'.repeat(20)}`
          }
          return one.kind === 'bytes' ? new Uint8Array(9 * size) : one.kind === 'bool' ? size > 2 : BigInt(size)
        }
        const encoded = unwrap(
          encodeArguments(
            nobleCrypto,
            inputs,
            inputs.members.map((member) => valueOf(member.type)),
          ),
        )
        const words = encoded.length / 32
        most = Math.max(most, addresses)
        const exact = word * words + (addressWord - word) * addresses
        const gas = decodeGas(inputs, encoded.length)
        expect(gas).toBeGreaterThanOrEqual(exact)
        expect(gas).toBeLessThanOrEqual(addressWord * words)
      }),
      // A fixed case with many addresses.
      { numRuns: 300, examples: [[['address[12]'], fc.stream(zeros())]] },
    )
    expect(most).toBeGreaterThan(10)
  })
})
