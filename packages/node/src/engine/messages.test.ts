import {
  type Address,
  bytesToHex,
  type CompactBlock,
  concatBytes,
  emptyBloom,
  type Gas,
  Hash,
  type Height,
  LIMITS,
  type Round,
  type TimeMs,
  unwrap,
  voteEvidence,
  type Wei,
  ZERO_HASH,
} from '@quoin/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  type BodyRequest,
  blockTransactionsMax,
  decodeBlock,
  decodeMessage,
  decodeMessageHead,
  decodeRequest,
  decodeTransactions,
  type EngineMessage,
  encodeMessage,
  encodeRequest,
  encodeTransactions,
  messagePosition,
  proposalBytesMax,
} from './messages.ts'

/** A block gas limit under which a block may have the most transactions. */
const GAS = 1e12

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

const evidence = fc
  .tuple(vote, hash)
  .filter(([one, valueId]) => one.valueId !== valueId)
  .map(([one, valueId]) => voteEvidence(one, { ...one, valueId }))

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
  extra: { executionVersion: ZERO_HASH, validatorsHash: ZERO_HASH, nextValidatorsHash: ZERO_HASH },
  genesisDigest: undefined,
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
  fc.record({ kind: fc.constant('evidence'), evidence }),
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
        expect(decodeRequest(encodeRequest(value), GAS)).toEqual({ ok: true, value })
      }),
    )
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ minLength: LIMITS.transactionBytesMin, maxLength: 50 }), { maxLength: 5 }),
        (value) => {
          expect(decodeTransactions(encodeTransactions(value), 5)).toEqual({ ok: true, value })
        },
      ),
    )
  })

  it('begin with a head that says what they are about, whatever becomes of the rest', () => {
    fc.assert(
      fc.property(message, fc.uint8Array({ maxLength: 20 }), (value, rest) => {
        const about =
          value.kind === 'proposal'
            ? value.proposal
            : value.kind === 'vote'
              ? value.vote
              : value.kind === 'evidence'
                ? value.evidence.first
                : 'certificate' in value
                  ? value.certificate
                  : value
        const head = unwrap(decodeMessageHead(concatBytes(encodeMessage(value), rest)))
        expect([head.kind, messagePosition(head)]).toMatchObject([value.kind, { height: about.height, round: about.round }])
        if (value.kind === 'proposal') expect(head).toEqual({ kind: 'proposal', proposal: value.proposal })
        if (value.kind === 'vote') expect(head).toEqual(value)
      }),
    )
  })

  it('have as many transactions as the gas of a block allows, and no more', () => {
    expect([20_999, 21_000, 72_000_000, 1e12].map(blockTransactionsMax)).toEqual([0, 1, 3_428, LIMITS.blockTransactionsMax])
    const hashes = (count: number) => Array.from({ length: count }, () => ZERO_HASH)
    const ask = (count: number) =>
      decodeRequest(encodeRequest({ kind: 'transactions', blockHash: ZERO_HASH, hashes: hashes(count) }), 210_000)
    expect([ask(10).ok, ask(11).ok]).toEqual([true, false])
    expect(proposalBytesMax(21_000 * 100) - proposalBytesMax(21_000 * 99)).toBe(32)
    // docs/wire-formats.md and docs/limits.md have this number.
    expect(proposalBytesMax(72_000_000)).toBe(121_231)
  })

  it('are refused, and never throw, when they are garbage', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        for (const decode of [
          decodeMessage,
          decodeMessageHead,
          (raw: Uint8Array) => decodeRequest(raw, GAS),
          (raw: Uint8Array) => decodeTransactions(raw, 5),
          (raw: Uint8Array) => decodeBlock(raw, GAS),
        ]) {
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
