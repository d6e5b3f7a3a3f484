import type { Instance } from './instance.ts'
import { floatOf, isTag, TAG } from './jsvalue.ts'
import { VM_LIMITS } from './limits.ts'
import { trap } from './memory.ts'
import type { Toll } from './toll.ts'
import type { GuestScalar, GuestValue } from './value.ts'
import { VM_GAS } from './vm-gas.ts'

/*
 * Values are read directly from QuickJS's memory. No guest code runs meanwhile: no getter, proxy, iterator or toJSON is called,
 * and nothing can change during the read. JS_WriteObject is not used because it calls getters of arrays while it walks other
 * objects.
 */

/**
 * Marks a guest value that cannot be passed to the host. `what` says what the value is or contains, for the guest's TypeError.
 */
export class Unreadable {
  readonly what: string
  constructor(what: string) {
    this.what = what
  }
}

const SYMBOL = new Unreadable('a symbol')
const WIDE_BIGINT = new Unreadable('a bigint of more than 288 bits')
const OTHER_CLASS = new Unreadable('an object that is neither a plain object nor an array')
const ACCESSOR = new Unreadable('a getter or setter')
const HOLES = new Unreadable('an array with holes')
const DEEP = new Unreadable(`more than ${VM_LIMITS.nestingMax} levels of nesting, or a cycle`)
const TOO_LONG = new Unreadable('a string that does not fit into memory')

/**
 * JSString and JSAtomStruct: reference count, length with the wide flag in the top bit, hash with the atom type in the top bits,
 * link, characters.
 */
const STRING = { length: 4, wide: 0x8000_0000, atomType: 8, characters: 16 } as const
/** JSBigInt: reference count, number of 32-bit limbs, limbs in two's complement. */
const BIGINT = { length: 4, limbs: 8, limbsMax: 9 } as const
/**
 * JSObject: flags, class, shape, property values. For arrays also the address of the first element and the number of elements.
 */
const OBJECT = { flags: 5, fastArray: 0x08, classId: 6, shape: 20, properties: 24, elements: 36, count: 40 } as const
/** JSClassID. */
const CLASS = { object: 1, array: 2, uint8Array: 23 } as const
/** JSShape: number of properties. Each JSShapeProperty has a link with the flags in its top bits, and the atom. */
const SHAPE = { count: 32, properties: 48, propertyBytes: 8 } as const
/** JS_PROP_ENUMERABLE and JS_PROP_TMASK. The latter is not zero for accessors and other properties without their own value. */
const PROPERTY = { flagsShift: 26, enumerable: 0x04, notValue: 0x30 } as const
/** JSRuntime: address of the atom table. An atom whose top bit is set is an integer. */
const RUNTIME = { atoms: 56 } as const
const ATOM = { integer: 0x8000_0000, typeShift: 30, typeString: 1 } as const
const JSVALUE_BYTES = 8

/**
 * Reads a scalar or Uint8Array at an address. QuickJS first joins a string that it holds in pieces (a rope); the guest pays gas
 * for that.
 */
export function readScalar(instance: Instance, pointer: number, toll: Toll): GuestScalar | Uint8Array | Unreadable {
  const { memory } = instance
  const payload = memory.word(pointer)
  const high = memory.word(pointer + 4)
  const tag = high | 0
  if (tag === TAG.int) return payload | 0
  if (tag === TAG.string) return readString(instance, payload, toll)
  if (tag === TAG.undefined) return undefined
  if (tag === TAG.object)
    return memory.half(payload + OBJECT.classId) === CLASS.uint8Array ? readBytes(instance, payload, toll) : OTHER_CLASS
  if (tag === TAG.bool) return payload !== 0
  if (tag === TAG.null) return null
  if (tag === TAG.shortBigint) return BigInt(payload | 0)
  if (tag === TAG.bigint) return readBigint(instance, payload)
  if (tag === TAG.rope) return readRope(instance, pointer, toll)
  return isTag(tag) ? SYMBOL : floatOf(payload, high)
}

/**
 * Reads any value at an address: also arrays and plain objects, by their own enumerable properties with string keys. An object
 * that is reachable twice is read, and charged, twice. An array with holes is unreadable; other properties of an array are
 * ignored.
 */
export function readValue(instance: Instance, pointer: number, toll: Toll, nesting = 0): GuestValue | Unreadable {
  const { memory } = instance
  if ((memory.word(pointer + 4) | 0) !== TAG.object) return readScalar(instance, pointer, toll)
  const at = memory.word(pointer)
  const classId = memory.half(at + OBJECT.classId)
  if (classId === CLASS.uint8Array) return readBytes(instance, at, toll)
  if (classId !== CLASS.object && classId !== CLASS.array) return OTHER_CLASS
  if (nesting >= VM_LIMITS.nestingMax) return DEEP
  if (classId === CLASS.object) return readMembers(instance, at, toll, nesting + 1)
  const isFast = (memory.byte(at + OBJECT.flags) & OBJECT.fastArray) !== 0
  return isFast ? readElements(instance, at, toll, nesting + 1) : readSparse(instance, at, toll, nesting + 1)
}

function readMembers(instance: Instance, at: number, toll: Toll, nesting: number): GuestValue | Unreadable {
  const { memory } = instance
  const shape = memory.word(at + OBJECT.shape)
  const values = memory.word(at + OBJECT.properties)
  const count = memory.word(shape + SHAPE.count)
  toll.add(VM_GAS.hostObject + count * VM_GAS.hostMember)
  const members = Object.create(null) as Record<string, GuestValue>
  for (let i = 0, property = shape + SHAPE.properties; i < count; i++, property += SHAPE.propertyBytes) {
    const flags = memory.word(property) >>> PROPERTY.flagsShift
    const atom = memory.word(property + 4)
    if (atom === 0 || (flags & PROPERTY.enumerable) === 0) continue
    const name = nameOf(instance, atom, toll)
    if (name === undefined) continue
    if ((flags & PROPERTY.notValue) !== 0) return ACCESSOR
    const value = readValue(instance, values + i * JSVALUE_BYTES, toll, nesting)
    if (value instanceof Unreadable) return value
    members[name] = value
  }
  return members
}

/** Text of an atom; undefined for a symbol or a private name. */
function nameOf(instance: Instance, atom: number, toll: Toll): string | undefined {
  if (atom >= ATOM.integer) return String(atom & ~ATOM.integer)
  const { memory, runtime } = instance
  const at = memory.word(memory.word(runtime + RUNTIME.atoms) + 4 * atom)
  if (memory.word(at + STRING.atomType) >>> ATOM.typeShift !== ATOM.typeString) return undefined
  return readString(instance, at, toll)
}

/** Length of an array from its own property; 0 for any other value. */
export function arrayLength(instance: Instance, pointer: number): number {
  const { memory } = instance
  const at = memory.word(pointer)
  const isArray = (memory.word(pointer + 4) | 0) === TAG.object && memory.half(at + OBJECT.classId) === CLASS.array
  return isArray ? (lengthOf(instance, memory.word(at + OBJECT.properties)) ?? 0) : 0
}

/**
 * Length of an array, which is its first property; undefined above 2^31 - 1. `values` is the address of the array's properties.
 */
function lengthOf({ memory }: Instance, values: number): number | undefined {
  return memory.word(values + 4) === TAG.int ? memory.word(values) : undefined
}

function readElements(instance: Instance, at: number, toll: Toll, nesting: number): GuestValue | Unreadable {
  const { memory } = instance
  const from = memory.word(at + OBJECT.elements)
  const count = memory.word(at + OBJECT.count)
  if (lengthOf(instance, memory.word(at + OBJECT.properties)) !== count) return HOLES
  toll.add(VM_GAS.hostObject + count * VM_GAS.hostMember)
  const elements: GuestValue[] = []
  for (let i = 0; i < count; i++) {
    const value = readValue(instance, from + i * JSVALUE_BYTES, toll, nesting)
    if (value instanceof Unreadable) return value
    elements.push(value)
  }
  return elements
}

/** An array whose elements are stored as ordinary properties, because it was filled out of order or frozen. */
function readSparse(instance: Instance, at: number, toll: Toll, nesting: number): GuestValue | Unreadable {
  const { memory } = instance
  const shape = memory.word(at + OBJECT.shape)
  const values = memory.word(at + OBJECT.properties)
  const count = memory.word(shape + SHAPE.count)
  const length = lengthOf(instance, values)
  if (length === undefined || length > count) return HOLES
  toll.add(VM_GAS.hostObject + count * VM_GAS.hostMember)
  const elements: GuestValue[] = new Array<undefined>(length).fill(undefined)
  let found = 0
  for (let i = 0, property = shape + SHAPE.properties; i < count; i++, property += SHAPE.propertyBytes) {
    const index = memory.word(property + 4) - ATOM.integer
    if (index < 0 || index >= length) continue
    if (((memory.word(property) >>> PROPERTY.flagsShift) & PROPERTY.notValue) !== 0) return ACCESSOR
    const value = readValue(instance, values + i * JSVALUE_BYTES, toll, nesting)
    if (value instanceof Unreadable) return value
    elements[index] = value
    found++
  }
  return found === length ? elements : HOLES
}

function readString({ memory }: Instance, at: number, toll: Toll): string {
  const head = memory.word(at + STRING.length)
  const from = at + STRING.characters
  const length = head & ~STRING.wide
  toll.add(length * VM_GAS.hostByte)
  return head >= STRING.wide ? memory.utf16(from, length) : memory.latin1(from, length)
}

function readBigint({ memory }: Instance, at: number): bigint | Unreadable {
  const length = memory.word(at + BIGINT.length)
  if (length > BIGINT.limbsMax) return WIDE_BIGINT
  if (length === 0) return trap()
  const first = at + BIGINT.limbs
  for (let i = 0; i < length; i++) limbs.setUint32(4 * i, memory.word(first + 4 * i), true)
  // The top limb has the sign; extend it to fill the last pair of limbs.
  if (length % 2 === 1) limbs.setInt32(4 * length, (memory.word(first + 4 * (length - 1)) | 0) >> 31, true)
  let pair = (length - 1) >> 1
  let value = limbs.getBigInt64(8 * pair, true)
  while (--pair >= 0) value = (value << 64n) | limbs.getBigUint64(8 * pair, true)
  return value
}

const limbs = new DataView(new ArrayBuffer(4 * (BIGINT.limbsMax + 1)))

function readBytes({ memory }: Instance, at: number, toll: Toll): Uint8Array {
  const from = memory.word(at + OBJECT.elements)
  const count = memory.word(at + OBJECT.count)
  toll.add(count * VM_GAS.hostByte)
  return memory.slice(from, count)
}

/** Serialising a rope makes QuickJS join its pieces. */
function readRope(instance: Instance, pointer: number, toll: Toll): string | Unreadable {
  const { quickjs, context, memory } = instance
  toll.collect()
  instance.giveBack()
  const serial = quickjs.serialise(context, pointer)
  if (serial === 0 || (memory.word(serial + 4) | 0) !== TAG.object) return TOO_LONG
  const at = quickjs.arrayBufferBytes(context, serial) >>> 0
  const length = quickjs.arrayBufferLength(context, serial) >>> 0
  if (at === 0) return TOO_LONG
  toll.refresh()
  toll.add(length * VM_GAS.hostByte)
  const text = parseText(instance, at)
  quickjs.free(at)
  quickjs.freeValue(context, serial)
  toll.refresh()
  instance.hold()
  return text
}

/** Decodes a serialised string: version, no atoms, tag, length with the wide flag in at most five bytes, characters. */
function parseText({ memory }: Instance, serial: number): string {
  let head = 0
  let at = serial + 3
  for (let shift = 0; ; shift += 7) {
    if (shift > 28) return trap()
    const byte = memory.byte(at++)
    head += (byte & 0x7f) * 2 ** shift
    if (byte < 0x80) break
  }
  const length = Math.floor(head / 2)
  return head % 2 === 0 ? memory.latin1(at, length) : memory.utf16(at, length)
}
