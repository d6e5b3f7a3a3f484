import {
  packOps,
  packQueues,
  packTransactions,
  SYSTEM_ENTRIES,
  SYSTEM_RECORDS,
  type SystemRecord,
  unpackOps,
  unpackQueues,
  unpackTransactions,
} from '@quoin/execution'
import { accountCodec, codec, equalBytes, type Nonce, U32_MAX } from '@quoin/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { codeRecordCodec } from '../../packages/execution/src/contract/code-record.ts'
import { recordCodec, versionCodec } from '../../packages/execution/src/contract/record.ts'
import { headCodec } from '../../packages/execution/src/state/head.ts'
import { historyKey } from '../../packages/execution/src/state/keys.ts'
import { parseRecord, readingOf } from '../../packages/execution/src/state/system-records.ts'
import { undoRootsCodec } from '../../packages/execution/src/state/tree/undo.ts'
import { packImage, unpackImage } from '../../packages/execution/src/vm/packed-image.ts'
import type { ContractImage } from '../../packages/execution/src/vm/request.ts'
import * as any from '../../packages/protocol/test/arbitraries.ts'
import * as governed from '../../packages/protocol/test/governed-arbitraries.ts'
import { codecTarget, fuzz, fuzzTargets, resultTarget, type Target, throwingTarget } from './fuzz.ts'

const account = fc.record({
  nonce: fc.nat(U32_MAX).map((nonce) => nonce as Nonce),
  balance: any.wei,
  codeHash: fc.option(any.hash, { nil: undefined }),
})

const contractRecord = fc.record({
  version: fc.nat(U32_MAX),
  authority: fc.option(any.address, { nil: undefined }),
  paused: fc.boolean(),
  executionVersion: any.hash,
  loadGas: any.gas,
  codeBytes: fc.nat(U32_MAX),
  callers: fc.nat(U32_MAX),
})
const codeRecord = fc.record({
  executionVersion: any.hash,
  loadGas: any.gas,
  codeBytes: fc.nat(U32_MAX),
  authority: fc.oneof(
    fc.record({ kind: fc.constantFrom('none' as const, 'deployer' as const) }),
    fc.record({ kind: fc.constant('account' as const), address: any.address }),
  ),
})
const codeVersion = fc.record({ codeHash: any.hash, height: any.height, codeBytes: fc.nat(U32_MAX) })

/** An interpreter whose images have little room: 32 words of data, and a small heap. */
const imageBase = { data: new Uint8Array(128), heap: Uint8Array.from({ length: 30 }, (_, i) => i % 3) } as ContractImage
/** Start of the interpreter's heap (`vm/quickjs.ts`). */
const HEAP_BASE = 5_333_088
const inHeap = fc.integer({ min: HEAP_BASE, max: HEAP_BASE + 92 })
const image: fc.Arbitrary<ContractImage> = fc.record({
  data: fc.constant(imageBase.data),
  patch: fc.array(fc.tuple(fc.nat(31), fc.nat(U32_MAX)), { maxLength: 3 }).map((words) => Uint32Array.from(words.flat())),
  heap: any.bytesUpTo(60),
  top: fc.integer({ min: 1_303, max: 2_000 }).map((page) => page * 4096),
  runtime: inHeap,
  context: inHeap,
  mailbox: fc.record({ at: fc.constant(HEAP_BASE + 50), length: fc.nat(50), buffer: inHeap }),
  entries: fc
    .dictionary(fc.string({ unit: 'binary', maxLength: 8 }), inHeap, { maxKeys: 3 })
    .map((all) => new Map(Object.entries(all))),
})

const layout = fc.constant(1)
const { parameters, sets } = SYSTEM_RECORDS
const recordTarget = <T>(record: SystemRecord<T>, value: fc.Arbitrary<T>): Target =>
  codecTarget(record.codec, fc.record({ layout, value }))

/** A target for each kind of entry of the chain contract. */
const entries: { readonly [K in keyof typeof SYSTEM_ENTRIES]: Target } = {
  account: codecTarget(SYSTEM_ENTRIES.account.codec, governed.accountEntry),
  organisation: codecTarget(SYSTEM_ENTRIES.organisation.codec, governed.organisation),
  node: codecTarget(SYSTEM_ENTRIES.node.codec, governed.nodeDetails),
  validatorKey: codecTarget(SYSTEM_ENTRIES.validatorKey.codec, governed.validatorKeyUse),
  checkpoint: codecTarget(SYSTEM_ENTRIES.checkpoint.codec, governed.votesCheckpoint),
  offer: codecTarget(SYSTEM_ENTRIES.offer.codec, governed.accountEntry),
  roleName: codecTarget(SYSTEM_ENTRIES.roleName.codec, any.ascii(31)),
  evidence: codecTarget(SYSTEM_ENTRIES.evidence.codec, governed.takenEvidence),
  firstEvidence: codecTarget(SYSTEM_ENTRIES.firstEvidence.codec, governed.firstEvidence),
  approval: codecTarget(
    SYSTEM_ENTRIES.approval.codec,
    fc.record({ codeHash: any.hash, dataHash: any.hash, lastHeight: any.height }),
  ),
}

const undoRoots = fc
  .record({ root: any.hash, prefixes: fc.uint32Array({ maxLength: 4 }) })
  .chain(({ root, prefixes }) =>
    any.bytesOf(32 * prefixes.length).map((bytes) => ({ root, prefixes, nodes: new Uint32Array(bytes.slice().buffer) })),
  )

const op = fc.record({ key: any.bytesUpTo(9), value: fc.option(any.bytesUpTo(9), { nil: undefined }) })
const executable = fc.record({ sender: any.address, raw: any.bytesUpTo(30) })
const gas = fc.maxSafeInteger().map(Math.abs)
const candidate = fc.record({ sender: any.address, raw: any.bytesUpTo(30), gasLimit: gas })
const candidateQueue = fc.record({ use: gas, candidates: fc.array(candidate, { maxLength: 3 }) })

const historyPlace = fc.record({
  stateKey: fc.tuple(any.bytesOf(20), fc.uint8Array({ minLength: 1, maxLength: 12 })).map(([a, b]) => Uint8Array.of(...a, ...b)),
  height: any.height,
})

fuzzTargets({
  account: codecTarget(accountCodec, account),
  'system record parameters': codecTarget(parameters.codec, fc.record({ layout, value: any.parameters })),
  'system record roster': recordTarget(SYSTEM_RECORDS.roster, governed.roster),
  'system record sets': codecTarget(
    sets.codec,
    fc.record({ layout, value: fc.record({ next: any.validatorSet, afterNext: any.validatorSet }) }),
    ({ value }) => [value.next.validators, value.afterNext.validators],
  ),
  'system record nodes': recordTarget(SYSTEM_RECORDS.nodes, governed.nodeEntries),
  'system record policies': recordTarget(SYSTEM_RECORDS.policies, governed.policies),
  'system record governance': recordTarget(SYSTEM_RECORDS.governance, governed.governance),
  'system record totals': recordTarget(SYSTEM_RECORDS.totals, governed.totals),
  'system record domain': recordTarget(SYSTEM_RECORDS.domain, any.signingDomain),
  'system record schedule': recordTarget(
    SYSTEM_RECORDS.schedule,
    fc.record({
      haltHeight: fc.option(any.height, { nil: undefined }),
      upgrade: fc.option(fc.record({ height: any.height, executionVersion: any.hash }), { nil: undefined }),
    }),
  ),
  ...Object.fromEntries(Object.entries(entries).map(([kind, target]) => [`system entry ${kind}`, target])),
  'tree head': codecTarget(
    headCodec,
    fc.record({ format: fc.nat(255), depth: fc.nat(255), height: any.height, oldestUndo: any.height, root: any.hash }),
  ),
  'tree undo roots': codecTarget(undoRootsCodec, undoRoots),
  'packed writes': throwingTarget(packOps, unpackOps, RangeError, fc.array(op, { maxLength: 4 })),
  'packed candidates': throwingTarget(packQueues, unpackQueues, RangeError, fc.array(candidateQueue, { maxLength: 3 })),
  'packed transactions': throwingTarget(packTransactions, unpackTransactions, RangeError, fc.array(executable, { maxLength: 4 })),
  'contract record': codecTarget(recordCodec, contractRecord),
  'contract code version': codecTarget(versionCodec, codeVersion),
  'code record': codecTarget(codeRecordCodec, codeRecord),
  'packed image': resultTarget(
    (value) => packImage(value, imageBase),
    (bytes) => {
      const unpacked = unpackImage(bytes, imageBase)
      return unpacked === undefined ? { ok: false } : { ok: true, value: unpacked }
    },
    image,
  ),
})

describe('history keys', () => {
  it('are ordered by state key, then by height', () => {
    fuzz(
      fc.property(historyPlace, historyPlace, (a, b) => {
        const byKey = Buffer.compare(a.stateKey, b.stateKey)
        const wanted = byKey === 0 ? Math.sign(a.height - b.height) : byKey
        expect(Buffer.compare(historyKey(a.stateKey, a.height), historyKey(b.stateKey, b.height))).toBe(wanted)
      }),
      300,
    )
  })
})

describe('a system record', () => {
  it('is read as stored, or as its last valid copy', () => {
    const good = codec.encode(parameters.codec, { layout: 1, value: { ...fallback } })
    const present = fc.oneof(
      any.bytesUpTo(120),
      fc.record({ layout, value: any.parameters }).map((value) => codec.encode(parameters.codec, value)),
      fc.record({ layout, value: any.parameters }).chain((value) => any.mutationOf(codec.encode(parameters.codec, value))),
      fc.constant(undefined),
    )
    fuzz(
      fc.property(present, (bytes) => {
        const parsed = parseRecord(parameters, bytes)
        const { value, problem } = readingOf(parameters, bytes, good)
        expect(value).toEqual(parsed.ok ? parsed.value : fallback)
        expect(problem === undefined).toBe(parsed.ok)
        if (parsed.ok) expect(equalBytes(codec.encode(parameters.codec, { layout: 1, value }), bytes!)).toBe(true)
      }),
      300,
    )
  })
})

const [fallback] = fc.sample(any.parameters, { numRuns: 1, seed: 1 }) as [
  typeof any.parameters extends fc.Arbitrary<infer T> ? T : never,
]
