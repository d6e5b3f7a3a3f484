import { type Address, bytesToHex, type Hash, hexToBytes } from './bytes.ts'
import { err, ok, type Result } from './result.ts'

/**
 * Quoin's own wire and disk format. A type is declared once as a list of fields; encoder, decoder, TypeScript type and size limit
 * all derive from that list. The format is canonical: integers have fixed width (big-endian), lengths are explicit, every value
 * has exactly one encoding, and a decoder accepts nothing else, trailing bytes included.
 */
export interface Codec<T> {
  /** Largest encoding in bytes. */
  readonly bytesMax: number
  write(writer: Writer, value: T): void
  /** Throws DecodeFailure; only `decode` calls it from outside. */
  read(reader: Reader): T
}

export type Infer<C> = C extends Codec<infer T> ? T : never

export interface DecodeError {
  readonly code: 'malformed'
  /** What was wrong, and at which byte. */
  readonly message: string
}

class DecodeFailure extends Error {}

/** Encoding of a value. Throws when the value breaks the type's own limits: that is a bug of the caller. */
export function encode<T>(codec: Codec<T>, value: T): Uint8Array {
  const writer = new Writer()
  codec.write(writer, value)
  return writer.finish()
}

/** The value of an encoding, or what was wrong with it. */
export function decode<T>(codec: Codec<T>, bytes: Uint8Array): Result<T, DecodeError> {
  if (bytes.length > codec.bytesMax) return malformed(`${bytes.length} bytes, at most ${codec.bytesMax} are allowed`)
  const reader = new Reader(bytes)
  const value = readFrom(codec, reader)
  return value.ok && reader.left > 0 ? malformed(`${reader.left} bytes follow the value`) : value
}

function readFrom<T>(codec: Codec<T>, reader: Reader): Result<T, DecodeError> {
  try {
    return ok(codec.read(reader))
  } catch (failure) {
    if (failure instanceof DecodeFailure) return malformed(`${failure.message} (at byte ${reader.at})`)
    throw failure
  }
}

/** The value with which bytes begin, whatever follows it: a look at the head of a message costs nothing of its body. */
export function decodeHead<T>(codec: Codec<T>, bytes: Uint8Array): Result<T, DecodeError> {
  return readFrom(codec, new Reader(bytes))
}

const malformed = (message: string): Result<never, DecodeError> => err({ code: 'malformed', message })

/** Growing output buffer. */
export class Writer {
  #bytes = new Uint8Array(256)
  #view = new DataView(this.#bytes.buffer)
  #at = 0

  /** Bytes written so far. */
  get length(): number {
    return this.#at
  }

  #reserve(length: number): number {
    const at = this.#at
    this.#at += length
    if (this.#at > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(this.#at, 2 * this.#bytes.length))
      grown.set(this.#bytes)
      this.#bytes = grown
      this.#view = new DataView(grown.buffer)
    }
    return at
  }

  u8(value: number): void {
    const at = this.#reserve(1)
    this.#bytes[at] = value
  }

  u16(value: number): void {
    const at = this.#reserve(2)
    this.#view.setUint16(at, value)
  }

  u32(value: number): void {
    const at = this.#reserve(4)
    this.#view.setUint32(at, value)
  }

  u64(value: number): void {
    const at = this.#reserve(8)
    this.#view.setUint32(at, Math.floor(value / 2 ** 32))
    this.#view.setUint32(at + 4, value % 2 ** 32)
  }

  bytes(value: Uint8Array): void {
    const at = this.#reserve(value.length)
    this.#bytes.set(value, at)
  }

  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#at)
  }
}

/** Checked input cursor. */
export class Reader {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  get at(): number {
    return this.#at
  }

  get left(): number {
    return this.#bytes.length - this.#at
  }

  #take(length: number): number {
    if (this.left < length) throw new DecodeFailure(`${length} bytes wanted, ${this.left} left`)
    const at = this.#at
    this.#at += length
    return at
  }

  u8(): number {
    return this.#bytes[this.#take(1)]!
  }

  u16(): number {
    return this.#view.getUint16(this.#take(2))
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4))
  }

  u64(): number {
    const at = this.#take(8)
    const high = this.#view.getUint32(at)
    if (high > 0x1f_ffff) throw new DecodeFailure('integer above 2^53 - 1')
    return high * 2 ** 32 + this.#view.getUint32(at + 4)
  }

  /** A copy: not `slice`, which for Node's Buffer is a view. */
  bytes(length: number): Uint8Array {
    const at = this.#take(length)
    return new Uint8Array(this.#bytes.subarray(at, at + length))
  }

  fail(message: string): never {
    throw new DecodeFailure(message)
  }
}

function integer<T extends number>(bytesMax: 1 | 2 | 4 | 8, max: number): Codec<T> {
  const width = `u${8 * bytesMax}` as 'u8' | 'u16' | 'u32' | 'u64'
  return {
    bytesMax,
    write(writer, value) {
      if (!Number.isSafeInteger(value) || value < 0 || value > max) throw new RangeError(`${value} is not from 0 to ${max}`)
      writer[width](value)
    },
    read(reader) {
      const value = reader[width]()
      if (value > max) reader.fail(`${value} is above ${max}`)
      return value as T
    },
  }
}

/** Unsigned integers, big-endian; `max` narrows the range below the width's. Type parameter: the branded number. */
export const u8 = <T extends number = number>(max = 0xff): Codec<T> => integer<T>(1, max)
export const u16 = <T extends number = number>(max = 0xffff): Codec<T> => integer<T>(2, max)
export const u32 = <T extends number = number>(max = 0xffff_ffff): Codec<T> => integer<T>(4, max)
/** 8 bytes, values up to 2^53 - 1. */
export const u64 = <T extends number = number>(max = Number.MAX_SAFE_INTEGER): Codec<T> => integer<T>(8, max)

/** 32 bytes, big-endian. */
export const u256 = <T extends bigint = bigint>(): Codec<T> => ({
  bytesMax: 32,
  write(writer, value) {
    if (value < 0n || value >= 1n << 256n) throw new RangeError('not a 256-bit unsigned integer')
    for (let shift = 192n; shift >= 0n; shift -= 64n) {
      const word = BigInt.asUintN(64, value >> shift)
      writer.u32(Number(word >> 32n))
      writer.u32(Number(word & 0xffff_ffffn))
    }
  },
  read(reader) {
    let value = 0n
    for (let word = 0; word < 8; word++) {
      const bits = reader.u32()
      // Most amounts have leading zero words: those cost no arithmetic.
      if (bits !== 0 || value !== 0n) value = (value << 32n) | BigInt(bits)
    }
    return value as T
  },
})

/** One byte, 0 or 1. */
export const bool: Codec<boolean> = {
  bytesMax: 1,
  write: (writer, value) => writer.u8(value ? 1 : 0),
  read(reader) {
    const byte = reader.u8()
    return byte > 1 ? reader.fail(`${byte} is not a boolean`) : byte === 1
  },
}

/** One byte, 0 or 1, for one of two words. */
export const eitherOf = <const A extends string, const B extends string>(zero: A, one: B): Codec<A | B> => ({
  bytesMax: 1,
  write: (writer, value) => writer.u8(value === zero ? 0 : 1),
  read: (reader) => (bool.read(reader) ? one : zero),
})

/** Exactly `length` bytes. */
export const fixedBytes = (length: number): Codec<Uint8Array> => ({
  bytesMax: length,
  write(writer, value) {
    if (value.length !== length) throw new RangeError(`${value.length} bytes, not ${length}`)
    writer.bytes(value)
  },
  read: (reader) => reader.bytes(length),
})

const hexOf = <T extends string>(length: number): Codec<T> => ({
  bytesMax: length,
  write(writer, value) {
    if (value.length !== 2 + 2 * length) throw new RangeError(`${value} is not ${length} bytes`)
    writer.bytes(hexToBytes(value as unknown as Hash))
  },
  read: (reader) => bytesToHex(reader.bytes(length)) as string as T,
})

export const hash: Codec<Hash> = hexOf<Hash>(32)
export const address: Codec<Address> = hexOf<Address>(20)

/** Length (4 bytes) and that many bytes, at most `max`. */
export const bytes = (max: number): Codec<Uint8Array> => ({
  bytesMax: 4 + max,
  write(writer, value) {
    if (value.length > max) throw new RangeError(`${value.length} bytes, at most ${max} are allowed`)
    writer.u32(value.length)
    writer.bytes(value)
  },
  read(reader) {
    const length = reader.u32()
    return length > max ? reader.fail(`length ${length}, at most ${max} is allowed`) : reader.bytes(length)
  },
})

/** Printable ASCII text (0x20 to 0x7e), at most `max` characters: names, ids and addresses of machines. */
export const ascii = (max: number): Codec<string> => ({
  bytesMax: 2 + max,
  write(writer, value) {
    if (value.length > max || !/^[\x20-\x7e]*$/.test(value))
      throw new RangeError(`not printable ASCII of at most ${max}: ${value}`)
    writer.u16(value.length)
    for (let i = 0; i < value.length; i++) writer.u8(value.charCodeAt(i))
  },
  read(reader) {
    const length = reader.u16()
    if (length > max) reader.fail(`length ${length}, at most ${max} is allowed`)
    const text = String.fromCharCode(...reader.bytes(length))
    return /^[\x20-\x7e]*$/.test(text) ? text : reader.fail('text is not printable ASCII')
  },
})

/** Count (4 bytes) and that many items, at most `max`. */
export const list = <T>(item: Codec<T>, max: number): Codec<readonly T[]> => ({
  bytesMax: 4 + max * item.bytesMax,
  write(writer, values) {
    if (values.length > max) throw new RangeError(`${values.length} items, at most ${max} are allowed`)
    writer.u32(values.length)
    for (const value of values) item.write(writer, value)
  },
  read(reader) {
    const count = reader.u32()
    if (count > max) reader.fail(`${count} items, at most ${max} are allowed`)
    const values: T[] = []
    for (let i = 0; i < count; i++) values.push(item.read(reader))
    return values
  },
})

/** A presence byte, then the value if present. */
export const optional = <T>(item: Codec<T>): Codec<T | undefined> => ({
  bytesMax: 1 + item.bytesMax,
  write(writer, value) {
    bool.write(writer, value !== undefined)
    if (value !== undefined) item.write(writer, value)
  },
  read: (reader) => (bool.read(reader) ? item.read(reader) : undefined),
})

type Fields = Readonly<Record<string, Codec<never>>>
type Struct<F> = { readonly [K in keyof F]: F[K] extends Codec<infer T> ? T : never }

/** The fields in the order of their declaration, nothing between them. */
// oxlint-disable-next-line typescript/no-explicit-any -- a codec is invariant in its value; only `any` admits them all
export function struct<const F extends Readonly<Record<string, Codec<any>>>>(fields: F): Codec<Struct<F>> {
  const entries = Object.entries(fields as unknown as Fields)
  return {
    bytesMax: entries.reduce((sum, [, codec]) => sum + codec.bytesMax, 0),
    write(writer, value) {
      for (const [name, codec] of entries) codec.write(writer, value[name as keyof F] as never)
    },
    read(reader) {
      const value: Record<string, unknown> = {}
      for (const [name, codec] of entries) value[name] = codec.read(reader)
      return value as Struct<F>
    },
  }
}

type Union<V> = { readonly [K in keyof V]: V[K] extends Codec<infer T> ? { readonly kind: K } & T : never }[keyof V]

/** A tag byte (position in the declaration, from 0), then that variant's struct. Values carry the tag's name as `kind`. */
// oxlint-disable-next-line typescript/no-explicit-any -- a codec is invariant in its value; only `any` admits them all
export function union<const V extends Readonly<Record<string, Codec<any>>>>(variants: V): Codec<Union<V>> {
  const names = Object.keys(variants)
  const codecs = Object.values(variants as Readonly<Record<string, Codec<Record<string, unknown>>>>)
  return {
    bytesMax: 1 + codecs.reduce((max, codec) => Math.max(max, codec.bytesMax), 0),
    write(writer, value) {
      const tag = names.indexOf((value as { readonly kind: string }).kind)
      if (tag < 0) throw new TypeError(`no variant ${String((value as { readonly kind: string }).kind)}`)
      writer.u8(tag)
      codecs[tag]!.write(writer, value as Record<string, unknown>)
    },
    read(reader) {
      const tag = reader.u8()
      const codec = codecs[tag] ?? reader.fail(`unknown tag ${tag}`)
      return { kind: names[tag]!, ...codec.read(reader) } as unknown as Union<V>
    },
  }
}

/** The same bytes, another type: `check` returns a message when the decoded value is not canonical or not allowed. */
export const checked = <T>(codec: Codec<T>, check: (value: T) => string | undefined): Codec<T> => ({
  bytesMax: codec.bytesMax,
  write(writer, value) {
    const problem = check(value)
    if (problem !== undefined) throw new RangeError(problem)
    codec.write(writer, value)
  },
  read(reader) {
    const value = codec.read(reader)
    const problem = check(value)
    return problem === undefined ? value : reader.fail(problem)
  },
})
