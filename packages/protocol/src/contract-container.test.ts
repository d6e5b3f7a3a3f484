import fc from 'fast-check'
import { encodeDeployData, parseAbi as parseHumanAbi, type Abi as ViemAbi } from 'viem'
import { describe, expect, it } from 'vitest'
import { container as anyContainer } from '../test/abi-arbitraries.ts'
import { bytesUpTo } from '../test/arbitraries.ts'
import { neighbours } from '../test/codec-laws.ts'
import { Address, bytesToHex, concatBytes, equalBytes, hexToBytes, numberToBytes, utf8ToBytes } from './bytes.ts'
import { parseAbi } from './contract-abi.ts'
import { type ContractContainer, decodeContainer, encodeContainer, isContainer } from './contract-container.ts'
import { LIMITS } from './limits.ts'
import { nobleCrypto } from './noble.ts'
import { unwrap } from './result.ts'

const human = parseHumanAbi([
  'constructor(string name, uint256 supply)',
  'function transfer(address to, uint256 amount) returns (bool)',
])
const sample: ContractContainer = {
  upgradeAuthority: { kind: 'account', address: Address(new Uint8Array(20).fill(0xaa)) },
  reentrantSelectors: [0xa9059cbb, 0xffffffff],
  compiler: 'quoin 0.1.0',
  source: 'export const wert = "ä€😀"',
  abi: unwrap(parseAbi(human)),
  sourceMap: Uint8Array.of(1, 2, 3),
}
const bytes = encodeContainer(sample)

const errorOf = (data: Uint8Array) => {
  const decoded = decodeContainer(data)
  return decoded.ok ? undefined : decoded.error
}

/** A container with arbitrary bytes as fields; head and length are correct. */
const withFields = (fields: Uint8Array) => concatBytes(hexToBytes('0xef5101'), numberToBytes(7 + fields.length, 4), fields)
const field = (content: string) => concatBytes(numberToBytes(utf8ToBytes(content).length, 4), utf8ToBytes(content))

describe('a container', () => {
  it('round-trips with any arguments after it', () => {
    fc.assert(
      fc.property(anyContainer, bytesUpTo(100), (container, constructorArguments) => {
        const code = encodeContainer(container)
        expect(decodeContainer(concatBytes(code, constructorArguments))).toEqual({
          ok: true,
          value: { container, code, constructorArguments },
        })
      }),
    )
  })

  it('is what viem deploys', () => {
    const data = encodeDeployData({ abi: human as ViemAbi, bytecode: bytesToHex(bytes), args: ['Token', 7n] })
    const { container, code, constructorArguments } = unwrap(decodeContainer(hexToBytes(data)))
    expect(container).toEqual(sample)
    expect(code).toEqual(bytes)
    expect(constructorArguments).toHaveLength(32 * 4)
  })

  it('has these bytes', () => {
    expect(bytesToHex(bytes.subarray(0, 60))).toBe(
      '0xef5101000001a002aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa00000002a9059cbbffffffff000b71756f696e20302e312e300000001f657870',
    )
    expect(bytesToHex(nobleCrypto.sha256(bytes))).toBe('0xb0d358cf73fe40de8cc8e1c619b9a7fd908b451b770ab3a95be8a2534887753d')
  })

  it('is never EVM code, EOF or a delegation', () => {
    expect(bytes[0]).toBe(0xef)
    expect([0x00, 0x01]).not.toContain(bytes[1])
    for (const code of ['0x', '0xef', '0xef00', '0xef0100', '0x6080', '0x51ef'] as const) {
      expect(isContainer(hexToBytes(code))).toBe(false)
      expect(errorOf(hexToBytes(code))).toMatchObject({ code: 'magic' })
    }
    expect(isContainer(bytes)).toBe(true)
  })

  it('has one encoding', () => {
    for (const neighbour of neighbours(bytes)) {
      const decoded = decodeContainer(neighbour)
      if (decoded.ok)
        expect(
          equalBytes(concatBytes(encodeContainer(decoded.value.container), decoded.value.constructorArguments), neighbour),
        ).toBe(true)
    }
    for (let length = 0; length < bytes.length; length++) expect(errorOf(bytes.subarray(0, length))).toBeDefined()
  })

  it('is refused with the invalid part', () => {
    expect(errorOf(bytes.with(2, 2))).toEqual({ code: 'version', message: 'container version 2 is not supported' })
    expect(errorOf(bytes.subarray(0, 2))).toEqual({ code: 'version', message: 'container version missing is not supported' })
    expect(errorOf(bytes.subarray(0, 6))).toEqual({ code: 'length', message: 'the container is too short to have a length' })
    expect(errorOf(bytes.subarray(0, 100))).toEqual({
      code: 'length',
      message: `the container claims ${bytes.length} bytes, the data has 100`,
    })
    expect(errorOf(hexToBytes('0xef510100000006'))).toEqual({
      code: 'length',
      message: 'the container claims 6 bytes, the data has 7',
    })
    expect(errorOf(hexToBytes('0xef5101ffffffff'))).toEqual({
      code: 'length',
      message: `the container claims 4294967295 bytes, at most ${LIMITS.containerBytesMax} are allowed`,
    })
    expect(errorOf(withFields(bytes.subarray(7, 40)))).toMatchObject({ code: 'fields' })
    expect(errorOf(withFields(concatBytes(bytes.subarray(7), Uint8Array.of(0))))).toEqual({
      code: 'fields',
      message: 'container: 1 bytes follow the value',
    })
    const plain = concatBytes(Uint8Array.of(0), new Uint8Array(4), new Uint8Array(2))
    expect(errorOf(withFields(concatBytes(plain, numberToBytes(1, 4), Uint8Array.of(0xff), field('[]'), field(''))))).toEqual({
      code: 'source',
      message: 'the source is not UTF-8',
    })
    expect(errorOf(withFields(concatBytes(plain, field(''), numberToBytes(1, 4), Uint8Array.of(0xff), field(''))))).toMatchObject(
      { code: 'abi' },
    )
    expect(errorOf(withFields(concatBytes(plain, field(''), field('[ ]'), field(''))))).toEqual({
      code: 'abi',
      message: 'abi is not in canonical form: it differs at character 1',
    })
    expect(errorOf(withFields(concatBytes(plain, field(''), field('[]'), field(''))))).toBeUndefined()
    const unsorted = concatBytes(
      Uint8Array.of(0),
      numberToBytes(2, 4),
      numberToBytes(5, 4),
      numberToBytes(5, 4),
      new Uint8Array(2),
    )
    expect(errorOf(withFields(concatBytes(unsorted, field(''), field('[]'), field(''))))).toMatchObject({
      code: 'fields',
      message: expect.stringContaining('reentrantSelectors must be ascending, without duplicates'),
    })
  })

  it('keeps its limit, within a transaction', () => {
    expect(LIMITS.containerBytesMax).toBeLessThan(LIMITS.transactionBytesMax)
    expect(LIMITS.containerBytesMax).toBeLessThan(LIMITS.stateValueBytesMax)
    const room = LIMITS.containerBytesMax - encodeContainer({ ...sample, source: '' }).length
    const largest = encodeContainer({ ...sample, source: ' '.repeat(room) })
    expect(largest).toHaveLength(LIMITS.containerBytesMax)
    expect(unwrap(decodeContainer(largest)).container.source).toHaveLength(room)
    expect(() => encodeContainer({ ...sample, source: ' '.repeat(room + 1) })).toThrow(RangeError)
    expect(() => encodeContainer({ ...sample, source: '\ud800' })).toThrow('lone surrogate')
  })

  it('gives copies, also of a Buffer', () => {
    const buffer = Buffer.from(concatBytes(bytes, Uint8Array.of(9)))
    const decoded = unwrap(decodeContainer(buffer))
    buffer.fill(0)
    expect(decoded.code).toEqual(bytes)
    expect(decoded.constructorArguments).toEqual(Uint8Array.of(9))
    expect(decoded.container).toEqual(sample)
  })
})
