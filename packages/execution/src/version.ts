import {
  ABI_LIMITS,
  accountCodec,
  accountKey,
  bytesToHex,
  type Crypto,
  cloneInitCodeHash,
  codec,
  codeKey,
  codeRecordKey,
  DEFAULT_PARAMETERS,
  EVIDENCE_HEIGHTS_MAX,
  emptyBloom,
  formatAbi,
  type Gas,
  Hash,
  type Header,
  type Height,
  headerRlp,
  hexToBytes,
  LIMITS,
  merkleRoot,
  type Nonce,
  OPEN_POLICIES,
  receiptCodec,
  stateValueHash,
  storageKey,
  type TimeMs,
  treeKey,
  utf8ToBytes,
  type Wei,
  ZERO_ADDRESS,
  ZERO_HASH,
} from '@quoin/protocol'
import { FEE_CONSTANTS } from './block/fees.ts'
import { GENESIS_LIMITS } from './block/genesis-limits.ts'
import { GAS } from './block/intrinsic-gas.ts'
import { LANE } from './block/lane.ts'
import { ENCODE_LIMITS } from './contract/abi/encode.ts'
import { codeRecordCodec } from './contract/code-record.ts'
import { CONTRACT_GAS } from './contract/contract-gas.ts'
import { describeContractInterpreter } from './contract/contract-interpreter.ts'
import { LIBRARY_GAS } from './contract/library/library-gas.ts'
import { CONTRACT_LIMITS } from './contract/limits.ts'
import { MESSAGE_GAS } from './contract/message-gas.ts'
import { MESSAGE_LIMITS } from './contract/message-limits.ts'
import { NATIVE_CODE } from './contract/native/native.ts'
import { NATIVE_CONTRACTS } from './contract/native/native-contracts.ts'
import { encodeErrorString } from './error-data.ts'
import { READY_HEIGHTS, SMALL_SET_COUNT_MAX } from './state/next-validators.ts'
import { SYSTEM_ENTRIES } from './state/system-entries.ts'
import { SYSTEM_ADDRESS, SYSTEM_RECORDS } from './state/system-records.ts'
import { TICKS_PER_GAS } from './ticks.ts'

/**
 * Revision of execution behaviour that does not show in the tables and samples below, such as the order of checks. Raise it with
 * each such change, because nodes that execute differently must not consider each other equal.
 */
const RULES_REVISION = 10

const header: Header = {
  parentHash: ZERO_HASH,
  miner: SYSTEM_ADDRESS,
  stateRoot: ZERO_HASH,
  transactionsRoot: ZERO_HASH,
  receiptsRoot: ZERO_HASH,
  logsBloom: emptyBloom(),
  number: 1 as Height,
  gasLimit: 60_000_000 as Gas,
  gasUsed: 21_000 as Gas,
  timeMs: 1_700_000_000_123 as TimeMs,
  baseFeePerGas: 7n as Wei,
  extra: { executionVersion: ZERO_HASH, validatorsHash: ZERO_HASH, nextValidatorsHash: ZERO_HASH },
  genesisDigest: undefined,
}

/** Shared limits that decide whether a block is valid. */
const BLOCK_LIMITS = {
  transactionBytesMax: LIMITS.transactionBytesMax,
  blockBytesMax: LIMITS.blockBytesMax,
  blockTransactionsMax: LIMITS.blockTransactionsMax,
  blockGasMax: LIMITS.blockGasMax,
  accessListEntriesMax: LIMITS.accessListEntriesMax,
  accessListKeysMax: LIMITS.accessListKeysMax,
  logsPerReceiptMax: LIMITS.logsPerReceiptMax,
  logDataBytesMax: LIMITS.logDataBytesMax,
  logTopicsMax: LIMITS.logTopicsMax,
  errorDataBytesMax: LIMITS.errorDataBytesMax,
  stateKeyBytesMax: LIMITS.stateKeyBytesMax,
  stateValueBytesMax: LIMITS.stateValueBytesMax,
} as const

interface Table {
  readonly [name: string]: number | Table
}

const describeTable = (path: string, table: Table): readonly string[] =>
  Object.entries(table).flatMap(([name, value]) =>
    typeof value === 'number' ? [`${path}.${name} ${value}`] : describeTable(`${path}.${name}`, value),
  )

/**
 * Everything that decides how transactions execute, one `name value` per line: tables, and the bytes of a sample of each format.
 */
export function describeExecution(crypto: Crypto): string {
  const account = { nonce: 1 as Nonce, balance: (10n ** 18n) as Wei, codeHash: ZERO_HASH }
  const receipt = codec.encode(receiptCodec, {
    status: 0,
    gasUsed: 21_000 as Gas,
    cumulativeGasUsed: 42_000 as Gas,
    logs: [{ address: SYSTEM_ADDRESS, topics: [ZERO_HASH], data: Uint8Array.of(1, 2, 3) }],
    errorData: encodeErrorString('reason'),
    contractAddress: ZERO_ADDRESS,
    payer: SYSTEM_ADDRESS,
  })
  const codeRecord = { executionVersion: ZERO_HASH, loadGas: 80_000, codeBytes: 1_000, authority: { kind: 'deployer' } } as const
  const sample = Uint8Array.of(0, 1, 2, 255)
  const samples: readonly (readonly [string, Uint8Array])[] = [
    ['account', codec.encode(accountCodec, account)],
    ['receipt', receipt],
    ['header', headerRlp(crypto, header)],
    ['parameters', codec.encode(SYSTEM_RECORDS.parameters.codec, { layout: 1, value: DEFAULT_PARAMETERS })],
    ['policies', codec.encode(SYSTEM_RECORDS.policies.codec, { layout: 1, value: OPEN_POLICIES })],
    ['accountKey', hexToBytes(accountKey(SYSTEM_ADDRESS))],
    ['cloneInitCodeHash', cloneInitCodeHash(crypto, ZERO_HASH, sample)],
    ['codeKey', hexToBytes(codeKey(ZERO_HASH))],
    ['codeRecordKey', hexToBytes(codeRecordKey(ZERO_HASH))],
    ['codeRecord', codec.encode(codeRecordCodec, codeRecord)],
    ['storageKey', hexToBytes(storageKey(SYSTEM_ADDRESS, sample))],
    ['treeKey', treeKey(crypto, sample)],
    ['stateValueHash', stateValueHash(crypto, sample)],
    ['merkleRoot', merkleRoot(crypto, [sample, receipt, sample])],
    ['merkleRoot.empty', merkleRoot(crypto, [])],
  ]
  const lines = [
    `revision ${RULES_REVISION}`,
    `gas.ticks ${TICKS_PER_GAS}`,
    ...describeTable('gas', GAS),
    ...describeTable('fees', FEE_CONSTANTS),
    ...describeTable('lane', LANE),
    ...describeTable('sets', { READY_HEIGHTS, SMALL_SET_COUNT_MAX, EVIDENCE_HEIGHTS_MAX }),
    ...describeTable('limits', {
      ...BLOCK_LIMITS,
      ...GENESIS_LIMITS,
      ...CONTRACT_LIMITS,
      ...MESSAGE_LIMITS,
      ...ABI_LIMITS,
      ...ENCODE_LIMITS,
    }),
    ...describeTable('gas.message', MESSAGE_GAS),
    ...describeTable('gas.host', CONTRACT_GAS),
    ...describeTable('gas.library', LIBRARY_GAS),
    ...describeContractInterpreter(),
    ...NATIVE_CONTRACTS.map(
      ({ name, address, abi, code = NATIVE_CODE }) => `native.${name} ${address} ${bytesToHex(code)} ${formatAbi(abi)}`,
    ),
    ...Object.values(SYSTEM_RECORDS).map(({ name, codec: { bytesMax } }) => `record.${name} ${bytesMax}`),
    ...Object.entries(SYSTEM_ENTRIES).map(
      ([
        name,
        {
          codec: { bytesMax },
        },
      ]) => `entry.${name} ${bytesMax}`,
    ),
    ...samples.map(([name, bytes]) => `sample.${name} ${bytesToHex(bytes)}`),
  ]
  return lines.toSorted().join('\n')
}

/** Hash that identifies these rules. It is part of genesis and of each header, and the same on every machine. */
export const executionVersion = (crypto: Crypto): Hash => Hash(crypto.sha256(utf8ToBytes(describeExecution(crypto))))
