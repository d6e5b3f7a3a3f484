import type { Instance } from './instance.ts'

/**
 * What passes between host and guest. A number is any double, a bigint at most 288 bits in two's complement, bytes are copied. Strings
 * are sequences of UTF-16 units, lone surrogates and zeros included.
 */
export type GuestValue = undefined | null | boolean | number | bigint | string | Uint8Array

/** Stands for a guest's value that is none of those: an object, a function, a symbol, a huge bigint. */
export const OPAQUE: unique symbol = Symbol('opaque')

/*
 * JSValue is a NaN-boxed 64-bit word (JS_NAN_BOXING of quickjs.h): payload in the low half, tag in the high half; what is no tag is a
 * double whose high half is offset by FLOAT_ADDEND.
 */
const TAG = {
  bigint: -9,
  string: -7,
  rope: -6,
  object: -1,
  int: 0,
  bool: 1,
  null: 2,
  undefined: 3,
  shortBigint: 7,
} as const
const TAG_FIRST = -9
const TAG_FLOAT = 8
const FLOAT_ADDEND = 0x7ffffff6
const NAN_HIGH = 0x7ff8_0000

/** JSString: reference count, length with the wide flag on top, hash, link; then the characters. */
const STRING = { length: 4, wide: 0x8000_0000, characters: 16 } as const
/** JSBigInt: reference count, number of 32-bit limbs, limbs in two's complement. */
const BIGINT = { length: 4, limbs: 8, limbsMax: 9 } as const
/** JSObject: its class, and for a typed array the first element's address and the length. */
const OBJECT = { classId: 6, elements: 36, count: 40 } as const
const CLASS_UINT8_ARRAY = 23

/** QuickJS's serialisation (BC_VERSION 5, no atoms), as far as it is used. */
const SERIAL = {
  head: [5, 0],
  string: 7,
  bigint: 10,
  typedArray: 14,
  uint8: 2,
  arrayBuffer: 15,
  fixedLength: 0xffff_ffff,
} as const

const scratch = new DataView(new ArrayBuffer(8))

/** The value at an address, copied out of the guest. A string that QuickJS holds in pieces is joined by it, under the guest's gas. */
export function readValue(instance: Instance, pointer: number): GuestValue | typeof OPAQUE {
  const words = instance.words
  const payload = words[pointer >>> 2]!
  const high = words[(pointer >>> 2) + 1]!
  const tag = high | 0
  if (tag === TAG.int) return payload | 0
  if (tag === TAG.string) return readString(instance, payload)
  if (tag === TAG.undefined) return undefined
  if (tag === TAG.object) return readBytes(instance, payload)
  if (tag === TAG.bool) return payload !== 0
  if (tag === TAG.null) return null
  if (tag === TAG.shortBigint) return BigInt(payload | 0)
  if (tag === TAG.bigint) return readBigint(instance, payload)
  if (tag === TAG.rope) return readRope(instance, pointer)
  if (tag >= TAG_FIRST && tag < TAG_FLOAT) return OPAQUE
  scratch.setUint32(0, (high - FLOAT_ADDEND) >>> 0)
  scratch.setUint32(4, payload)
  return scratch.getFloat64(0)
}

function readString({ bytes, words, halves }: Instance, at: number): string {
  const head = words[(at + STRING.length) >>> 2]!
  const from = at + STRING.characters
  const length = head & ~STRING.wide
  return head >= STRING.wide ? textOf(halves, from >>> 1, length) : textOf(bytes, from, length)
}

/** Characters passed to one call of fromCharCode: well below what fits a stack. */
const CHUNK = 4096

function textOf(units: Uint8Array | Uint16Array, from: number, length: number): string {
  if (length <= CHUNK) return String.fromCharCode.apply(null, units.subarray(from, from + length) as unknown as number[])
  let text = ''
  for (let at = 0; at < length; at += CHUNK) text += textOf(units, from + at, Math.min(CHUNK, length - at))
  return text
}

function readBigint({ words }: Instance, at: number): bigint | typeof OPAQUE {
  const length = words[(at + BIGINT.length) >>> 2]!
  if (length > BIGINT.limbsMax) return OPAQUE
  const first = (at + BIGINT.limbs) >>> 2
  let value = BigInt(words[first + length - 1]! | 0)
  for (let i = length - 2; i >= 0; i--) value = (value << 32n) | BigInt(words[first + i]!)
  return value
}

function readBytes({ bytes, words, halves }: Instance, at: number): Uint8Array | typeof OPAQUE {
  if (halves[(at + OBJECT.classId) >>> 1] !== CLASS_UINT8_ARRAY) return OPAQUE
  const from = words[(at + OBJECT.elements) >>> 2]!
  return bytes.slice(from, from + words[(at + OBJECT.count) >>> 2]!)
}

function readRope(instance: Instance, pointer: number): string | typeof OPAQUE {
  const { quickjs, context, words, bytes } = instance
  const serial = quickjs.serialise(context, pointer)
  if ((words[(serial >>> 2) + 1]! | 0) !== TAG.object) return OPAQUE
  const at = quickjs.arrayBufferBytes(context, serial)
  const length = quickjs.arrayBufferLength(context, serial)
  const text = parseText(bytes.subarray(at, at + length))
  quickjs.free(at)
  quickjs.freeValue(context, serial)
  return text
}

/** The text of a serialised string. */
function parseText(serial: Uint8Array): string | typeof OPAQUE {
  if (serial[0] !== SERIAL.head[0] || serial[1] !== SERIAL.head[1] || serial[2] !== SERIAL.string) return OPAQUE
  let head = 0
  let at = 3
  for (let shift = 0; ; shift += 7) {
    const byte = serial[at++]!
    head += (byte & 0x7f) * 2 ** shift
    if (byte < 0x80) break
  }
  if (head % 2 === 0) return textOf(serial, at, head / 2)
  return textOf(new Uint16Array(serial.slice(at).buffer), 0, (head - 1) / 2)
}

/** A new JSValue of a value, owned by the caller; 0 when the guest has no memory for it. */
export function writeValue(instance: Instance, value: GuestValue): number {
  if (typeof value === 'string') return deserialise(instance, serialiseString(value))
  if (value instanceof Uint8Array) return deserialise(instance, serialiseBytes(value))
  if (typeof value === 'bigint') {
    const short = BigInt.asIntN(32, value)
    return short === value
      ? immediate(instance, Number(short) >>> 0, TAG.shortBigint)
      : deserialise(instance, serialiseBigint(value))
  }
  if (value === undefined) return immediate(instance, 0, TAG.undefined)
  if (value === null) return immediate(instance, 0, TAG.null)
  if (typeof value === 'boolean') return immediate(instance, value ? 1 : 0, TAG.bool)
  if (Object.is(value, value | 0)) return immediate(instance, value >>> 0, TAG.int)
  scratch.setFloat64(0, value)
  const nan = value !== value
  return immediate(instance, nan ? 0 : scratch.getUint32(4), (nan ? NAN_HIGH : scratch.getUint32(0)) + FLOAT_ADDEND)
}

function immediate({ quickjs, words }: Instance, payload: number, high: number): number {
  const pointer = quickjs.malloc(8)
  if (pointer === 0) return 0
  words[pointer >>> 2] = payload
  words[(pointer >>> 2) + 1] = high
  return pointer
}

/** Has QuickJS make a value of its serialisation: small ones from the image's mailbox, large ones from a buffer of their own. */
function deserialise(instance: Instance, serial: Uint8Array): number {
  const { quickjs, context, bytes, mailbox } = instance
  if (serial.length <= mailbox.length) {
    bytes.set(serial, mailbox.at)
    return quickjs.deserialise(context, mailbox.buffer)
  }
  const at = quickjs.malloc(serial.length)
  if (at === 0) return 0
  bytes.set(serial, at)
  const buffer = quickjs.newArrayBuffer(context, at, serial.length)
  if (buffer === 0) return 0
  const pointer = quickjs.deserialise(context, buffer)
  quickjs.freeValue(context, buffer)
  return pointer
}

/** Space for a tag and up to four lengths of five bytes in front of the content. */
const HEAD_BYTES = 24

class Serial {
  readonly #bytes: Uint8Array
  #at = 0

  constructor(contentBytes: number) {
    this.#bytes = new Uint8Array(HEAD_BYTES + contentBytes)
    this.u8(SERIAL.head[0]).u8(SERIAL.head[1])
  }

  u8(value: number): this {
    this.#bytes[this.#at++] = value
    return this
  }

  leb(value: number): this {
    let rest = value
    for (; rest >= 0x80; rest = Math.floor(rest / 128)) this.u8((rest % 128) | 0x80)
    return this.u8(rest)
  }

  content(bytes: Uint8Array): Uint8Array {
    this.#bytes.set(bytes, this.#at)
    return this.#bytes.subarray(0, this.#at + bytes.length)
  }

  latin1(text: string): Uint8Array {
    for (let i = 0; i < text.length; i++) this.#bytes[this.#at + i] = text.charCodeAt(i)
    return this.#bytes.subarray(0, this.#at + text.length)
  }

  utf16(text: string): Uint8Array {
    for (let i = 0; i < text.length; i++) this.u8(text.charCodeAt(i) & 0xff).u8(text.charCodeAt(i) >>> 8)
    return this.#bytes.subarray(0, this.#at)
  }
}

function serialiseString(text: string): Uint8Array {
  let wide = false
  for (let i = 0; i < text.length && !wide; i++) wide = text.charCodeAt(i) > 0xff
  const serial = new Serial(2 * text.length).u8(SERIAL.string).leb(2 * text.length + (wide ? 1 : 0))
  return wide ? serial.utf16(text) : serial.latin1(text)
}

function serialiseBytes(value: Uint8Array): Uint8Array {
  const serial = new Serial(value.length).u8(SERIAL.typedArray).u8(SERIAL.uint8).leb(value.length).leb(0)
  return serial.u8(SERIAL.arrayBuffer).leb(value.length).leb(SERIAL.fixedLength).content(value)
}

function serialiseBigint(value: bigint): Uint8Array {
  const limbs: bigint[] = []
  let rest = value
  do {
    limbs.push(BigInt.asUintN(64, rest))
    rest >>= 64n
  } while (rest !== 0n && rest !== -1n)
  // One limb more than the shortest form may need: the sign stands in it.
  limbs.push(BigInt.asUintN(64, rest))
  const bytes = new Uint8Array(8 * limbs.length)
  const view = new DataView(bytes.buffer)
  for (const [i, limb] of limbs.entries()) view.setBigUint64(8 * i, limb, true)
  let length = bytes.length
  const sign = rest === 0n ? 0 : 0xff
  while (length > 1 && bytes[length - 1] === sign && ((bytes[length - 2]! ^ sign) & 0x80) === 0) length--
  return new Serial(length).u8(SERIAL.bigint).leb(length).content(bytes.subarray(0, length))
}
