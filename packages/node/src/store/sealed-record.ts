import { DamagedError } from './damage.ts'
import { recordChecksum } from './record-checksum.ts'
import { describeKey, isFormatKey } from './schema.ts'

/*
 * Format of a value in the database: value ‖ CRC-32C of key ‖ value (4 bytes, big-endian). The checksum covers the key, so that a value
 * stored under another key is detected. Only the format record has no checksum, because every release must be able to read it.
 *
 * A missing entry has no checksum to verify: `level-files.ts` detects what loses entries.
 */
const CHECKSUM_BYTES = 4

/** Buffer in which records are made; larger records get their own memory. */
const SCRATCH_BYTES = 64 * 1024

/** Appends checksums to values. It reuses one buffer, because most records are small. */
export class RecordSealer {
  #scratch = new Uint8Array(SCRATCH_BYTES)

  /** Returns the record of a value; valid until the next call. */
  seal(key: Uint8Array, value: Uint8Array): Uint8Array {
    if (isFormatKey(key)) return value
    const end = value.length
    if (end + CHECKSUM_BYTES > this.#scratch.length) this.#scratch = new Uint8Array(2 * (end + CHECKSUM_BYTES))
    const scratch = this.#scratch
    const sum = recordChecksum(key, value, end)
    scratch.set(value)
    scratch[end] = sum >>> 24
    scratch[end + 1] = sum >>> 16
    scratch[end + 2] = sum >>> 8
    scratch[end + 3] = sum
    return scratch.subarray(0, end + CHECKSUM_BYTES)
  }
}

/**
 * Returns the value of a record as a view. It is a plain Uint8Array even if LevelDB returns a Buffer, because `Buffer.slice` shares memory
 * and callers must not meet that.
 * @throws DamagedError if the checksum does not match
 */
export function unseal(key: Uint8Array, record: Uint8Array): Uint8Array {
  if (isFormatKey(key)) return new Uint8Array(record.buffer, record.byteOffset, record.length)
  const end = record.length - CHECKSUM_BYTES
  if (end < 0) throw new DamagedError(`the record of the ${describeKey(key)} is cut off`, key)
  const sum = recordChecksum(key, record, end)
  const isWhole =
    record[end] === sum >>> 24 &&
    record[end + 1] === ((sum >>> 16) & 0xff) &&
    record[end + 2] === ((sum >>> 8) & 0xff) &&
    record[end + 3] === (sum & 0xff)
  if (!isWhole) throw new DamagedError(`the record of the ${describeKey(key)} fails its checksum`, key)
  return new Uint8Array(record.buffer, record.byteOffset, end)
}
