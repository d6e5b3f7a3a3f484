import { encodeRlp as ethersEncodeRlp, keccak256 as ethersKeccak256 } from 'ethers'
import fc from 'fast-check'
import { concat, type Hex, keccak256, toRlp } from 'viem'
import { describe, expect, it } from 'vitest'
import * as any from '../test/arbitraries.ts'
import { checkRoundTrip, checkStrict } from '../test/codec-laws.ts'
import { quantity } from '../test/transactions.ts'
import { Address, bytesToHex, concatBytes, Hash, hexToBytes, numberToBytes, ZERO_HASH } from './bytes.ts'
import { decode, encode } from './codec.ts'
import {
  encodedLogsBloom,
  encodedParentHash,
  encodedTime,
  HEADER_BYTES,
  type Header,
  headerCodec,
  headerExtraData,
  headerHash,
  headerMixHash,
  headerRlp,
  headerTimestamp,
  timeProblem,
} from './header.ts'
import { LIMITS } from './limits.ts'
import { nobleCrypto as crypto } from './noble.ts'
import { Gas, Height, TimeMs, Wei } from './numbers.ts'
import { unwrap } from './result.ts'

const EMPTY_LIST_HASH = keccak256(toRlp([]))
const hash = (byte: number) => Hash(new Uint8Array(32).fill(byte))

const genesis = (header: Header): Header => ({ ...header, number: Height(0), genesisDigest: hash(10) })

const sample: Header = {
  parentHash: hash(1),
  miner: Address(new Uint8Array(20).fill(2)),
  stateRoot: hash(3),
  transactionsRoot: hash(4),
  receiptsRoot: hash(5),
  logsBloom: new Uint8Array(256),
  number: Height(6),
  gasLimit: Gas(60_000_000),
  gasUsed: Gas(21_000),
  timeMs: TimeMs(1_700_000_000_123),
  baseFeePerGas: Wei(0n),
  extra: { executionVersion: hash(7), validatorsHash: hash(8), nextValidatorsHash: hash(9) },
  genesisDigest: undefined,
}

/** Ethereum's field list (EIP-1559), with extraData and mixHash as docs/wire-formats.md defines them. */
function fieldsOf(header: Header): Hex[] {
  const { executionVersion, validatorsHash, nextValidatorsHash } = header.extra
  const milliseconds = bytesToHex(numberToBytes(header.timeMs % 1000, 2)).slice(2)
  const mixed = concat([executionVersion, validatorsHash, nextValidatorsHash, header.genesisDigest ?? ZERO_HASH])
  return [
    header.parentHash,
    EMPTY_LIST_HASH,
    header.miner,
    header.stateRoot,
    header.transactionsRoot,
    header.receiptsRoot,
    bytesToHex(header.logsBloom),
    '0x',
    quantity(header.number),
    quantity(header.gasLimit),
    quantity(header.gasUsed),
    quantity((header.timeMs - (header.timeMs % 1000)) / 1000),
    `0x01${milliseconds}`,
    keccak256(mixed),
    '0x0000000000000000',
    quantity(header.baseFeePerGas),
  ]
}

describe('a header', () => {
  it("is Ethereum's RLP, and its hash the keccak256 of that, as viem and ethers make them", () => {
    fc.assert(
      fc.property(any.header, (header) => {
        const fields = fieldsOf(header)
        const encoded = bytesToHex(headerRlp(crypto, header))
        expect(encoded).toBe(toRlp(fields))
        expect(encoded).toBe(ethersEncodeRlp(fields))
        expect(headerHash(crypto, header)).toBe(keccak256(toRlp(fields)))
        expect(headerHash(crypto, header)).toBe(ethersKeccak256(ethersEncodeRlp(fields)))
      }),
    )
  })

  it('has an extraData that stock clients accept', () => {
    fc.assert(
      fc.property(any.header, (header) => {
        expect(headerExtraData(header).length).toBeLessThanOrEqual(32)
      }),
    )
  })

  it('has another hash when any field changes', () => {
    const fields = Object.keys(sample) as (keyof Header)[]
    fc.assert(
      fc.property(any.header, any.header, fc.constantFrom(...fields), (a, b, name) => {
        // Only block 0 has a genesis digest: its number and the digest change together.
        const digest = (header: Header) => ({ number: header.number, genesisDigest: header.genesisDigest })
        const changed: Header = { ...a, ...(name in digest(a) ? digest(b) : { [name]: b[name] }) }
        const same = JSON.stringify(fieldsOf(changed)) === JSON.stringify(fieldsOf(a))
        expect(headerHash(crypto, changed) === headerHash(crypto, a)).toBe(same)
      }),
      { numRuns: 200 },
    )
  })
})

describe('time', () => {
  it.each([
    [0, 0, 0],
    [999, 0, 999],
    [1_000, 1, 0],
    [1_700_000_000_123, 1_700_000_000, 123],
    [LIMITS.timeMsMax, 9_007_199_254_739, 999],
  ])('%i ms is second %i and %i ms', (timeMs, timestamp, milliseconds) => {
    const header = { ...sample, timeMs: TimeMs(timeMs) }
    expect(headerTimestamp(header)).toBe(timestamp)
    expect(bytesToHex(headerExtraData(header))).toBe(bytesToHex(concatBytes(Uint8Array.of(1), numberToBytes(milliseconds, 2))))
    expect(unwrap(decode(headerCodec, encode(headerCodec, header))).timeMs).toBe(timeMs)
  })

  it('of a block is after its parent', () => {
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: -2, max: 2 }), (parentMs, later) => {
        const problem = timeProblem({ timeMs: TimeMs(parentMs) }, parentMs + later)
        expect(problem).toBe(later > 0 ? undefined : `timeMs is ${parentMs + later}, not after the parent's ${parentMs}`)
      }),
    )
  })
})

describe('mixHash', () => {
  it('is the keccak256 of 128 bytes: the hashes of extra, and the genesis digest or zero', () => {
    expect(headerMixHash(crypto, sample)).toBe(keccak256(concat([hash(7), hash(8), hash(9), ZERO_HASH])))
    expect(headerMixHash(crypto, genesis(sample))).toBe(keccak256(concat([hash(7), hash(8), hash(9), hash(10)])))
  })
})

describe('an encoded header', () => {
  const uint = (value: number | bigint, bytes: number): Hex => `0x${value.toString(16).padStart(2 * bytes, '0')}`
  /** The layout in docs/wire-formats.md. */
  const layoutOf = (header: Header): Hex =>
    concat([
      uint(header.number, 8),
      header.parentHash,
      header.miner,
      header.stateRoot,
      header.transactionsRoot,
      header.receiptsRoot,
      bytesToHex(header.logsBloom),
      uint(header.gasLimit, 8),
      uint(header.gasUsed, 8),
      uint(header.timeMs, 8),
      uint(header.baseFeePerGas, 32),
      header.extra.executionVersion,
      header.extra.validatorsHash,
      header.extra.nextValidatorsHash,
      header.genesisDigest ?? '0x',
    ])

  it('is its values in order, all of fixed size, and in block 0 the genesis digest', () => {
    fc.assert(
      fc.property(any.header, (header) => {
        const encoded = encode(headerCodec, header)
        expect(bytesToHex(encoded)).toBe(layoutOf(header))
        expect(encoded.length).toBe(header.number === 0 ? headerCodec.bytesMax : HEADER_BYTES)
      }),
    )
    expect([HEADER_BYTES, headerCodec.bytesMax]).toEqual([564, 596])
  })

  it('round-trips', () => {
    fc.assert(fc.property(any.header, (header) => void checkRoundTrip(headerCodec, header)))
  })

  it('shows its bloom, its time and the hash of its parent without being decoded', () => {
    fc.assert(
      fc.property(any.header, (header) => {
        const encoded = encode(headerCodec, header)
        expect(encodedLogsBloom(encoded)).toEqual(header.logsBloom)
        expect([encodedTime(encoded), encodedParentHash(encoded)]).toEqual([header.timeMs, header.parentHash])
      }),
    )
  })

  it('decodes to copies: the buffer it came in may be used again', () => {
    const input = Buffer.from(encode(headerCodec, sample))
    const decoded = unwrap(decode(headerCodec, input))
    input.fill(0xff)
    expect(decoded).toEqual(sample)
  })

  it('is the only one: a changed bit is refused or gives another header, with another hash', () => {
    for (const header of [sample, genesis(sample)]) {
      const encoded = encode(headerCodec, header)
      checkStrict(headerCodec, encoded)
      const hashes = new Set([headerHash(crypto, header)])
      let count = 1
      for (let bit = 0; bit < 8 * encoded.length; bit++) {
        const decoded = decode(headerCodec, encoded.with(bit >> 3, encoded[bit >> 3]! ^ (1 << (bit & 7))))
        if (!decoded.ok) continue
        hashes.add(headerHash(crypto, decoded.value))
        count++
      }
      expect(hashes.size).toBe(count)
      expect(count).toBeGreaterThan(8 * 500)
    }
  })

  const refusal = (layout: Hex) => {
    const decoded = decode(headerCodec, hexToBytes(layout))
    return decoded.ok ? undefined : decoded.error.message
  }

  it.each([
    [{ gasLimit: Gas(LIMITS.blockGasMax + 1) }, `${LIMITS.blockGasMax + 1} is above ${LIMITS.blockGasMax}`],
    [{ gasUsed: Gas(60_000_001) }, 'gasUsed is 60000001, above the gasLimit 60000000'],
    [{ timeMs: TimeMs(LIMITS.timeMsMax + 1) }, `${LIMITS.timeMsMax + 1} is above ${LIMITS.timeMsMax}`],
    [{ genesisDigest: hash(10) }, '32 bytes follow the value'],
    [{ number: Height(0) }, 'unexpected end of input: 32 bytes needed, 0 left'],
  ])('is refused with %o', (change, message) => {
    expect(refusal(layoutOf(sample))).toBeUndefined()
    const wrong = { ...sample, ...change }
    expect(refusal(layoutOf(wrong))).toContain(message)
    expect(() => encode(headerCodec, wrong)).toThrow(RangeError)
  })

  it('is refused with a number above 53 bits', () => {
    expect(refusal(`0x0020${'00'.repeat(6)}${layoutOf(sample).slice(18)}`)).toContain('integer above 2^53 - 1')
  })
})
