import { maskedCrc32c } from './level-log.ts'

/**
 * LevelDB's table format (doc/table_format.md): data blocks, a filter, an index and a footer. Each block ends with a type and a masked
 * CRC-32C, which LevelDB writes but does not verify on reads. A changed bit in a key, an index or a filter makes entries disappear, which
 * no checksum of a value can show.
 */
const FOOTER_BYTES = 48
const TRAILER_BYTES = 5
const MAGIC = [0x57, 0xfb, 0x80, 0x8b, 0x24, 0x75, 0x47, 0xdb]
/** Sequence number and type after a key. */
const INTERNAL_KEY_BYTES = 8

/** The first block of a table that fails its checksum, or the fault of the table as a whole. */
export interface TableFault {
  readonly at: number
  readonly what: 'footer' | 'index' | 'filter' | 'data block'
  /** All keys of a data block are after `after` and up to `to`. If `after` is undefined, they start with the table's first key. */
  readonly keys?: { readonly after: Uint8Array | undefined; readonly to: Uint8Array }
}

interface Handle {
  readonly at: number
  readonly length: number
}

/** Number of 4 KiB blocks that are checked without a pause: about a millisecond. */
const BLOCKS_A_TURN = 512

/** Looks for damage in a table. Yields now and then, so that its caller can let other work run. */
export function* searchTable(bytes: Uint8Array): Generator<undefined, TableFault | undefined, void> {
  const footerAt = bytes.length - FOOTER_BYTES
  if (footerAt < 0 || MAGIC.some((byte, i) => bytes[bytes.length - MAGIC.length + i] !== byte))
    return { at: Math.max(0, footerAt), what: 'footer' }
  const footer = new Cursor(bytes.subarray(footerAt))
  const meta = footer.handle()
  const indexHandle = footer.handle()
  const index = indexHandle && checkedBlock(bytes, indexHandle)
  if (indexHandle === undefined || index === undefined) return { at: indexHandle?.at ?? footerAt, what: 'index' }
  const filters = meta && checkedBlock(bytes, meta)
  if (meta === undefined || filters === undefined) return { at: meta?.at ?? footerAt, what: 'filter' }
  for (const { handle } of entries(filters)) {
    if (handle === undefined || checkedBlock(bytes, handle) === undefined) return { at: handle?.at ?? meta.at, what: 'filter' }
  }
  let after: Uint8Array | undefined
  let blocks = 0
  for (const { key, handle } of entries(index)) {
    const to = key.subarray(0, Math.max(0, key.length - INTERNAL_KEY_BYTES))
    if (handle === undefined) return { at: indexHandle.at, what: 'index' }
    if (checkedBlock(bytes, handle) === undefined) return { at: handle.at, what: 'data block', keys: { after, to } }
    after = to
    if (++blocks % BLOCKS_A_TURN === 0) yield
  }
  return undefined
}

function checkedBlock(bytes: Uint8Array, { at, length }: Handle): Uint8Array | undefined {
  const end = at + length
  if (end + TRAILER_BYTES > bytes.length) return undefined
  const stored = new DataView(bytes.buffer, bytes.byteOffset).getUint32(end + 1, true)
  return maskedCrc32c(bytes.subarray(at, end + 1)) === stored ? bytes.subarray(at, end) : undefined
}

/**
 * Entries of a block whose values are handles: length of the key prefix shared with the previous key, rest of the key, value. Ends with
 * restart points.
 */
function* entries(block: Uint8Array): Generator<{ readonly key: Uint8Array; readonly handle: Handle | undefined }> {
  if (block.length < 4) return
  const view = new DataView(block.buffer, block.byteOffset, block.byteLength)
  const end = block.length - 4 - 4 * view.getUint32(block.length - 4, true)
  const cursor = new Cursor(block.subarray(0, Math.max(0, end)))
  let key: Uint8Array = new Uint8Array(0)
  while (!cursor.isDone) {
    const [shared, rest, valueLength] = [cursor.varint(), cursor.varint(), cursor.varint()]
    const suffix = cursor.take(rest ?? Number.NaN)
    const value = cursor.take(valueLength ?? Number.NaN)
    if (shared === undefined || shared > key.length || suffix === undefined || value === undefined) {
      yield { key, handle: undefined }
      return
    }
    const next = new Uint8Array(shared + suffix.length)
    next.set(key.subarray(0, shared))
    next.set(suffix, shared)
    key = next
    yield { key, handle: new Cursor(value).handle() }
  }
}

class Cursor {
  readonly #bytes: Uint8Array
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  get isDone(): boolean {
    return this.#at >= this.#bytes.length
  }

  varint(): number | undefined {
    let value = 0
    for (let shift = 0; shift < 49; shift += 7) {
      const byte = this.#bytes[this.#at++]
      if (byte === undefined) return undefined
      value += (byte & 0x7f) * 2 ** shift
      if (byte < 0x80) return value
    }
    return undefined
  }

  take(length: number): Uint8Array | undefined {
    const end = this.#at + length
    if (!(end <= this.#bytes.length)) return undefined
    const taken = this.#bytes.subarray(this.#at, end)
    this.#at = end
    return taken
  }

  handle(): Handle | undefined {
    const at = this.varint()
    const length = this.varint()
    return at === undefined || length === undefined ? undefined : { at, length }
  }
}
