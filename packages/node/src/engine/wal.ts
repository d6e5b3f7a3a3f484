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
 * Write-ahead log of one height: everything that the driver was told since the height began, in order, and the bodies it judged. Timeouts and
 * locally built values stand in it too, for they cannot be derived again. Replayed after a crash it gives the state in which the node last
 * spoke; nothing leaves the node before what caused it is on disk here.
 */
export type WalEntry =
  /** First of the file. `isWhole`: an earlier log of the same height may be missing when it is false. */
  | { readonly kind: 'checkpoint'; readonly genesisHash: Hash; readonly height: Height; readonly isWhole: boolean }
  /** A proposed block with its transactions; stands before any vote for it. */
  | { readonly kind: 'body'; readonly block: RawBlock }
  | LoggedInput

/** Everything but `startHeight`, which the checkpoint stands for. */
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

export const WAL_FORMAT: RecordFormat = {
  magic: 'QWAL',
  version: 1,
  name: 'write-ahead log',
  remedy:
    'Remove the file and keep the sign-state: the validator then keeps silent in the height that it signed last, and fetches what it lacks.',
  recordBytesMax: walEntryCodec.bytesMax + 1,
}

/** What a log holds of the height it was checkpointed at. */
export interface WalContent {
  readonly height: Height
  readonly isWhole: boolean
  readonly entries: readonly Exclude<WalEntry, { kind: 'checkpoint' }>[]
}

export class Wal {
  readonly #file: RecordFile
  readonly genesisHash: Hash

  private constructor(file: RecordFile, genesisHash: Hash) {
    this.#file = file
    this.genesisHash = genesisHash
  }

  /** `content` is undefined when nothing was ever logged. Throws CorruptFileError: damaged, of another format, or of another chain. */
  static async open(powers: RecordFilePowers, genesisHash: Hash): Promise<{ wal: Wal; content: WalContent | undefined }> {
    const { file, records } = await RecordFile.open(powers, WAL_FORMAT)
    const wal = new Wal(file, genesisHash)
    return { wal, content: readContent(records, genesisHash) }
  }

  /** Bytes in the file. */
  get length(): number {
    return this.#file.length
  }

  append(entry: Exclude<WalEntry, { kind: 'checkpoint' }>): void {
    this.#file.append(codec.encode(walEntryCodec, entry))
  }

  /** Resolves when everything appended is on disk; at once when nothing was. */
  sync(): Promise<void> {
    return this.#file.sync()
  }

  /** Begins a height: forgets the one before. */
  checkpoint(height: Height, isWhole: boolean): Promise<void> {
    const { genesisHash } = this
    return this.#file.replace([codec.encode(walEntryCodec, { kind: 'checkpoint', genesisHash, height, isWhole })])
  }
}

function readContent(records: readonly Uint8Array[], genesisHash: Hash): WalContent | undefined {
  const [first, ...rest] = records.map((record, index) => {
    const entry = codec.decode(walEntryCodec, record)
    if (entry.ok) return entry.value
    throw new CorruptFileError(
      `entry ${index} of the write-ahead log is not one that this program writes: ${entry.error.message}`,
    )
  })
  if (first === undefined) return undefined
  if (first.kind !== 'checkpoint') throw new CorruptFileError('the write-ahead log does not begin with a checkpoint')
  if (first.genesisHash !== genesisHash) {
    throw new CorruptFileError(
      `the write-ahead log belongs to the chain with genesis ${first.genesisHash}, this is ${genesisHash}: use that chain's own data directory`,
    )
  }
  return { height: first.height, isWhole: first.isWhole, entries: rest as WalContent['entries'] }
}
