import type { Instance } from './instance.ts'
import { halvesOf, TAG } from './jsvalue.ts'
import { VM_LIMITS } from './limits.ts'
import type { Toll } from './toll.ts'
import type { GuestValue } from './value.ts'
import { VM_GAS } from './vm-gas.ts'

/** Tags of QuickJS's serialisation (BC_VERSION 5) that are used here. Order: version, atom table, value. */
const SERIAL = {
  version: 5,
  null: 1,
  undefined: 2,
  false: 3,
  true: 4,
  int: 5,
  float: 6,
  string: 7,
  object: 8,
  array: 9,
  bigint: 10,
  typedArray: 14,
  uint8: 2,
  arrayBuffer: 15,
  fixedLength: 0xffff_ffff,
} as const

/**
 * Makes a JSValue of a value in the guest, with the guest's gas. Elements and members that are undefined are kept. The caller
 * collects the toll before guest code runs again.
 *
 * @returns JSValue* owned by the caller, an exception mark, or 0 when the guest has no memory for it
 * @throws Error for a value nested deeper than VM_LIMITS.nestingMax: a bug of the host
 */
export function writeValue(instance: Instance, value: GuestValue, toll: Toll): number {
  if (typeof value === 'string') {
    toll.add(value.length * VM_GAS.hostByte)
    return writeText(instance, value, toll)
  }
  if (typeof value === 'bigint') {
    const short = BigInt.asIntN(32, value)
    return short === value ? immediate(instance, Number(short) >>> 0, TAG.shortBigint) : writeBigint(instance, value, toll)
  }
  if (value === undefined) return immediate(instance, 0, TAG.undefined)
  if (value === null) return immediate(instance, 0, TAG.null)
  if (typeof value === 'boolean') return immediate(instance, value ? 1 : 0, TAG.bool)
  if (typeof value === 'number') return writeNumber(instance, value)
  if (value instanceof Uint8Array) {
    toll.add(value.length * VM_GAS.hostByte)
    return writeSerial(instance, new Serial(value.length).head().bytes(value).finish(), toll)
  }
  const { nodes, characters, bytes } = new StructureWriter().write(value)
  toll.add(nodes * VM_GAS.hostMember + characters * VM_GAS.hostCharacter + bytes.length * VM_GAS.hostByte)
  return writeSerial(instance, bytes, toll)
}

/** Whether a JSValue* is an exception mark. */
export const isException = ({ memory }: Instance, pointer: number): boolean => memory.word(pointer + 4) === TAG.exception

const isInt = (value: number): boolean => Object.is(value, value | 0)

function writeNumber(instance: Instance, value: number): number {
  if (isInt(value)) return immediate(instance, value >>> 0, TAG.int)
  const [payload, high] = halvesOf(value)
  return immediate(instance, payload, high)
}

function immediate(instance: Instance, payload: number, high: number): number {
  const { quickjs, memory } = instance
  instance.giveBack()
  const pointer = quickjs.malloc(8) >>> 0
  if (pointer === 0) return 0
  memory.setWords(pointer, [payload, high])
  return pointer
}

/**
 * Address for a serialisation of at most `bytesMax` bytes: the image's mailbox for small ones, guest memory for large ones; 0
 * when the guest has no memory. Collects the toll, because guest code is about to run.
 */
function roomFor(instance: Instance, toll: Toll, bytesMax: number): number {
  const { quickjs, mailbox } = instance
  toll.collect()
  instance.giveBack()
  return bytesMax <= mailbox.length ? mailbox.at : quickjs.malloc(bytesMax) >>> 0
}

/** Lets QuickJS decode the serialisation at that address. */
function deserialise({ quickjs, context, mailbox }: Instance, at: number, bytesMax: number): number {
  if (at === mailbox.at) return quickjs.deserialise(context, mailbox.buffer)
  const buffer = quickjs.newArrayBuffer(context, at, bytesMax)
  if (buffer === 0) return 0
  const pointer = quickjs.deserialise(context, buffer)
  quickjs.freeValue(context, buffer)
  return pointer
}

function writeSerial(instance: Instance, serial: Uint8Array, toll: Toll): number {
  const at = roomFor(instance, toll, serial.length)
  if (at === 0) return 0
  instance.memory.set(at, serial)
  return deserialise(instance, at, serial.length)
}

function writeBigint(instance: Instance, value: bigint, toll: Toll): number {
  const at = roomFor(instance, toll, bigintBytes.length)
  if (at === 0) return 0
  const length = putLimbs(value)
  bigintBytes[BIGINT_HEAD_BYTES - 1] = length
  // Copy no more than that: the bytes behind it belong to an earlier value, perhaps of another call.
  instance.memory.setFirst(at, bigintBytes, BIGINT_HEAD_BYTES + length)
  return deserialise(instance, at, bigintBytes.length)
}

/** Characters beyond Latin-1. A regular expression answers at once for most strings. */
const WIDE = /[\u0100-\uffff]/

function writeText(instance: Instance, value: string, toll: Toll): number {
  const { memory } = instance
  const wide = WIDE.test(value)
  const bytesMax = 8 + (wide ? 2 * value.length : value.length)
  const start = roomFor(instance, toll, bytesMax)
  if (start === 0) return 0
  let head = 0
  textHead[head++] = SERIAL.version
  textHead[head++] = 0
  textHead[head++] = SERIAL.string
  let rest = 2 * value.length + (wide ? 1 : 0)
  for (; rest >= 0x80; rest = Math.floor(rest / 128)) textHead[head++] = (rest % 128) | 0x80
  textHead[head++] = rest
  memory.setFirst(start, textHead, head)
  if (wide) memory.setUtf16(start + head, value)
  else memory.setLatin1(start + head, value)
  return deserialise(instance, start, bytesMax)
}

/** Buffer for the head of a serialised string: version, no atoms, tag, length. */
const textHead = new Uint8Array(8)

/** A tag and up to four lengths of five bytes, rounded up: what a scalar needs in addition to its content. */
const HEAD_BYTES = 24

/** Growable buffer for serialised values. */
class Serial {
  #bytes: Uint8Array
  #at = 0

  constructor(contentBytes: number) {
    this.#bytes = new Uint8Array(2 * HEAD_BYTES + contentBytes)
  }

  /** Version and an empty atom table. */
  head(): this {
    return this.u8(SERIAL.version).u8(0)
  }

  /** Makes room for content of this many bytes and its head. */
  #reserve(contentBytes: number): void {
    const needed = this.#at + HEAD_BYTES + contentBytes
    if (needed <= this.#bytes.length) return
    const grown = new Uint8Array(2 * needed)
    grown.set(this.#bytes)
    this.#bytes = grown
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

  /** Tag and length that open an array or object. */
  open(tag: number, length: number): this {
    this.#reserve(0)
    return this.u8(tag).leb(length)
  }

  tag(tag: number): this {
    this.#reserve(0)
    return this.u8(tag)
  }

  length(length: number): this {
    this.#reserve(0)
    return this.leb(length)
  }

  string(value: string): this {
    this.#reserve(2 * value.length)
    return this.u8(SERIAL.string).text(value)
  }

  /** Length with the wide flag, then characters of one or two bytes. */
  text(value: string): this {
    const { length } = value
    this.#reserve(2 * length)
    const wide = WIDE.test(value)
    this.leb(2 * length + (wide ? 1 : 0))
    const bytes = this.#bytes
    const at = this.#at
    if (wide) for (let i = 0; i < length; i++) writeUnit(bytes, at + 2 * i, value.charCodeAt(i))
    else for (let i = 0; i < length; i++) bytes[at + i] = value.charCodeAt(i)
    this.#at += wide ? 2 * length : length
    return this
  }

  bytes(value: Uint8Array): this {
    this.#reserve(value.length)
    this.u8(SERIAL.typedArray).u8(SERIAL.uint8).leb(value.length).leb(0)
    return this.u8(SERIAL.arrayBuffer).leb(value.length).leb(SERIAL.fixedLength).append(value)
  }

  append(content: Uint8Array): this {
    this.#reserve(content.length)
    this.#bytes.set(content, this.#at)
    this.#at += content.length
    return this
  }

  number(value: number): this {
    this.#reserve(0)
    if (isInt(value)) return this.u8(SERIAL.int).leb(((2 * value) ^ (value >> 31)) >>> 0)
    this.u8(SERIAL.float)
    new DataView(this.#bytes.buffer).setFloat64(this.#at, value, true)
    this.#at += 8
    return this
  }

  /** Shortest two's complement, little-endian; at least one byte. */
  bigint(value: bigint): this {
    const length = putLimbs(value)
    this.#reserve(length)
    return this.u8(SERIAL.bigint).leb(length).append(limbBytes.subarray(0, length))
  }

  finish(): Uint8Array {
    return this.#bytes.subarray(0, this.#at)
  }
}

function writeUnit(bytes: Uint8Array, at: number, unit: number): void {
  bytes[at] = unit & 0xff
  bytes[at + 1] = unit >>> 8
}

/** Room for 288 bits, the widest bigint that can be passed, and one more limb. */
const BIGINT_BYTES = 48
/** Version, no atoms, tag, length. */
const BIGINT_HEAD_BYTES = 4
/** Shared buffer for a serialised bigint, and views of its limbs. */
const bigintBytes = new Uint8Array(BIGINT_HEAD_BYTES + BIGINT_BYTES)
const limbs = new DataView(bigintBytes.buffer, BIGINT_HEAD_BYTES)
const limbBytes = bigintBytes.subarray(BIGINT_HEAD_BYTES)
bigintBytes[0] = SERIAL.version
bigintBytes[2] = SERIAL.bigint

/**
 * Writes two's complement, little-endian, into `limbBytes`. Returns the length without bytes that only repeat the sign. Throws
 * above 320 bits.
 */
function putLimbs(value: bigint): number {
  let rest = value
  let length = 0
  do {
    limbs.setBigInt64(length, rest, true)
    rest >>= 64n
    length += 8
  } while (rest !== 0n && rest !== -1n)
  const sign = rest === 0n ? 0 : 0xff
  // The top bit must show the sign.
  if ((limbBytes[length - 1]! ^ sign) & 0x80) limbBytes[length++] = sign
  while (length > 1 && limbBytes[length - 1] === sign && ((limbBytes[length - 2]! ^ sign) & 0x80) === 0) length--
  return length
}

const STRUCTURE_BYTES = 256

interface SerialStructure {
  readonly bytes: Uint8Array
  /** Number of values on all levels. */
  readonly nodes: number
  /** Number of characters in its strings and names. */
  readonly characters: number
}

/** Serialises arrays and objects. The names of members are stored in a table in front of the value. */
class StructureWriter {
  readonly #body = new Serial(STRUCTURE_BYTES)
  readonly #atoms = new Map<string, number>()
  #nodes = 0
  #characters = 0

  write(value: GuestValue): SerialStructure {
    this.#value(value, 0)
    const serial = new Serial(STRUCTURE_BYTES).u8(SERIAL.version).leb(this.#atoms.size)
    for (const name of this.#atoms.keys()) serial.text(name)
    return { bytes: serial.append(this.#body.finish()).finish(), nodes: this.#nodes, characters: this.#characters }
  }

  #value(value: GuestValue, nesting: number): void {
    this.#nodes++
    const body = this.#body
    if (typeof value === 'string') {
      this.#characters += value.length
      body.string(value)
    } else if (typeof value === 'bigint') body.bigint(value)
    else if (typeof value === 'number') body.number(value)
    else if (typeof value === 'boolean') body.tag(value ? SERIAL.true : SERIAL.false)
    else if (value === undefined || value === null) body.tag(value === null ? SERIAL.null : SERIAL.undefined)
    else if (value instanceof Uint8Array) body.bytes(value)
    else this.#structure(value, nesting)
  }

  #structure(value: readonly GuestValue[] | { readonly [member: string]: GuestValue }, nesting: number): void {
    if (nesting >= VM_LIMITS.nestingMax) throw new Error(`a value of the host has more than ${VM_LIMITS.nestingMax} levels`)
    const body = this.#body
    if (isArray(value)) {
      body.open(SERIAL.array, value.length)
      for (let i = 0; i < value.length; i++) this.#value(value[i], nesting + 1)
      return
    }
    const names = Object.keys(value)
    body.open(SERIAL.object, names.length)
    for (const name of names) {
      body.length(2 * this.#atomOf(name))
      this.#value(value[name], nesting + 1)
    }
  }

  /** Index of an atom in the table, from 1 (JS_ATOM_NULL is 0). */
  #atomOf(name: string): number {
    const known = this.#atoms.get(name)
    if (known !== undefined) return known
    this.#characters += name.length
    this.#atoms.set(name, this.#atoms.size + 1)
    return this.#atoms.size
  }
}

const isArray: (value: unknown) => value is readonly GuestValue[] = Array.isArray
