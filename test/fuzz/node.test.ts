import {
  compactBlockCodec,
  LIMITS,
  polkaCertificateCodec,
  proposalCodec,
  rawBlockCodec,
  roundCertificateCodec,
  TimeMs,
} from '@quoin/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { SIGN_STEPS, signedStepCodec } from '../../packages/node/src/engine/last-sign-state.ts'
import { ENGINE_LIMITS } from '../../packages/node/src/engine/limits.ts'
import {
  type BodyRequest,
  decodeBlock,
  decodeMessage,
  decodeRequest,
  decodeTransactions,
  type EngineMessage,
  encodeBlock,
  encodeMessage,
  encodeRequest,
  encodeTransactions,
} from '../../packages/node/src/engine/messages.ts'
import { type WalEntry, walEntryCodec } from '../../packages/node/src/engine/wal.ts'
import { clockAnswerCodec } from '../../packages/node/src/health/clock-messages.ts'
import { encodeFrames, FrameDecoder } from '../../packages/node/src/network/frames.ts'
import { NETWORK_LIMITS } from '../../packages/node/src/network/limits.ts'
import {
  chainRecordCodec,
  formatCodec,
  headRecordCodec,
  heightCodec,
  locationCodec,
  sendersCodec,
} from '../../packages/node/src/store/schema.ts'
import { SYNC_LIMITS } from '../../packages/node/src/sync/limits.ts'
import { blocksCodec, type SyncRequest, statusCodec, syncRequestCodec } from '../../packages/node/src/sync/messages.ts'
import * as any from '../../packages/protocol/test/arbitraries.ts'
import { codecTarget, fuzz, fuzzTargets, resultTarget } from './fuzz.ts'

const kind = <const K extends string>(name: K) => fc.constant(name)
const u32 = fc.nat(0xffff_ffff)
const place = { height: any.height, round: any.round } as const
const hashes = fc.array(any.hash, { maxLength: 3 })

const message: fc.Arbitrary<EngineMessage> = fc.oneof(
  fc.record({
    kind: kind('proposal'),
    proposal: any.proposal,
    block: any.compactBlock,
    polka: fc.option(any.polkaCertificate, { nil: undefined }),
  }),
  fc.record({ kind: kind('vote'), vote: any.vote }),
  fc.record({ kind: kind('polkaCertificate'), certificate: any.polkaCertificate }),
  fc.record({ kind: kind('roundCertificate'), certificate: any.roundCertificate }),
  fc.record({ kind: kind('commitCertificate'), certificate: any.commitCertificate }),
  fc.record({ kind: kind('status'), ...place }),
  fc.record({ kind: kind('evidence'), evidence: any.evidence }),
)

const bodyRequest: fc.Arbitrary<BodyRequest> = fc.oneof(
  fc.record({ kind: kind('transactions'), blockHash: any.hash, hashes }),
  fc.record({ kind: kind('block'), blockHash: any.hash }),
)

const walEntry: fc.Arbitrary<WalEntry> = fc.oneof(
  fc.record({ kind: kind('checkpoint'), genesisHash: any.hash, height: any.height, isWhole: fc.boolean() }),
  fc.record({ kind: kind('body'), block: any.rawBlock }),
  fc.record({ kind: kind('valueBuilt'), ...place, valueId: any.hash }),
  fc.record({ kind: kind('proposal'), proposal: any.proposal, polka: fc.option(any.polkaCertificate, { nil: undefined }) }),
  fc.record({ kind: kind('valueValidated'), ...place, valueId: any.hash, valid: fc.boolean(), fresh: fc.boolean() }),
  fc.record({ kind: kind('vote'), vote: any.vote }),
  fc.record({ kind: kind('polkaCertificate'), certificate: any.polkaCertificate }),
  fc.record({ kind: kind('roundCertificate'), certificate: any.roundCertificate }),
  fc.record({ kind: kind('commitCertificate'), certificate: any.commitCertificate }),
  fc.record({
    kind: kind('timeout'),
    timeout: fc.constantFrom('propose' as const, 'prevote' as const, 'precommit' as const),
    ...place,
  }),
)

const status = { genesisHash: any.hash, height: any.height, hash: any.hash }
const syncRequest: fc.Arbitrary<SyncRequest> = fc.oneof(
  fc.record({ kind: kind('status'), ...status }),
  fc.record({
    kind: kind('blocks'),
    from: any.height,
    countMax: fc.nat(SYNC_LIMITS.answerBlocksMax),
    bytesMax: fc.nat(SYNC_LIMITS.answerBytesMax),
  }),
)

const index = fc.nat(LIMITS.blockTransactionsMax - 1)
const signedStep = fc.record({
  ...place,
  step: fc.constantFrom(...SIGN_STEPS),
  digest: any.bytesOf(32),
  signature: any.signature,
})

fuzzTargets({
  'engine message': resultTarget(encodeMessage, decodeMessage, message),
  'engine request': resultTarget(encodeRequest, (bytes: Uint8Array) => decodeRequest(bytes, 1e12), bodyRequest),
  'engine response, transactions': resultTarget(
    encodeTransactions,
    (bytes: Uint8Array) => decodeTransactions(bytes, LIMITS.blockTransactionsMax),
    any.body,
  ),
  'engine response, block': resultTarget(encodeBlock, (bytes: Uint8Array) => decodeBlock(bytes, 1e12), any.rawBlock),
  'sync request': codecTarget(syncRequestCodec, syncRequest),
  'sync status': codecTarget(statusCodec, fc.record(status)),
  'sync blocks': codecTarget(blocksCodec, fc.array(any.certifiedBlock, { minLength: 1, maxLength: 2 })),
  'clock answer': codecTarget(clockAnswerCodec, fc.maxSafeNat().map(TimeMs)),
  'log entry': codecTarget(walEntryCodec, walEntry),
  'signed step': codecTarget(signedStepCodec, signedStep),
  'database format': codecTarget(formatCodec, u32),
  'database chain': codecTarget(chainRecordCodec, fc.record({ genesisDigest: any.hash, restartEpoch: u32 })),
  'database head': codecTarget(headRecordCodec, fc.record({ height: any.height, hash: any.hash })),
  'database senders': codecTarget(sendersCodec, fc.array(fc.record({ hash: any.hash, sender: any.address }), { maxLength: 4 })),
  'database location': codecTarget(locationCodec, fc.record({ height: any.height, index })),
  'database height': codecTarget(heightCodec, any.height),
})

describe('limits', () => {
  it('of the network hold every message, request and answer that is valid', () => {
    const { messageBytesMax, requestBytesMax, responseBytesMax } = NETWORK_LIMITS
    const proposalMessage = 2 + proposalCodec.bytesMax + compactBlockCodec.bytesMax + polkaCertificateCodec.bytesMax
    for (const bytes of [proposalMessage, 1 + roundCertificateCodec.bytesMax]) expect(bytes).toBeLessThanOrEqual(messageBytesMax)
    const manyHashes = 2 + 32 + 4 + 32 * ENGINE_LIMITS.transactionsPerRequestCountMax
    for (const bytes of [manyHashes, syncRequestCodec.bytesMax]) expect(bytes).toBeLessThanOrEqual(requestBytesMax)
    for (const bytes of [rawBlockCodec.bytesMax, blocksCodec.bytesMax]) expect(bytes).toBeLessThanOrEqual(responseBytesMax)
  })
})

describe('frames', () => {
  const bytesMax = 100
  const frames = fc.array(fc.uint8Array({ maxLength: bytesMax }), { maxLength: 6 })

  /** The bytes in pieces, cut at the positions in `cuts`. */
  function pieces(bytes: Uint8Array, cuts: readonly number[]): readonly Uint8Array[] {
    const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length]
    return places.slice(1).map((end, i) => bytes.subarray(places[i]!, end))
  }

  function decodeAll(chunks: readonly Uint8Array[]): {
    readonly frames: readonly Uint8Array[]
    readonly fault: string | undefined
  } {
    const decoder = new FrameDecoder(bytesMax)
    const found: Uint8Array[] = []
    for (const chunk of chunks) {
      decoder.push(chunk)
      for (;;) {
        const next = decoder.next()
        if (!next.ok) return { frames: found, fault: next.error.code }
        if (next.value === undefined) break
        found.push(next.value)
      }
    }
    return { frames: found, fault: undefined }
  }

  it('come out as they went in, however the stream is cut', () => {
    fuzz(
      fc.property(frames, fc.array(fc.nat(700), { maxLength: 8 }), (messages, cuts) => {
        expect(decodeAll(pieces(encodeFrames(messages), cuts))).toEqual({ frames: messages, fault: undefined })
      }),
      300,
    )
  })

  it('end with the first that is longer than the limit', () => {
    const some = fc.array(fc.oneof(any.bytesUpTo(9), any.bytesOf(bytesMax), any.bytesOf(bytesMax + 1)), { maxLength: 6 })
    fuzz(
      fc.property(some, fc.array(fc.nat(700), { maxLength: 8 }), (messages, cuts) => {
        const long = messages.findIndex(({ length }) => length > bytesMax)
        const wanted = long < 0 ? { frames: messages, fault: undefined } : { frames: messages.slice(0, long), fault: 'oversized' }
        expect(decodeAll(pieces(encodeFrames(messages), cuts))).toEqual(wanted)
      }),
      200,
    )
  })

  it('of any bytes are the same however the stream is cut, and encode to a prefix of them', () => {
    const anyStream = fc.oneof(
      any.bytesUpTo(300),
      frames.chain((messages) => any.mutationOf(encodeFrames(messages))),
    )
    fuzz(
      fc.property(anyStream, fc.array(fc.nat(700), { maxLength: 8 }), (bytes, cuts) => {
        const whole = decodeAll([bytes])
        expect(decodeAll(pieces(bytes, cuts))).toEqual(whole)
        const again = encodeFrames(whole.frames)
        expect(again).toEqual(bytes.slice(0, again.length))
      }),
      500,
    )
  })
})
