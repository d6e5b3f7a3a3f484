import {
  type AbiEventParameter,
  bigIntToBytes,
  bytesToHex,
  concatBytes,
  hexToBytes,
  nobleCrypto,
  parseAbi,
  unwrap,
  utf8ToBytes,
} from '@quoin/protocol'
import { Interface } from 'ethers'
import fc from 'fast-check'
import { encodeAbiParameters, encodeEventTopics, parseAbi as parseHumanAbi } from 'viem'
import { describe, expect, it } from 'vitest'
import { abiParameters } from '../../../../protocol/test/abi-arbitraries.ts'
import { ethersValue, viemValue, withValues } from '../../../test/abi.ts'
import { compileAbi } from './abi.ts'
import { encodeEvent } from './event.ts'
import type { AbiType } from './type.ts'
import type { AbiStruct, AbiValue } from './value.ts'

const keccak = (bytes: Uint8Array) => nobleCrypto.keccak256(bytes)

const eventOf = (inputs: readonly AbiEventParameter[], anonymous = false) =>
  [...unwrap(compileAbi(nobleCrypto, [{ type: 'event', name: 'E', inputs, anonymous }])).events.values()][0]!

/** "Encoding of Indexed Event Parameters" of Solidity's ABI specification, word by word. */
function inPlace(type: AbiType, value: AbiValue, outermost = true): Uint8Array {
  const padded = (bytes: Uint8Array) => concatBytes(bytes, new Uint8Array(outermost ? 0 : (32 - (bytes.length % 32)) % 32))
  switch (type.kind) {
    case 'array':
      return concatBytes(...(value as readonly AbiValue[]).map((item) => inPlace(type.item, item, false)))
    case 'tuple':
      return concatBytes(
        ...type.members.map(({ type: member }, i) => inPlace(member, Object.values<AbiValue>(value as AbiStruct)[i]!, false)),
      )
    case 'bytes':
      return padded(value as Uint8Array)
    case 'string':
      return padded(utf8ToBytes(value as string))
    case 'fixed-bytes':
      return concatBytes(value as Uint8Array, new Uint8Array(32 - type.bits / 8))
    case 'address':
      return concatBytes(new Uint8Array(12), hexToBytes(value as `0x${string}`))
    default:
      return bigIntToBytes(BigInt.asUintN(256, BigInt(value as bigint | boolean)), 32)
  }
}

const isWord = ({ kind, dynamic }: AbiType) => !dynamic && kind !== 'array' && kind !== 'tuple'

describe('an event', () => {
  it("has topics and data as the ABI's specification, viem and ethers have them", () => {
    fc.assert(
      fc.property(withValues(abiParameters), fc.nat(3), ({ parameters, types, values }, first) => {
        const inputs = parameters.map((parameter, i) => ({ ...parameter, indexed: i >= first }))
        if (inputs.filter(({ indexed }) => indexed).length > 3) return
        const event = eventOf(inputs)
        const { topics, data } = unwrap(encodeEvent(nobleCrypto, event, values))
        const model = types.members.flatMap(({ type }, i) => {
          if (!inputs[i]!.indexed) return []
          const bytes = inPlace(type, values[i]!)
          return [bytesToHex(isWord(type) ? bytes : keccak(bytes))]
        })
        expect(topics).toEqual([event.topic, ...model])
        const plain = inputs.filter(({ indexed }) => !indexed)
        const plainValues = plain.map((input) =>
          viemValue(types.members[inputs.indexOf(input)]!.type, values[inputs.indexOf(input)]!),
        )
        expect(bytesToHex(data)).toBe(encodeAbiParameters(plain, plainValues))
        // Neither library encodes topics of arrays and structs.
        if (inputs.some(({ indexed }, i) => indexed && ['array', 'tuple'].includes(types.members[i]!.type.kind))) return
        const item = { type: 'event', name: 'E', inputs } as const
        const ethers = new Interface([item]).encodeEventLog(
          'E',
          types.members.map(({ type }, i) => ethersValue(type, values[i]!)),
        )
        expect(topics).toEqual(ethers.topics)
        expect(bytesToHex(data)).toBe(ethers.data)
        const indexedValues = types.members.flatMap(({ type }, i) => (inputs[i]!.indexed ? [viemValue(type, values[i]!)] : []))
        if (indexedValues.length > 0 && inputs.every(({ name }) => name !== ''))
          expect(topics).toEqual(
            encodeEventTopics({
              abi: [item],
              args: Object.fromEntries(
                inputs.filter(({ indexed }) => indexed).map(({ name }, i) => [name, indexedValues[i]]),
              ) as never,
            }),
          )
      }),
      { numRuns: 300 },
    )
  })

  it('is an ERC-20 transfer', () => {
    const abi = unwrap(parseAbi(parseHumanAbi(['event Transfer(address indexed from, address indexed to, uint256 value)'])))
    const event = unwrap(compileAbi(nobleCrypto, abi)).events.get('Transfer(address,address,uint256)')!
    const one = '0x0000000000000000000000000000000000000001'
    const two = '0xd8dA6BF26964aF9D7eEd9e03E53415D37aA96045'
    expect(encodeEvent(nobleCrypto, event, [one, two, 5n])).toEqual({
      ok: true,
      value: {
        topics: [
          '0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef',
          '0x0000000000000000000000000000000000000000000000000000000000000001',
          '0x000000000000000000000000d8da6bf26964af9d7eed9e03e53415d37aa96045',
        ],
        data: bigIntToBytes(5n, 32),
      },
    })
  })

  it('has no topic of its own when it is anonymous', () => {
    const event = eventOf([{ name: 'a', type: 'uint8', indexed: true }], true)
    expect(unwrap(encodeEvent(nobleCrypto, event, [7n]))).toEqual({
      topics: [bytesToHex(bigIntToBytes(7n, 32))],
      data: new Uint8Array(0),
    })
  })

  it('is refused by the parameter at fault', () => {
    const event = eventOf([
      { name: 'a', type: 'uint8', indexed: true },
      { name: '', type: 'bytes2[]', indexed: true },
      { name: 'c', type: 'bool', indexed: false },
    ])
    const messageOf = (...values: readonly unknown[]) => {
      const encoded = encodeEvent(nobleCrypto, event, values)
      return encoded.ok ? undefined : encoded.error.message
    }
    const two = Uint8Array.of(1, 2)
    expect(messageOf(1n, [two], true)).toBeUndefined()
    expect(messageOf(1n, [two])).toBe('2 values, E has 3 parameters')
    expect(messageOf(256n, [two], true)).toBe('a: the integer is out of range for uint8')
    expect(messageOf(1n, [two, two.with(0, 1), Uint8Array.of(1)], true)).toBe('[1][2]: 1 bytes, expected 2')
    expect(messageOf(1n, [two], 1n)).toBe('c: a boolean is expected')
  })
})
