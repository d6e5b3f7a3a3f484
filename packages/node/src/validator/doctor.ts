import { readFile } from 'node:fs/promises'
import { crc32c } from '@node-rs/crc32'
import { type Crypto, codec, type Genesis, genesisDigest, type Hash, Height, nobleCrypto, ZERO_HASH } from '@quoin/protocol'
import { blockFault } from '../chain/block-fault.ts'
import { indexFault } from '../chain/index-fault.ts'
import { queryIndexFault } from '../chain/query-index-fault.ts'
import { stateFault } from '../chain/state-fault.ts'
import { loadCrypto } from '../crypto/load.ts'
import { LastSignState, SIGN_STATE_FORMAT, signRecordCodec } from '../engine/last-sign-state.ts'
import { CorruptFileError, RecordFile, type RecordFilePowers } from '../engine/record-file.ts'
import { Wal } from '../engine/wal.ts'
import { EndingError } from '../health/ending.ts'
import { type DataDir, dataDir } from '../keys/data-dir.ts'
import { parseValidatorKeyFile } from '../keys/validator-key.ts'
import type { Kv } from '../powers.ts'
import { BlockStore, formatRefusal } from '../store/block-store.ts'
import { type OwnedKv, openClassicKv } from '../store/classic-kv.ts'
import { DamagedError } from '../store/damage.ts'
import { damagedTable, incomplete } from '../store/database.ts'
import { checkTable, damagedLog, levelFiles, lostCurrent, tablesOf } from '../store/level-files.ts'
import { lockDirectory } from '../store/lock.ts'
import { MemoryLog } from '../store/memory-log.ts'
import { describeKey, gapBetween, wholeRange } from '../store/schema.ts'
import { unlessMissing } from '../unless-missing.ts'
import { orFail } from './failure.ts'
import { readGenesisFile } from './genesis-file.ts'
import { checkRpcFiles } from './rpc-files-check.ts'

type Print = (line: string) => void

const fault = (message: string): EndingError => new EndingError({ code: 'untrusted-files', message })

/**
 * Checks everything that a stopped node has on disk: every database file, record, block and index, the state, and the logs.
 *
 * Changes nothing until the database files have passed. Opening the database then makes LevelDB compact its log into a table, as on any
 * start.
 *
 * @param root - Path of the data directory.
 * @param print - Receives one line per check that passed.
 * @throws At the first fault, with its place and what to do about it.
 */
export async function doctor(root: string, print: Print): Promise<void> {
  const dir = dataDir(root)
  const genesis = await readGenesisFile(dir.genesis)
  const lock = orFail(await lockDirectory(dir.root), 'data directory')
  try {
    const crypto = await loadCrypto()
    const files = await levelFiles(dir.database)
    const head = files.length === 0 ? undefined : await examineDatabase({ dir, genesis, crypto, files, print })
    if (head === undefined) print('database: does not exist yet')
    await examineLogs(dir, head, print)
    await checkRpcFiles(dir, print)
  } finally {
    await lock.close()
  }
}

interface Patient {
  readonly dir: DataDir
  readonly genesis: Genesis
  readonly crypto: Crypto
  readonly files: readonly string[]
  readonly print: Print
}

/** The database's head, which the logs must match. */
interface HeadState {
  readonly height: Height
  readonly genesisHash: typeof ZERO_HASH
}

async function examineDatabase(patient: Patient): Promise<HeadState | undefined> {
  const { dir, print } = patient
  await examineFiles(dir.database, patient.files, print)
  const kv = await openClassicKv(dir.database)
  try {
    const refusal = formatRefusal(kv)
    if (refusal !== undefined) throw fault(refusal.message)
    await examineRecords(kv, print)
    return await examineChain(kv, patient)
  } finally {
    await kv.close()
  }
}

async function examineFiles(path: string, files: readonly string[], print: Print): Promise<void> {
  if (lostCurrent(files)) throw fault(incomplete(path).message)
  const log = await damagedLog(path, files)
  if (log !== undefined) {
    throw fault(
      `the database ${path} is damaged: its log ${log.name} is corrupt from byte ${log.at} on, and byte ${log.provenBy} proves that the ` +
        'corrupt part was once synced to disk. Check the disk. quoin start keeps a copy of the log, truncates it there, and fetches the ' +
        'blocks after that point from the peers',
    )
  }
  let bytes = 0
  const tables = tablesOf(files)
  for (const name of tables) {
    const table = await checkTable(path, name)
    if (table.fault !== undefined) throw fault(damagedTable(path, table.fault).message)
    bytes += table.bytes
  }
  print(`files: ${tables.length} tables (${bytes} bytes) and the log match LevelDB's checksums`)
}

async function examineRecords(kv: OwnedKv, print: Print): Promise<void> {
  let [records, bytes] = [0, 0]
  let last: Uint8Array = new Uint8Array(0)
  for await (const [key, value] of kv.scan(wholeRange)) {
    const gap = gapBetween(last, key)
    if (gap !== undefined) throw new DamagedError(`the ${describeKey(gap)} is missing`, gap)
    records++
    bytes += key.length + value.length
    last = key
  }
  print(`records: ${records} (${bytes} bytes) match their checksums`)
}

async function examineChain(kv: Kv, { genesis, crypto, print }: Patient): Promise<HeadState | undefined> {
  const blocks = orFail(BlockStore.open(kv, crypto), 'database')
  if (blocks.chain === undefined) return undefined
  const digest = genesisDigest(crypto, genesis)
  if (blocks.chain.genesisDigest !== digest)
    throw fault(`the database holds the chain of genesis ${blocks.chain.genesisDigest}, but genesis.json has digest ${digest}`)
  const { head } = blocks
  const genesisHash = blocks.header(Height(0))?.hash ?? ZERO_HASH
  const domain = { genesisHash, restartEpoch: blocks.chain.restartEpoch }
  for (let height = 0; height <= head.header.number; height++) {
    const found = blockFault({ blocks, crypto, domain }, Height(height), { content: true, signatures: true })
    if (found !== undefined) throw new DamagedError(found.finding)
  }
  print(`blocks: 0 to ${head.header.number} ${head.hash}, with headers, bodies, receipts, certificates and indexes`)
  const index = await indexFault(kv, blocks)
  if (index.finding !== undefined) throw new DamagedError(index.finding)
  const queries = await queryIndexFault({ kv, blocks, crypto, chainId: genesis.chainId })
  if (queries.finding !== undefined) throw new DamagedError(queries.finding)
  print(`indexes: ${index.entries + queries.entries} entries point to the right records`)
  const state = await stateFault(kv, crypto, head)
  if (state.finding !== undefined) throw new DamagedError(state.finding)
  print(`state: ${state.keys} keys and the stored tree match the root ${head.header.stateRoot}`)
  return { height: head.header.number, genesisHash }
}

async function examineLogs(dir: DataDir, head: HeadState | undefined, print: Print): Promise<void> {
  await examineSignState(dir, head, print)
  if (head === undefined) return
  const wal = await powersOf(dir.wal)
  const { content } = await named(dir.wal, () => Wal.open(wal, head.genesisHash))
  if (content !== undefined && content.height > head.height + 1) {
    throw fault(
      `the database lost final blocks: its head is block ${head.height}, but ${dir.wal} was started after block ${content.height - 1}. Check ` +
        'the disk. quoin start fetches the missing blocks from the peers; a validator signs nothing up to the last height that it has signed',
    )
  }
  print(content === undefined ? 'wal: empty' : `wal: height ${content.height}, ${content.entries.length} entries`)
}

/** Refuses what a start refuses: a key without its sign state, or with the sign state of another key. */
async function examineSignState(dir: DataDir, head: HeadState | undefined, print: Print): Promise<void> {
  const keyFile = await contentOf(dir.validatorKey)
  if (keyFile === undefined) return print('sign-state: not checked, because there is no validator key')
  const { address: validator } = orFail(parseValidatorKeyFile(nobleCrypto, new TextDecoder().decode(keyFile)), dir.validatorKey)
  await named(dir.signState, async () => {
    const { records } = await RecordFile.open(await powersOf(dir.signState), SIGN_STATE_FORMAT)
    // Without a database, only the sign state itself names the chain.
    const genesisHash = head?.genesisHash ?? chainOf(records[0])
    await LastSignState.open(await powersOf(dir.signState), { validator, genesisHash })
    print(`sign-state: ${records.length} records of validator ${validator}`)
  })
}

function chainOf(first: Uint8Array | undefined): Hash {
  const owner = first && codec.decode(signRecordCodec, first)
  return (owner?.ok && owner.value.kind === 'owner' ? owner.value.genesisHash : undefined) ?? ZERO_HASH
}

/** Works on a copy in memory, so that a tail that a start would truncate stays on disk. */
async function powersOf(path: string): Promise<RecordFilePowers> {
  const random = { bytes: (length: number) => new Uint8Array(length) }
  return { file: new MemoryLog((await contentOf(path)) ?? new Uint8Array(0)), crc32c: (bytes) => crc32c(bytes), random }
}

const contentOf = (path: string): Promise<Uint8Array | undefined> => unlessMissing(readFile(path))

async function named<T>(path: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action()
  } catch (error) {
    if (error instanceof CorruptFileError) throw fault(`${path}: ${error.message}`)
    throw error
  }
}
