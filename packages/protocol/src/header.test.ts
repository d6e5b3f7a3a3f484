import { encodeRlp as ethersEncodeRlp, keccak256 as ethersKeccak256, toBeArray } from 'ethers'
import fc from 'fast-check'
import { type Hex, keccak256, toRlp } from 'viem'
import { describe, expect, it } from 'vitest'
import * as any from '../test/arbitraries.ts'
import { neighbours } from '../test/codec-laws.ts'
import { quantity } from '../test/transactions.ts'
import { Address, bytesToHex, equalBytes, Hash, hexToBytes, numberToBytes, ZERO_HASH } from './bytes.ts'
import {
  decodeHeader,
  encodedLogsBloom,
  encodeHeader,
  type Header,
  headerExtraData,
  headerHash,
  headerTimestamp,
  timeProblem,
} from './header.ts'
import { LIMITS } from './limits.ts'
import { nobleCrypto as crypto } from './noble.ts'
import { Gas, Height, TimeMs, Wei } from './numbers.ts'
import { unwrap } from './result.ts'
import { encodeRlp, integerPayload, type RlpValue } from './rlp.ts'

const EMPTY_LIST_HASH = keccak256(toRlp([]))
const hash = (byte: number) => Hash(new Uint8Array(32).fill(byte))

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
  extra: { version: 1, executionVersion: hash(7), validatorsHash: hash(8), nextValidatorsHash: hash(9) },
  mixHash: ZERO_HASH,
  baseFeePerGas: Wei(0n),
}

/** Ethereum's field list (EIP-1559), with extraData as `ExtraData` defines it. */
function fieldsOf(header: Header): Hex[] {
  const { executionVersion, validatorsHash, nextValidatorsHash } = header.extra
  const milliseconds = bytesToHex(numberToBytes(header.timeMs % 1000, 2)).slice(2)
  const hashes = [executionVersion, validatorsHash, nextValidatorsHash].map((text) => text.slice(2)).join('')
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
    `0x01${milliseconds}${hashes}00000000`,
    header.mixHash,
    '0x0000000000000000',
    quantity(header.baseFeePerGas),
  ]
}

describe('a header', () => {
  it("is Ethereum's RLP, and its hash the keccak256 of that, as viem and ethers make them", () => {
    fc.assert(
      fc.property(any.header, (header) => {
        const fields = fieldsOf(header)
        const encoded = bytesToHex(encodeHeader(header))
        expect(encoded).toBe(toRlp(fields))
        expect(encoded).toBe(ethersEncodeRlp(fields))
        expect(headerHash(crypto, header)).toBe(keccak256(toRlp(fields)))
        expect(headerHash(crypto, header)).toBe(ethersKeccak256(ethersEncodeRlp(fields)))
      }),
    )
  })

  it('round-trips within its limit', () => {
    fc.assert(
      fc.property(any.header, (header) => {
        const encoded = encodeHeader(header)
        expect(encoded.length).toBeLessThanOrEqual(LIMITS.headerBytesMax)
        expect(unwrap(decodeHeader(encoded))).toEqual(header)
      }),
    )
  })

  it('shows its bloom without being decoded', () => {
    fc.assert(
      fc.property(any.header, (header) => {
        expect(encodedLogsBloom(encodeHeader(header))).toEqual(header.logsBloom)
      }),
    )
  })

  it('decodes to copies: the buffer it came in may be used again', () => {
    const input = Buffer.from(encodeHeader(sample))
    const decoded = unwrap(decodeHeader(input))
    input.fill(0xff)
    expect(decoded).toEqual(sample)
  })

  it('has one encoding: a changed bit is refused or another header with another hash', () => {
    fc.assert(
      fc.property(any.header, (header) => {
        const encoded = encodeHeader(header)
        for (const changed of neighbours(encoded)) {
          const decoded = decodeHeader(changed)
          if (decoded.ok && !equalBytes(encodeHeader(decoded.value), changed))
            throw new Error(`not canonical: ${bytesToHex(changed)}`)
        }
        for (let length = 0; length < encoded.length; length++) expect(decodeHeader(encoded.subarray(0, length)).ok).toBe(false)
        expect(decodeHeader(Uint8Array.of(...encoded, 0)).ok).toBe(false)
      }),
      { numRuns: 2 },
    )
  })

  it('has another hash when any field changes', () => {
    const fields = Object.keys(sample) as (keyof Header)[]
    fc.assert(
      fc.property(any.header, any.header, fc.constantFrom(...fields), (a, b, name) => {
        const changed: Header = { ...a, [name]: b[name] }
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
    expect(headerExtraData(header)[1]! * 256 + headerExtraData(header)[2]!).toBe(milliseconds)
    expect(unwrap(decodeHeader(encodeHeader(header))).timeMs).toBe(timeMs)
  })

  it('of a block is after its parent', () => {
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: -2, max: 2 }), (parentMs, later) => {
        const problem = timeProblem({ timeMs: TimeMs(parentMs) }, parentMs + later)
        expect(problem).toBe(later > 0 ? undefined : `timeMs is ${parentMs + later}, not after the parent's ${parentMs}`)
      }),
    )
  })

  it('past 53 bits is refused', () => {
    const header = { ...sample, timeMs: TimeMs(LIMITS.timeMsMax + 1) }
    expect(decodeHeader(encodeHeader(header))).toMatchObject({
      ok: false,
      error: { message: expect.stringContaining('timestamp is above') },
    })
  })
})

const payloads: readonly RlpValue[] = fieldsOf(sample).map((field) => hexToBytes(field))
const names = [
  'parentHash',
  'sha3Uncles',
  'miner',
  'stateRoot',
  'transactionsRoot',
  'receiptsRoot',
  'logsBloom',
  'difficulty',
  'number',
  'gasLimit',
  'gasUsed',
  'timestamp',
  'extraData',
  'mixHash',
  'nonce',
  'baseFeePerGas',
]
const refusal = (fields: readonly RlpValue[]) => {
  const decoded = decodeHeader(encodeRlp(fields))
  return decoded.ok ? undefined : decoded.error.message
}
const having = (name: string, value: RlpValue) => payloads.with(names.indexOf(name), value)

describe('a header is refused', () => {
  it('never with the fields below', () => {
    expect(refusal(payloads)).toBeUndefined()
  })

  it.each([
    ['sha3Uncles', new Uint8Array(32), 'sha3Uncles is not the constant 0x1dcc4de8'],
    ['difficulty', Uint8Array.of(1), 'difficulty is not the constant 0'],
    ['nonce', new Uint8Array(8).fill(1), 'nonce is not the constant'],
    ['mixHash', new Uint8Array(32).fill(1), 'mixHash is not the constant'],
    ['parentHash', new Uint8Array(31), 'parentHash has 31 bytes, not 32'],
    ['miner', new Uint8Array(21), 'miner has 21 bytes, not 20'],
    ['logsBloom', new Uint8Array(255), 'logsBloom has 255 bytes, not 256'],
    ['number', Uint8Array.of(0, 1), 'number has a leading zero'],
    ['number', integerPayload(2n ** 53n), 'number is above'],
    ['gasLimit', integerPayload(LIMITS.blockGasMax + 1), 'gasLimit is above 1000000000000'],
    ['gasUsed', integerPayload(60_000_001), 'gasUsed is above 60000000'],
    ['extraData', new Uint8Array(0), 'extraData: unexpected end of input: 1 bytes needed, 0 left'],
    ['extraData', new Uint8Array(104), 'extraData: 104 bytes, at most 103 are allowed'],
    ['nonce', new Uint8Array(0), 'nonce has 0 bytes, not 8'],
    ['baseFeePerGas', integerPayload(2n ** 256n), 'baseFeePerGas has more than 32 bytes'],
    ['stateRoot', [], 'stateRoot is a list'],
  ] as const)('for its %s', (name, value, message) => {
    expect(refusal(having(name, value))).toContain(message)
  })

  it('with a field too many or too few, and if it is not a list', () => {
    expect(refusal([...payloads, toBeArray(1)])).toContain('1 bytes follow the last item')
    expect(refusal(payloads.slice(0, -1))).toContain('an item is missing')
    expect(decodeHeader(encodeRlp(new Uint8Array(200)))).toMatchObject({ ok: false, error: { code: 'malformed' } })
    expect(decodeHeader(new Uint8Array(LIMITS.headerBytesMax + 1))).toMatchObject({
      ok: false,
      error: { message: 'header has 1025 bytes, at most 1024 are allowed' },
    })
  })

  it('with a mixHash, unless it is of genesis', () => {
    const genesis = { ...sample, number: Height(0), mixHash: hash(1) }
    expect(unwrap(decodeHeader(encodeHeader(genesis)))).toEqual(genesis)
  })
})
