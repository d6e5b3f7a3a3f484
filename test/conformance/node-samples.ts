import { SYSTEM_ADDRESS, SYSTEM_ENTRIES, SYSTEM_RECORDS, type SystemRecord, systemFlatKey } from '@quoin/execution'
import {
  accountKey,
  codec,
  codeKey,
  createValidatorSet,
  DEFAULT_PARAMETERS,
  Height,
  hexToBytes,
  Round,
  storageKey,
} from '@quoin/protocol'
import { codeRecordCodec, writeCodeRecord } from '../../packages/execution/src/contract/code-record.ts'
import { recordCodec, versionCodec, writeCodeVersion, writeRecord } from '../../packages/execution/src/contract/record.ts'
import { headCodec } from '../../packages/execution/src/state/head.ts'
import { historyOps } from '../../packages/execution/src/state/history.ts'
import { Journal } from '../../packages/execution/src/state/journal.ts'
import { flatKeyOf } from '../../packages/execution/src/state/keys.ts'
import { encodeSplit } from '../../packages/execution/src/state/tree/page.ts'
import { pageKey, rootKeys, undoPagesKey, undoRootsKey } from '../../packages/execution/src/state/tree/records.ts'
import { encodeUndoPages, undoRootsCodec } from '../../packages/execution/src/state/tree/undo.ts'
import { packImage } from '../../packages/execution/src/vm/packed-image.ts'
import { signedStepCodec } from '../../packages/node/src/engine/last-sign-state.ts'
import { encodeMessage, encodeRequest } from '../../packages/node/src/engine/messages.ts'
import { walEntryCodec } from '../../packages/node/src/engine/wal.ts'
import { encodeFrames } from '../../packages/node/src/network/frames.ts'
import {
  chainRecordCodec,
  formatCodec,
  hashKey,
  headRecordCodec,
  heightCodec,
  heightKey,
  locationCodec,
  sendersCodec,
  singleKey,
} from '../../packages/node/src/store/schema.ts'
import { blocksCodec, statusCodec, syncRequestCodec } from '../../packages/node/src/sync/messages.ts'
import {
  accountEntry,
  address,
  commitCertificate,
  compactBlock,
  domain,
  fixed,
  governance,
  hash,
  header,
  nodes,
  organisation,
  policies,
  polkaCertificate,
  proposal,
  proposalsEvidence,
  roster,
  roundCertificate,
  type Samples,
  schedule,
  signature,
  totals,
  transactions,
  validators,
  vote,
  votesCheckpoint,
  votesEvidence,
} from './samples.ts'

const { parameters, roster: rosterRecord } = SYSTEM_RECORDS
const recordOf = <T>(record: SystemRecord<T>, value: T): Uint8Array => codec.encode(record.codec, { layout: 1, value })
const takenEvidence = { hash: hash(0xa8), takenAt: Height(1_240), reporter: address(0xa9) }
const stateKey = storageKey(address(0xa2), fixed(3, 0x00))
const [written, removed] = historyOps(
  [
    { flatKey: flatKeyOf(stateKey), before: fixed(4, 0xa3), after: undefined },
    { flatKey: flatKeyOf(stateKey), before: undefined, after: fixed(4, 0xa3) },
  ],
  1_234,
) as [ReturnType<typeof historyOps>[number], ReturnType<typeof historyOps>[number]]
const children = Array.from({ length: 16 }, (_, i) => ({ count: i, root: fixed(32, i) }))

const record = {
  version: 3,
  authority: address(0xa8),
  paused: true,
  executionVersion: hash(0xa9),
  loadGas: 123_456,
  codeBytes: 7_890,
  callers: 0x8000_0004,
}
const codeVersion = { codeHash: hash(0xaa), height: Height(1_234), codeBytes: 7_890 }

const codeRecord = {
  executionVersion: hash(0xa9),
  loadGas: 123_456,
  codeBytes: 7_890,
  authority: { kind: 'account', address: address(0xa8) },
} as const

/** Key of the single value that an action writes to an empty state. */
function keyWritten(write: (journal: Journal) => void): Uint8Array {
  const journal = new Journal()
  write(journal)
  const [change] = journal.changes()
  return change!.flatKey
}

const image = packImage(
  {
    data: new Uint8Array(0),
    patch: Uint32Array.of(1, 0xffff_ffff, 30, 7),
    heap: fixed(5, 0xab),
    top: 8_192,
    runtime: 1_001,
    context: 1_002,
    mailbox: { at: 1_003, length: 4, buffer: 1_005 },
    entries: new Map([
      ['constructor', 1_006],
      ['functions.ä😀', 1_007],
    ]),
  },
  { heap: Uint8Array.of(0xab, 0, 0, 0xab, 1) },
)

/** State and its records: what a block's state root commits to, and its form in the database. */
export const executionSamples: Samples = {
  'account key': flatKeyOf(accountKey(address(0xa2))),
  'code key': flatKeyOf(codeKey(hash(0xa2))),
  'code record': codec.encode(codeRecordCodec, codeRecord),
  'code record without an authority': codec.encode(codeRecordCodec, { ...codeRecord, authority: { kind: 'none' } }),
  'code record of its deployer': codec.encode(codeRecordCodec, { ...codeRecord, authority: { kind: 'deployer' } }),
  'code record key': keyWritten((journal) => writeCodeRecord(journal, hash(0xa2), codeRecord)),
  'storage key': flatKeyOf(stateKey),
  'history key': written.key,
  'history value': written.value!,
  'history value, absent': removed.value!,
  'system address': hexToBytes(SYSTEM_ADDRESS),
  'system record key': rosterRecord.key,
  'system record key of the good copy': rosterRecord.goodKey,
  'system record parameters': codec.encode(parameters.codec, { layout: 1, value: DEFAULT_PARAMETERS }),
  'system record roster': recordOf(rosterRecord, roster),
  'system record sets': recordOf(SYSTEM_RECORDS.sets, {
    next: validators,
    afterNext: createValidatorSet(validators.validators.slice(1)),
  }),
  'system record nodes': recordOf(SYSTEM_RECORDS.nodes, nodes),
  'system record policies': recordOf(SYSTEM_RECORDS.policies, policies),
  'system record governance': recordOf(SYSTEM_RECORDS.governance, governance),
  'system record totals': recordOf(SYSTEM_RECORDS.totals, totals),
  'system record schedule': recordOf(SYSTEM_RECORDS.schedule, schedule),
  'system record domain': recordOf(SYSTEM_RECORDS.domain, domain),
  'system entry account': codec.encode(SYSTEM_ENTRIES.account.codec, accountEntry),
  'system entry account key': systemFlatKey(SYSTEM_ENTRIES.account.key(address(0xa2))),
  'system entry organisation': codec.encode(SYSTEM_ENTRIES.organisation.codec, organisation),
  'system entry organisation key': SYSTEM_ENTRIES.organisation.key(accountEntry.organisation),
  'system entry node': codec.encode(SYSTEM_ENTRIES.node.codec, nodes[0]!),
  'system entry node key': SYSTEM_ENTRIES.node.key('peer-a'),
  'system entry validatorKey': codec.encode(SYSTEM_ENTRIES.validatorKey.codec, {
    ...{ id: roster[0]!.id, publicKey: roster[0]!.publicKey, until: Height(1_234) },
    votes: { from: Height(1_201), to: Height(1_239) },
  }),
  'system entry validatorKey in use': codec.encode(SYSTEM_ENTRIES.validatorKey.codec, {
    ...{ id: roster[0]!.id, publicKey: roster[0]!.publicKey, until: undefined, votes: { from: Height(1_201), to: undefined } },
  }),
  'system entry validatorKey key': SYSTEM_ENTRIES.validatorKey.key(address(0xa2)),
  'system entry checkpoint': codec.encode(SYSTEM_ENTRIES.checkpoint.codec, votesCheckpoint),
  'system entry checkpoint key': SYSTEM_ENTRIES.checkpoint.key(accountEntry.organisation, 258),
  'system entry offer key': SYSTEM_ENTRIES.offer.key(address(0xa2), accountEntry.organisation),
  'system entry evidence': codec.encode(SYSTEM_ENTRIES.evidence.codec, takenEvidence),
  'system entry evidence key': SYSTEM_ENTRIES.evidence.key(roster[0]!.id, Height(1_234), Round(5), 'precommit'),
  'system entry firstEvidence': codec.encode(SYSTEM_ENTRIES.firstEvidence.codec, {
    ...{ ...takenEvidence, height: Height(1_234), round: Round(5), kind: 'prevote' },
  }),
  'system entry firstEvidence key': SYSTEM_ENTRIES.firstEvidence.key(roster[0]!.id),
  'system entry approval': codec.encode(SYSTEM_ENTRIES.approval.codec, {
    codeHash: hash(0xaa),
    dataHash: hash(0xab),
    lastHeight: Height(1_600),
  }),
  'system entry approval key': SYSTEM_ENTRIES.approval.key(address(0xa2)),
  'system entry roleName': codec.encode(SYSTEM_ENTRIES.roleName.codec, 'teller'),
  'system entry roleName key': SYSTEM_ENTRIES.roleName.key(16),
  'contract record': codec.encode(recordCodec, record),
  'contract record without authority': codec.encode(recordCodec, { ...record, authority: undefined }),
  'contract record key': keyWritten((journal) => writeRecord(journal, address(0xa2), record)),
  'contract code version': codec.encode(versionCodec, codeVersion),
  'contract code version key': keyWritten((journal) => writeCodeVersion(journal, address(0xa2), 3, codeVersion)),
  'packed image': image,
  'tree head': codec.encode(headCodec, { format: 1, depth: 16, height: Height(9), oldestUndo: Height(5), root: hash(0xa4) }),
  'tree page key': pageKey(0x0102),
  'tree root key': rootKeys([0x0102])[0]!,
  'tree undo roots key': undoRootsKey(1_234),
  'tree undo pages key': undoPagesKey(1_234),
  'tree split page': encodeSplit(children),
  'tree undo roots': codec.encode(undoRootsCodec, {
    root: hash(0xa5),
    prefixes: Uint32Array.of(1, 2),
    nodes: new Uint32Array(fixed(64, 0xa6).buffer),
  }),
  'tree undo pages': encodeUndoPages([
    { key: pageKey(1), record: fixed(64, 0xa7) },
    { key: pageKey(2), record: undefined },
  ]),
}

const place = { height: Height(1_234), round: Round(5) }

/** Messages between nodes of one chain. */
export const wireSamples: Samples = {
  'message proposal': encodeMessage({ kind: 'proposal', proposal, block: compactBlock, polka: polkaCertificate }),
  'message vote': encodeMessage({ kind: 'vote', vote }),
  'message polkaCertificate': encodeMessage({ kind: 'polkaCertificate', certificate: polkaCertificate }),
  'message roundCertificate': encodeMessage({ kind: 'roundCertificate', certificate: roundCertificate }),
  'message commitCertificate': encodeMessage({ kind: 'commitCertificate', certificate: commitCertificate }),
  'message status': encodeMessage({ kind: 'status', ...place }),
  'message evidence': encodeMessage({ kind: 'evidence', evidence: votesEvidence }),
  'message evidence of proposals': encodeMessage({ kind: 'evidence', evidence: proposalsEvidence }),
  'request transactions': encodeRequest({ kind: 'transactions', blockHash: hash(0xb1), hashes: [hash(0xb2)] }),
  'request block': encodeRequest({ kind: 'block', blockHash: hash(0xb3) }),
  'sync request status': codec.encode(syncRequestCodec, {
    kind: 'status',
    genesisHash: hash(0xb4),
    height: Height(9),
    hash: hash(0xb5),
  }),
  'sync request blocks': codec.encode(syncRequestCodec, { kind: 'blocks', from: Height(9), countMax: 10, bytesMax: 11 }),
  'sync status': codec.encode(statusCodec, { genesisHash: hash(0xb4), height: Height(9), hash: hash(0xb5) }),
  'sync blocks': codec.encode(blocksCodec, [{ header, transactions, certificate: commitCertificate }]),
  frames: encodeFrames([fixed(2, 0xb6), fixed(300, 0xb7)]),
}

/** Data that a node keeps on its own disk. */
export const diskSamples: Samples = {
  'database format': codec.encode(formatCodec, 1),
  'database chain': codec.encode(chainRecordCodec, { genesisDigest: hash(0xc1), restartEpoch: 2 }),
  'database head': codec.encode(headRecordCodec, { height: Height(9), hash: hash(0xc2) }),
  'database senders': codec.encode(sendersCodec, [{ hash: hash(0xc3), sender: address(0xc4) }]),
  'database location': codec.encode(locationCodec, { height: Height(9), index: 3 }),
  'database height': codec.encode(heightCodec, Height(9)),
  'database key of the head': singleKey('head'),
  'database key of a header': heightKey('header', Height(9)),
  'database key of a location': hashKey('location', hash(0xc5)),
  'wal checkpoint': codec.encode(walEntryCodec, {
    kind: 'checkpoint',
    genesisHash: hash(0xc6),
    height: Height(9),
    isWhole: true,
  }),
  'wal body': codec.encode(walEntryCodec, { kind: 'body', block: { header, transactions } }),
  'wal valueBuilt': codec.encode(walEntryCodec, { kind: 'valueBuilt', ...place, valueId: hash(0xc7) }),
  'wal proposal': codec.encode(walEntryCodec, { kind: 'proposal', proposal, polka: undefined }),
  'wal valueValidated': codec.encode(walEntryCodec, {
    kind: 'valueValidated',
    ...place,
    valueId: hash(0xc7),
    valid: true,
    fresh: false,
  }),
  'wal vote': codec.encode(walEntryCodec, { kind: 'vote', vote }),
  'wal polkaCertificate': codec.encode(walEntryCodec, { kind: 'polkaCertificate', certificate: polkaCertificate }),
  'wal roundCertificate': codec.encode(walEntryCodec, { kind: 'roundCertificate', certificate: roundCertificate }),
  'wal commitCertificate': codec.encode(walEntryCodec, { kind: 'commitCertificate', certificate: commitCertificate }),
  'wal timeout': codec.encode(walEntryCodec, { kind: 'timeout', timeout: 'precommit', ...place }),
  'sign state': codec.encode(signedStepCodec, {
    ...place,
    step: 'precommit',
    digest: fixed(32, 0xc8),
    signature: signature(0xc9),
  }),
}
