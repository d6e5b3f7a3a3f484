import type { Instance } from './instance.ts'
import { floatOf, isTag, TAG } from './jsvalue.ts'
import { VM_LIMITS } from './limits.ts'
import { trap } from './memory.ts'
import type { Toll } from './toll.ts'
import type { GuestScalar, GuestValue } from './value.ts'
import { VM_GAS } from './vm-gas.ts'

/*
 * Values are read where QuickJS keeps them, and no code of the guest runs meanwhile: no getter, no proxy, no iterator, no toJSON can answer,
 * and nothing can change while it is read. JS_WriteObject would call getters of arrays while it walks other objects.
 */

/** Stands for a guest's value that does not pass; `what` says what it is or contains, for the guest's TypeError. */
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

/** JSString, and JSAtomStruct: reference count, length with the wide flag on top, hash with the atom's type on top, link, characters. */
const STRING = { length: 4, wide: 0x8000_0000, atomType: 8, characters: 16 } as const
/** JSBigInt: reference count, number of 32-bit limbs, limbs in two's complement. */
const BIGINT = { length: 4, limbs: 8, limbsMax: 9 } as const
/** JSObject: flags, class, shape, property values; for arrays the first element's address and the number of elements. */
const OBJECT = { flags: 5, fastArray: 0x08, classId: 6, shape: 20, properties: 24, elements: 36, count: 40 } as const
/** JSClassID. */
const CLASS = { object: 1, array: 2, uint8Array: 23 } as const
/** JSShape: number of properties, and for each JSShapeProperty the flags on top of a link, and the atom. */
const SHAPE = { count: 32, properties: 48, propertyBytes: 8 } as const
/** JS_PROP_ENUMERABLE, and JS_PROP_TMASK: not zero for accessors and other properties without a value of their own. */
const PROPERTY = { flagsShift: 26, enumerable: 0x04, notValue: 0x30 } as const
/** JSRuntime: address of the table of atoms. An atom with the top bit is an integer itself. */
const RUNTIME = { atoms: 56 } as const
const ATOM = { integer: 0x8000_0000, typeShift: 30, typeString: 1 } as const
const JSVALUE_BYTES = 8

/** A scalar or bytes at an address. A string that QuickJS holds in pieces is joined by it, under the guest's gas. */
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
 * Anything at an address: arrays and plain objects too, by their own enumerable properties with text for names. An object that is found
 * twice is read, and paid for, twice. Elements of an array that do not exist make it unreadable; its other properties are passed over.
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

/** The text of an atom; undefined for a symbol or a private name. */
function nameOf(instance: Instance, atom: number, toll: Toll): string | undefined {
  if (atom >= ATOM.integer) return String(atom & ~ATOM.integer)
  const { memory, runtime } = instance
  const at = memory.word(memory.word(runtime + RUNTIME.atoms) + 4 * atom)
  if (memory.word(at + STRING.atomType) >>> ATOM.typeShift !== ATOM.typeString) return undefined
  return readString(instance, at, toll)
}

/** The length of an array, by what is its own; 0 of anything else. */
export function arrayLength(instance: Instance, pointer: number): number {
  const { memory } = instance
  const at = memory.word(pointer)
  const isArray = (memory.word(pointer + 4) | 0) === TAG.object && memory.half(at + OBJECT.classId) === CLASS.array
  return isArray ? (lengthOf(instance, memory.word(at + OBJECT.properties)) ?? 0) : 0
}

/** The length of an array whose properties begin at an address, when it is at most 2^31 - 1; it is the first of them. */
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

/** An array whose elements are properties like others: it was filled in another order, or frozen. */
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
  // Its top limb has the sign, which fills the last pair.
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

/** Has QuickJS join the pieces: its serialisation of a string holds them so. */
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

/** The text of a string's serialisation: version, no atoms, tag, length with the wide flag in at most five bytes, characters. */
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
