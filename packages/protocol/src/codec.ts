import { type Address, bytesToHex, type Hash, hexToBytes, joinBytes, parseUtf8, utf8ToBytes } from './bytes.ts'
import { err, ok, type Result } from './result.ts'

/**
 * Encodes and decodes values of one type in Quoin's binary format for network and disk. A type is declared once, as a list of fields. Encoder,
 * decoder, TypeScript type and size limit are derived from that list.
 *
 * The format is canonical. Integers have a fixed width and are big-endian, lengths are explicit, and each value has exactly one encoding. A
 * decoder refuses every other input, and so also trailing bytes.
 *
 * @example
 * const pointCodec = codec.struct({ x: codec.u32(), label: codec.ascii(16) })
 * type Point = codec.Infer<typeof pointCodec>
 * const bytes = codec.encode(pointCodec, { x: 1, label: 'a' }) // 00000001 0001 61
 * const decoded = codec.decode(pointCodec, bytes) // { ok: true, value: { x: 1, label: 'a' } }
 */
export interface Codec<T> {
  /** Upper bound of the encoded size in bytes. */
  readonly bytesMax: number
  /** @throws an error if the value is not within the type's limits. */
  write(writer: Writer, value: T): void
  /** For use by other codecs; call `decode` otherwise. Throws an error that `decode` turns into a result. */
  read(reader: Reader): T
}

/** The type of a codec's values. */
export type Infer<C> = C extends Codec<infer T> ? T : never

export interface DecodeError {
  readonly code: 'malformed'
  /** The problem, and in most cases the position in bytes. */
  readonly message: string
}

class DecodeFailure extends Error {}

/**
 * Encodes a value.
 *
 * @throws RangeError or TypeError if the value is not within the type's limits. That is a bug of the caller.
 */
export function encode<T>(codec: Codec<T>, value: T): Uint8Array {
  // Nothing changes the value's bytes before `finish`.
  const writer = new Writer(true)
  codec.write(writer, value)
  return writer.finish()
}

/** Decodes bytes that contain one value and nothing else. */
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

/** Decodes the value at the beginning of `bytes` and ignores the rest, so that the head of a message can be read without decoding its body. */
export function decodeHead<T>(codec: Codec<T>, bytes: Uint8Array): Result<T, DecodeError> {
  return readFrom(codec, new Reader(bytes))
}

const malformed = (message: string): Result<never, DecodeError> => err({ code: 'malformed', message })

/** Byte strings of this length are parts of their own: in one growing buffer they would be copied several times. */
const PART_BYTES_MIN = 4_096

/** Growing output buffer. Does not check ranges; the codecs do. */
export class Writer {
  readonly #borrows: boolean
  /** What precedes the buffer. */
  readonly #parts: Uint8Array[] = []
  #partBytes = 0
  #bytes = new Uint8Array(256)
  #view = new DataView(this.#bytes.buffer)
  #at = 0

  /** @param borrows whether long byte strings are not copied until `finish`. Nobody may change them before that. */
  constructor(borrows = false) {
    this.#borrows = borrows
  }

  /** Bytes written so far. */
  get length(): number {
    return this.#partBytes + this.#at
  }

  #reserve(length: number): number {
    const at = this.#at
    this.#at += length
    if (this.#at > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(this.#at, 2 * this.#bytes.length))
      grown.set(this.#bytes)
      this.#replace(grown)
    }
    return at
  }

  #replace(bytes: Uint8Array<ArrayBuffer>): void {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer)
  }

  /** Ends the buffer, and puts a long byte string after it. */
  #part(value: Uint8Array): void {
    this.#parts.push(this.#bytes.subarray(0, this.#at), this.#borrows ? value : new Uint8Array(value))
    this.#partBytes += this.#at + value.length
    this.#replace(new Uint8Array(256))
    this.#at = 0
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

  /** 8 bytes. The value is at most 2^53 - 1. */
  u64(value: number): void {
    const at = this.#reserve(8)
    this.#view.setUint32(at, Math.floor(value / 2 ** 32))
    this.#view.setUint32(at + 4, value % 2 ** 32)
  }

  bytes(value: Uint8Array): void {
    if (value.length >= PART_BYTES_MIN) return this.#part(value)
    const at = this.#reserve(value.length)
    this.#bytes.set(value, at)
  }

  /** A copy of the bytes written so far. */
  finish(): Uint8Array {
    if (this.#parts.length === 0) return this.#bytes.slice(0, this.#at)
    return joinBytes([...this.#parts, this.#bytes.subarray(0, this.#at)])
  }
}

/** Input cursor. Its methods throw an error that `decode` turns into a result. */
export class Reader {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  /** Bytes read so far. */
  get at(): number {
    return this.#at
  }

  /** Bytes not read yet. */
  get left(): number {
    return this.#bytes.length - this.#at
  }

  #take(length: number): number {
    if (this.left < length) throw new DecodeFailure(`unexpected end of input: ${length} bytes needed, ${this.left} left`)
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

  /** Returns a copy. Does not use `slice`, because that of Node's Buffer returns a view. */
  bytes(length: number): Uint8Array {
    const at = this.#take(length)
    return new Uint8Array(this.#bytes.subarray(at, at + length))
  }

  /** Refuses the input. */
  fail(message: string): never {
    throw new DecodeFailure(message)
  }
}

function integer<T extends number>(bytesMax: 1 | 2 | 4 | 8, max: number): Codec<T> {
  const width = `u${8 * bytesMax}` as 'u8' | 'u16' | 'u32' | 'u64'
  return {
    bytesMax,
    write(writer, value) {
      if (!Number.isSafeInteger(value) || value < 0 || value > max)
        throw new RangeError(`${value} is not an integer from 0 to ${max}`)
      writer[width](value)
    },
    read(reader) {
      const value = reader[width]()
      if (value > max) reader.fail(`${value} is above ${max}`)
      return value as T
    },
  }
}

/**
 * Unsigned integer of 1 byte. `u16`, `u32` and `u64` are the wider ones, big-endian.
 *
 * @typeParam T a branded number such as Height.
 * @param max largest value, if below that of the width.
 */
export const u8 = <T extends number = number>(max = 0xff): Codec<T> => integer<T>(1, max)
export const u16 = <T extends number = number>(max = 0xffff): Codec<T> => integer<T>(2, max)
export const u32 = <T extends number = number>(max = 0xffff_ffff): Codec<T> => integer<T>(4, max)
/** Unsigned integer of 8 bytes, at most 2^53 - 1. */
export const u64 = <T extends number = number>(max = Number.MAX_SAFE_INTEGER): Codec<T> => integer<T>(8, max)

/** Unsigned integer of 32 bytes, big-endian. */
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
      // Most amounts have leading zero words. Skipping them saves arithmetic on bigints.
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

/** One of two strings, as one byte: 0 for `zero`, 1 for `one`. */
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

/** A byte string of at most `max` bytes: its length in 4 bytes, then the bytes. */
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

/** Printable ASCII (0x20 to 0x7e) of at most `max` characters: length in 2 bytes, then the text. For names, ids and network addresses. */
export const ascii = (max: number): Codec<string> => ({
  bytesMax: 2 + max,
  write(writer, value) {
    if (value.length > max || !/^[\x20-\x7e]*$/.test(value))
      throw new RangeError(`text must be printable ASCII of at most ${max} characters: ${value}`)
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

/** Text of at most `max` bytes of UTF-8: length in 2 bytes, then the bytes. For names that people read. */
export const utf8 = (max: number): Codec<string> => ({
  bytesMax: 2 + max,
  write(writer, value) {
    const encoded = utf8ToBytes(value)
    if (encoded.length > max || parseUtf8(encoded) !== value)
      throw new RangeError(`text must be well-formed and at most ${max} bytes of UTF-8: ${value}`)
    writer.u16(encoded.length)
    writer.bytes(encoded)
  },
  read(reader) {
    const length = reader.u16()
    if (length > max) reader.fail(`length ${length}, at most ${max} is allowed`)
    return parseUtf8(reader.bytes(length)) ?? reader.fail('text is not UTF-8')
  },
})

/** A list of at most `max` items: the count in 4 bytes, then the items. */
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

/** A value that may be undefined: a byte 0 if it is, or a byte 1 and the value. */
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

/** An object: its fields in the order of their declaration, without separators. */
// oxlint-disable-next-line typescript/no-explicit-any -- a codec is invariant in its value; only `any` accepts all of them
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

/**
 * One of several objects: a tag byte, then the fields of the variant. The tag is the position in the declaration, from 0, so the order of the
 * declaration is part of the format. A value has the name of its variant in `kind`.
 *
 * @example
 * codec.union({ none: codec.struct({}), account: codec.struct({ address: codec.address }) })
 * // { kind: 'none' } is 00; { kind: 'account', address } is 01 and the address
 */
// oxlint-disable-next-line typescript/no-explicit-any -- a codec is invariant in its value; only `any` accepts all of them
export function union<const V extends Readonly<Record<string, Codec<any>>>>(variants: V): Codec<Union<V>> {
  const names = Object.keys(variants)
  const codecs = Object.values(variants as Readonly<Record<string, Codec<Record<string, unknown>>>>)
  return {
    bytesMax: 1 + codecs.reduce((max, codec) => Math.max(max, codec.bytesMax), 0),
    write(writer, value) {
      const tag = names.indexOf((value as { readonly kind: string }).kind)
      if (tag < 0) throw new TypeError(`unknown variant ${String((value as { readonly kind: string }).kind)}`)
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

/**
 * Adds a rule to a codec, both for encoding and for decoding. The format stays the same.
 *
 * @param check returns an error message if the value is not allowed, else undefined.
 */
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
