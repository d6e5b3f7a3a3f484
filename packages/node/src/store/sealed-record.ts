import { DamagedError } from './damage.ts'
import { recordChecksum } from './record-checksum.ts'
import { describeKey, isFormatKey } from './schema.ts'

/*
 * A value as it lies in the database: value ‖ CRC-32C of key ‖ value (4 bytes, big-endian). The key is in the sum, so that a value under
 * another one's key is found too. Only the format record has no checksum: every release must be able to read it.
 *
 * An entry that is gone has no checksum to fail. `level-files.ts` finds what loses entries.
 */
const CHECKSUM_BYTES = 4

/** Records are made here; larger ones get memory of their own. */
const SCRATCH_BYTES = 64 * 1024

export class RecordSealer {
  #scratch = new Uint8Array(SCRATCH_BYTES)

  /** The record of a value; valid until the next call. */
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
 * The value of a record: a view, and a plain Uint8Array where LevelDB answers with a Buffer, whose `slice` shares memory. Nobody above may
 * meet one. Throws DamagedError when the checksum does not fit.
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
