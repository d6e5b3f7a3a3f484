import { compareBytes, concatBytes } from '@quoin/protocol'
import type { LogFile, Random } from '../powers.ts'
import type { Crc32c } from './crc32c.ts'

/**
 * A log of checksummed records over a `LogFile`.
 *
 *    file   = magic (4) ‖ format version (u32) ‖ nonce (8) ‖ record*
 *    record = length (u32) ‖ CRC-32C of the payload (u32) ‖ payload (length bytes, at least one)
 *    payload = 00 ‖ nonce: sync mark, or 01 ‖ content
 *
 * A crash can leave any part of the unsynced bytes: a cut record, zeros, or a hole followed by whole records. A sync mark is written before
 * the first record after each sync; it proves that all bytes before it were durable. So a bad record is a torn tail and is cut off with
 * everything after it, unless a mark follows it: then durable bytes have changed, and the file cannot be trusted. The nonce is drawn at
 * random for each file, so nobody can plant a mark inside a transaction.
 */
export interface RecordFormat {
  /** Four ASCII characters. */
  readonly magic: string
  readonly version: number
  /** Name of the file for error messages. */
  readonly name: string
  /** Whole sentences that tell the operator what to do if the file cannot be used. */
  readonly remedy: string
  readonly recordBytesMax: number
}

export interface RecordFilePowers {
  readonly file: LogFile
  readonly crc32c: Crc32c
  readonly random: Random
}

/** A file is damaged or is not the expected one, and continuing could cause harm. The message says what, where, and what to do. */
export class CorruptFileError extends Error {}

const NONCE_BYTES = 8
const HEADER_BYTES = 4 + 4 + NONCE_BYTES
const PREFIX_BYTES = 8
const MARK = 0
const CONTENT = 1

/** Reads and writes a record file, see `RecordFormat`. Records are appended, synced, or replaced as a whole. */
export class RecordFile {
  readonly #powers: RecordFilePowers
  readonly #format: RecordFormat
  #nonce: Uint8Array
  /** There are unsynced bytes. */
  #dirty = false
  /** A sync has ended since the last append. */
  #markDue = true
  #length: number

  private constructor(powers: RecordFilePowers, format: RecordFormat, nonce: Uint8Array, length: number) {
    this.#powers = powers
    this.#format = format
    this.#nonce = nonce
    this.#length = length
  }

  /**
   * Opens a file and reads its records, oldest first. Cuts off a torn tail; writes the header of an empty file.
   * @throws CorruptFileError
   */
  static async open(powers: RecordFilePowers, format: RecordFormat): Promise<{ file: RecordFile; records: Uint8Array[] }> {
    const bytes = await powers.file.read()
    if (bytes.length === 0) {
      const file = new RecordFile(powers, format, new Uint8Array(NONCE_BYTES), 0)
      await file.replace([])
      return { file, records: [] }
    }
    checkHeader(bytes, format)
    const nonce = bytes.slice(HEADER_BYTES - NONCE_BYTES, HEADER_BYTES)
    const { records, end } = scan(bytes, nonce, powers.crc32c, format)
    if (end < bytes.length) await powers.file.truncate(end)
    return { file: new RecordFile(powers, format, nonce, end), records }
  }

  get length(): number {
    return this.#length
  }

  /** Appends a record; it is durable after the next `sync`. */
  append(content: Uint8Array): void {
    if (1 + content.length > this.#format.recordBytesMax)
      throw new RangeError(`record of ${content.length} bytes exceeds the limit of ${this.#format.recordBytesMax - 1} bytes`)
    if (this.#markDue) this.#write(frame(MARK, this.#nonce, this.#powers.crc32c))
    this.#markDue = false
    this.#write(frame(CONTENT, content, this.#powers.crc32c))
    this.#dirty = true
  }

  /** Resolves when all records are on disk. */
  async sync(): Promise<void> {
    if (!this.#dirty) return
    this.#dirty = false
    await this.#powers.file.sync()
    this.#markDue = true
  }

  /** Replaces all records, atomically and durably. */
  async replace(contents: readonly Uint8Array[]): Promise<void> {
    const { crc32c, random, file } = this.#powers
    this.#nonce = random.bytes(NONCE_BYTES)
    const bytes = concatBytes(header(this.#format, this.#nonce), ...contents.map((content) => frame(CONTENT, content, crc32c)))
    await file.replace(bytes)
    this.#length = bytes.length
    this.#dirty = false
    this.#markDue = true
  }

  #write(bytes: Uint8Array): void {
    this.#powers.file.append(bytes)
    this.#length += bytes.length
  }
}

function header(format: RecordFormat, nonce: Uint8Array): Uint8Array {
  const out = new Uint8Array(HEADER_BYTES)
  for (let i = 0; i < 4; i++) out[i] = format.magic.charCodeAt(i)
  new DataView(out.buffer).setUint32(4, format.version)
  out.set(nonce, HEADER_BYTES - NONCE_BYTES)
  return out
}

function checkHeader(bytes: Uint8Array, format: RecordFormat): void {
  const magic = String.fromCharCode(...bytes.subarray(0, 4))
  if (bytes.length < HEADER_BYTES || magic !== format.magic)
    throw new CorruptFileError(`not a ${format.name} file: it does not begin with ${format.magic}. ${format.remedy}`)
  const version = new DataView(bytes.buffer, bytes.byteOffset).getUint32(4)
  if (version === format.version) return
  throw new CorruptFileError(
    `the ${format.name} has format ${version}, but this program supports format ${format.version}: ` +
      'run the version of quoin that wrote it, shut it down cleanly, and follow the upgrade notes.',
  )
}

function frame(kind: number, content: Uint8Array, crc32c: Crc32c): Uint8Array {
  const out = new Uint8Array(PREFIX_BYTES + 1 + content.length)
  out[PREFIX_BYTES] = kind
  out.set(content, PREFIX_BYTES + 1)
  const view = new DataView(out.buffer)
  view.setUint32(0, 1 + content.length)
  view.setUint32(4, crc32c(out.subarray(PREFIX_BYTES)))
  return out
}

/** Reads records up to the end or the torn tail; `end` is that position. */
function scan(
  bytes: Uint8Array,
  nonce: Uint8Array,
  crc32c: Crc32c,
  format: RecordFormat,
): { records: Uint8Array[]; end: number } {
  const records: Uint8Array[] = []
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const mark = frame(MARK, nonce, crc32c)
  let at = HEADER_BYTES
  while (at < bytes.length) {
    const length = at + PREFIX_BYTES <= bytes.length ? view.getUint32(at) : 0
    const payload = bytes.subarray(at + PREFIX_BYTES, at + PREFIX_BYTES + length)
    const isWhole = length > 0 && length <= format.recordBytesMax && payload.length === length
    if (!isWhole || crc32c(payload) !== view.getUint32(at + 4)) {
      refuseDamageBeforeMark(bytes, at, mark, format)
      return { records, end: at }
    }
    if (payload[0] === CONTENT) records.push(payload.slice(1))
    at += PREFIX_BYTES + length
  }
  return { records, end: at }
}

function refuseDamageBeforeMark(bytes: Uint8Array, at: number, mark: Uint8Array, format: RecordFormat): void {
  for (let i = at + 1; i + mark.length <= bytes.length; i++) {
    if (bytes[i + 3] !== mark[3] || compareBytes(bytes.subarray(i, i + mark.length), mark) !== 0) continue
    throw new CorruptFileError(
      `the ${format.name} is corrupt: the record at byte ${at} fails its checksum, but the sync mark at byte ${i} proves that the record was ` +
        `durable before. Check the disk. ${format.remedy}`,
    )
  }
}
