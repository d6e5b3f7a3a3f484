import {
  type Address,
  bytesToHex,
  type CompactBlock,
  emptyBloom,
  type Gas,
  Hash,
  type Height,
  type Round,
  type TimeMs,
  type Wei,
  ZERO_HASH,
} from '@quoin/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  type BodyRequest,
  decodeBlock,
  decodeMessage,
  decodeRequest,
  decodeTransactions,
  type EngineMessage,
  encodeMessage,
  encodeRequest,
  encodeTransactions,
  messageHeight,
} from './messages.ts'

const hash = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Hash(bytes))
const address = fc.uint8Array({ minLength: 20, maxLength: 20 }).map((bytes) => bytesToHex(bytes) as Address)
const signature = fc.uint8Array({ minLength: 64, maxLength: 64 })
const height = fc.nat(2 ** 31 - 1).map((n) => n as Height)
const round = fc.integer({ min: 1, max: 2 ** 31 - 1 }).map((n) => n as Round)
const valueId = fc.option(hash, { nil: undefined })
const vote = fc.record({ kind: fc.constantFrom('prevote', 'precommit'), height, round, valueId, validator: address, signature })
const signatures = fc
  .uniqueArray(fc.record({ validator: address, signature }), {
    minLength: 1,
    maxLength: 4,
    selector: ({ validator }) => validator,
  })
  .map((list) => list.sort((a, b) => (a.validator < b.validator ? -1 : 1)))
const polka = fc.record({ height, round, valueId: hash, signatures })
const proposal = fc
  .record({ height, round, valueId: hash, polRound: fc.option(fc.nat(1_000), { nil: undefined }), proposer: address, signature })
  .map((p) => ({ ...p, polRound: (p.polRound === undefined ? undefined : p.polRound % p.round) as Round | undefined }))

const header = (number: Height): CompactBlock['header'] => ({
  parentHash: ZERO_HASH,
  miner: `0x${'11'.repeat(20)}` as Address,
  stateRoot: ZERO_HASH,
  transactionsRoot: ZERO_HASH,
  receiptsRoot: ZERO_HASH,
  logsBloom: emptyBloom(),
  number,
  gasLimit: 60_000_000 as Gas,
  gasUsed: 21_000_000 as Gas,
  timeMs: 1_800_000_000_123 as TimeMs,
  extra: { version: 1, executionVersion: ZERO_HASH, validatorsHash: ZERO_HASH, nextValidatorsHash: ZERO_HASH },
  mixHash: ZERO_HASH,
  baseFeePerGas: 0n as Wei,
})
const block = fc.record({ header: height.filter((n) => n > 0).map(header), transactionHashes: fc.array(hash, { maxLength: 5 }) })

const message: fc.Arbitrary<EngineMessage> = fc.oneof(
  fc.record({ kind: fc.constant('proposal'), proposal, block, polka: fc.option(polka, { nil: undefined }) }),
  fc.record({ kind: fc.constant('vote'), vote }),
  fc.record({ kind: fc.constant('polkaCertificate'), certificate: polka }),
  fc.record({
    kind: fc.constant('roundCertificate'),
    certificate: fc.record({
      height,
      round,
      reason: fc.constantFrom('precommit-any', 'skip'),
      votes: signatures.map((list) => list.map((entry) => ({ kind: 'precommit' as const, valueId: undefined, ...entry }))),
    }),
  }),
  fc.record({
    kind: fc.constant('commitCertificate'),
    certificate: fc.record({ height, round, blockHash: hash, signatures }),
  }),
  fc.record({ kind: fc.constant('status'), height, round }),
) as fc.Arbitrary<EngineMessage>

const request: fc.Arbitrary<BodyRequest> = fc.oneof(
  fc.record({ kind: fc.constant('transactions'), blockHash: hash, hashes: fc.array(hash, { maxLength: 5 }) }),
  fc.record({ kind: fc.constant('block'), blockHash: hash }),
) as fc.Arbitrary<BodyRequest>

describe('messages between engines', () => {
  it('survive the wire', () => {
    fc.assert(
      fc.property(message, (value) => {
        expect(decodeMessage(encodeMessage(value))).toEqual({ ok: true, value })
      }),
    )
    fc.assert(
      fc.property(request, (value) => {
        expect(decodeRequest(encodeRequest(value))).toEqual({ ok: true, value })
      }),
    )
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 50 }), { maxLength: 5 }), (value) => {
        expect(decodeTransactions(encodeTransactions(value))).toEqual({ ok: true, value })
      }),
    )
  })

  it('have a height', () => {
    fc.assert(
      fc.property(vote, polka, (v, p) => {
        expect(messageHeight({ kind: 'vote', vote: v as never })).toBe(v.height)
        expect(messageHeight({ kind: 'polkaCertificate', certificate: p })).toBe(p.height)
      }),
    )
  })

  it('are refused, and never throw, when they are garbage', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        for (const decode of [decodeMessage, decodeRequest, decodeTransactions, decodeBlock]) {
          const decoded = decode(bytes)
          if (!decoded.ok) expect(decoded.error.code).toBe('malformed')
        }
      }),
      { numRuns: 2_000 },
    )
  })

  it('changed in one byte, are refused or are another message, with one encoding each', () => {
    fc.assert(
      fc.property(message, fc.nat(), fc.integer({ min: 1, max: 255 }), (value, at, change) => {
        const bytes = encodeMessage(value)
        bytes[at % bytes.length]! ^= change
        const decoded = decodeMessage(bytes)
        if (decoded.ok) expect(encodeMessage(decoded.value)).toEqual(bytes)
      }),
      { numRuns: 1_000 },
    )
  })

  it('cut short or made longer, are refused', () => {
    fc.assert(
      fc.property(message, fc.nat(), (value, cut) => {
        const bytes = encodeMessage(value)
        expect(decodeMessage(bytes.subarray(0, cut % bytes.length)).ok).toBe(false)
        expect(decodeMessage(Uint8Array.of(...bytes, 0)).ok).toBe(false)
      }),
    )
  })

  it('a proposal of 1,000 transactions has at most 40 kB', () => {
    const transactionHashes = Array.from({ length: 1_000 }, () => ZERO_HASH)
    const bytes = encodeMessage({
      kind: 'proposal',
      proposal: {
        height: 5 as Height,
        round: 0 as Round,
        valueId: ZERO_HASH,
        polRound: undefined,
        proposer: `0x${'11'.repeat(20)}` as Address,
        signature: new Uint8Array(64),
      },
      block: { header: header(5 as Height), transactionHashes },
      polka: undefined,
    })
    expect(bytes.length).toBeLessThanOrEqual(40_000)
  })
})
