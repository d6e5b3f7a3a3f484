import type { DriverInput } from '@quoin/consensus'
import {
  codec,
  commitCertificateCodec,
  type Hash,
  type Height,
  polkaCertificateCodec,
  proposalCodec,
  type RawBlock,
  type Round,
  rawBlockCodec,
  roundCertificateCodec,
  voteCodec,
} from '@quoin/protocol'
import { CorruptFileError, RecordFile, type RecordFilePowers, type RecordFormat } from './record-file.ts'

/**
 * Write-ahead log of one height: all inputs of the driver since the height began, in order, and the block bodies it judged. Timeouts and
 * locally built values are included, because they cannot be derived again. Replaying the log after a crash restores the state in which the
 * node last sent a message: no message leaves the node before its cause is on disk here.
 */
export type WalEntry =
  /** First entry of the file. `isWhole` is false if an earlier log of the same height may be missing. */
  | { readonly kind: 'checkpoint'; readonly genesisHash: Hash; readonly height: Height; readonly isWhole: boolean }
  /** A proposed block with its transactions; written before any vote for it. */
  | { readonly kind: 'body'; readonly block: RawBlock }
  | LoggedInput

/** All driver inputs except `startHeight`, which the checkpoint replaces. */
export type LoggedInput = Exclude<DriverInput, { kind: 'startHeight' }>

const TIMEOUTS = ['propose', 'prevote', 'precommit'] as const
const timeoutKind: codec.Codec<(typeof TIMEOUTS)[number]> = {
  bytesMax: 1,
  write: (writer, value) => writer.u8(TIMEOUTS.indexOf(value)),
  read(reader) {
    const index = reader.u8()
    return TIMEOUTS[index] ?? reader.fail(`unknown timeout ${index}`)
  },
}

const heightRound = { height: codec.u64<Height>(), round: codec.u32<Round>() } as const

export const walEntryCodec: codec.Codec<WalEntry> = codec.union({
  checkpoint: codec.struct({ genesisHash: codec.hash, height: codec.u64<Height>(), isWhole: codec.bool }),
  body: codec.struct({ block: rawBlockCodec }),
  valueBuilt: codec.struct({ ...heightRound, valueId: codec.hash }),
  proposal: codec.struct({ proposal: proposalCodec, polka: codec.optional(polkaCertificateCodec) }),
  valueValidated: codec.struct({ ...heightRound, valueId: codec.hash, valid: codec.bool, fresh: codec.bool }),
  vote: codec.struct({ vote: voteCodec }),
  polkaCertificate: codec.struct({ certificate: polkaCertificateCodec }),
  roundCertificate: codec.struct({ certificate: roundCertificateCodec }),
  commitCertificate: codec.struct({ certificate: commitCertificateCodec }),
  timeout: codec.struct({ timeout: timeoutKind, ...heightRound }),
})

/** File format of the write-ahead log. */
export const WAL_FORMAT: RecordFormat = {
  magic: 'QWAL',
  version: 2,
  name: 'write-ahead log',
  remedy:
    'Remove the file and keep the sign-state file: the validator then signs nothing in the last height that it signed, and fetches what it lacks.',
  recordBytesMax: walEntryCodec.bytesMax + 1,
}

/** Content of the log for the height of its checkpoint. */
export interface WalContent {
  readonly height: Height
  readonly isWhole: boolean
  readonly entries: readonly Exclude<WalEntry, { kind: 'checkpoint' }>[]
}

/** The write-ahead log of the current height, see `WalEntry`. Entries are durable only after `sync`. */
export class Wal {
  readonly #file: RecordFile
  readonly genesisHash: Hash

  private constructor(file: RecordFile, genesisHash: Hash) {
    this.#file = file
    this.genesisHash = genesisHash
  }

  /**
   * Opens the log. `content` is undefined if nothing was ever logged.
   * @throws CorruptFileError if the file is damaged, has another format, or belongs to another chain.
   */
  static async open(powers: RecordFilePowers, genesisHash: Hash): Promise<{ wal: Wal; content: WalContent | undefined }> {
    const { file, records } = await RecordFile.open(powers, WAL_FORMAT)
    const wal = new Wal(file, genesisHash)
    return { wal, content: readContent(records, genesisHash) }
  }

  /** Size of the file in bytes. */
  get length(): number {
    return this.#file.length
  }

  append(entry: Exclude<WalEntry, { kind: 'checkpoint' }>): void {
    this.#file.append(codec.encode(walEntryCodec, entry))
  }

  /** Resolves when everything appended is on disk; at once if nothing was appended. */
  sync(): Promise<void> {
    return this.#file.sync()
  }

  /** Starts the log of a height; drops the previous height. */
  checkpoint(height: Height, isWhole: boolean): Promise<void> {
    const { genesisHash } = this
    return this.#file.replace([codec.encode(walEntryCodec, { kind: 'checkpoint', genesisHash, height, isWhole })])
  }
}

function readContent(records: readonly Uint8Array[], genesisHash: Hash): WalContent | undefined {
  const [first, ...rest] = records.map((record, index) => {
    const entry = codec.decode(walEntryCodec, record)
    if (entry.ok) return entry.value
    throw new CorruptFileError(`entry ${index} of the write-ahead log cannot be decoded: ${entry.error.message}`)
  })
  if (first === undefined) return undefined
  if (first.kind !== 'checkpoint') throw new CorruptFileError('the write-ahead log does not begin with a checkpoint')
  if (first.genesisHash !== genesisHash) {
    throw new CorruptFileError(
      `the write-ahead log belongs to the chain with genesis ${first.genesisHash}, but this chain has genesis ${genesisHash}: use a separate data directory for each chain`,
    )
  }
  return { height: first.height, isWhole: first.isWhole, entries: rest as WalContent['entries'] }
}
