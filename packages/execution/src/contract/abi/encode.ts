import { ABI_LIMITS, type Crypto, concatBytes, ok, type Result, utf8ToBytes } from '@quoin/protocol'
import { parseAddress } from './address.ts'
import { AbiFailure, type AbiFault, faultAt, Path } from './fault.ts'
import type { AbiType, ArrayType, ScalarType, TupleType } from './type.ts'

export const ENCODE_LIMITS = {
  /** One encoding: arguments, return values, an error or a log. */
  encodedBytesMax: 512 * 1024,
} as const

const WORD = 32

/**
 * The encoding of values by their types, as Solidity's abi.encode. Total: values come from contracts and may be anything that is not an
 * accessor or a proxy; a wrong one is a fault that names it. The forms are those of AbiValue; an address may also be all lower case.
 */
export function encodeArguments(crypto: Crypto, parameters: TupleType, values: readonly unknown[]): Result<Uint8Array, AbiFault> {
  const encoder = new Encoder(crypto)
  return faultAt(encoder.path, () => {
    encoder.list(parameters, values)
    return ok(encoder.finish())
  })
}

/** As encodeArguments, behind the four bytes of a selector: calldata, or the data of a custom error. */
export function encodeWithSelector(
  crypto: Crypto,
  selector: number,
  parameters: TupleType,
  values: readonly unknown[],
): Result<Uint8Array, AbiFault> {
  const encoded = encodeArguments(crypto, parameters, values)
  return encoded.ok ? ok(concatBytes(selectorBytes(selector), encoded.value)) : encoded
}

export function selectorBytes(selector: number): Uint8Array {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setUint32(0, selector)
  return bytes
}

/** An indexed parameter of an event is encoded in place: no offsets, no lengths, every item padded to words. */
export function encodeInPlace(
  crypto: Crypto,
  type: AbiType,
  value: unknown,
  name: string | number,
): Result<Uint8Array, AbiFault> {
  const encoder = new Encoder(crypto)
  encoder.path.enter(name)
  return faultAt(encoder.path, () => {
    encoder.inPlace(type, value, true)
    return ok(encoder.finish())
  })
}

class Encoder {
  readonly path = new Path()
  readonly #crypto: Crypto
  #bytes = new Uint8Array(8 * WORD)
  #view = new DataView(this.#bytes.buffer)
  #end = 0

  constructor(crypto: Crypto) {
    this.#crypto = crypto
  }

  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#end)
  }

  /** Room at the end, all zero. */
  #reserve(length: number): number {
    const at = this.#end
    const end = at + length
    if (end > ENCODE_LIMITS.encodedBytesMax)
      throw new AbiFailure('too-large', `the encoding has more than ${ENCODE_LIMITS.encodedBytesMax} bytes`)
    if (end > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(end, 2 * this.#bytes.length))
      grown.set(this.#bytes)
      this.#bytes = grown
      this.#view = new DataView(grown.buffer)
    }
    this.#end = end
    return at
  }

  list({ members, membersBytes }: TupleType, values: readonly unknown[]): void {
    if (values.length !== members.length)
      throw new AbiFailure('length', `${values.length} values, the types are ${members.length}`)
    const base = this.#reserve(membersBytes)
    let at = base
    for (const [i, { name, type }] of members.entries()) {
      this.path.enter(name === '' ? i : name)
      this.#value(type, values[i], at, base)
      this.path.leave()
      at += type.headBytes
    }
  }

  /** A value whose head is at `at`. */
  #value(type: AbiType, value: unknown, at: number, base: number): void {
    if (type.dynamic) {
      this.#view.setUint32(at + WORD - 4, this.#end - base)
      this.#tail(type, value)
    } else if (type.kind === 'tuple') {
      let head = at
      this.#members(type, value, (member, item) => {
        this.#value(member, item, head, at)
        head += member.headBytes
      })
    } else if (type.kind === 'array') {
      this.#items(type, value, (item, i) => this.#value(type.item, item, at + i * type.item.headBytes, at))
    } else this.#scalar(type, value, at)
  }

  #tail(type: AbiType, value: unknown): void {
    if (type.kind === 'tuple') {
      const base = this.#reserve(type.membersBytes)
      let at = base
      this.#members(type, value, (member, item) => {
        this.#value(member, item, at, base)
        at += member.headBytes
      })
    } else if (type.kind === 'array') {
      const { length } = wantArray(type, value)
      if (type.length === undefined) this.#writeLength(length)
      const base = this.#reserve(length * type.item.headBytes)
      this.#items(type, value, (item, i) => this.#value(type.item, item, base + i * type.item.headBytes, base))
    } else {
      const bytes = blobOf(type, value)
      this.#writeLength(bytes.length)
      this.#writePadded(bytes)
    }
  }

  inPlace(type: AbiType, value: unknown, outermost: boolean): void {
    if (type.kind === 'tuple') this.#members(type, value, (member, item) => this.inPlace(member, item, false))
    else if (type.kind === 'array') this.#items(type, value, (item) => this.inPlace(type.item, item, false))
    else if (!type.dynamic) this.#scalar(type, value, this.#reserve(WORD))
    else if (outermost) {
      const bytes = blobOf(type, value)
      const at = this.#reserve(bytes.length)
      this.#bytes.set(bytes, at)
    } else this.#writePadded(blobOf(type, value))
  }

  #members(type: TupleType, value: unknown, each: (member: AbiType, item: unknown) => void): void {
    const items = memberValues(type, value)
    for (const [i, { name, type: member }] of type.members.entries()) {
      this.path.enter(name === '' ? i : name)
      each(member, items[i])
      this.path.leave()
    }
  }

  #items(type: ArrayType, value: unknown, each: (item: unknown, index: number) => void): void {
    const items = wantArray(type, value)
    for (let i = 0; i < items.length; i++) {
      this.path.enter(i)
      each(items[i], i)
      this.path.leave()
    }
  }

  #writeLength(length: number): void {
    const at = this.#reserve(WORD)
    this.#view.setUint32(at + WORD - 4, length)
  }

  #writePadded(bytes: Uint8Array): void {
    const at = this.#reserve(WORD * Math.ceil(bytes.length / WORD))
    this.#bytes.set(bytes, at)
  }

  #scalar(type: ScalarType, value: unknown, at: number): void {
    switch (type.kind) {
      case 'uint':
      case 'int':
        return this.#writeWord(wantInteger(type, value), at)
      case 'bool':
        if (typeof value !== 'boolean') throw new AbiFailure('type', 'a boolean is expected')
        this.#bytes[at + WORD - 1] = value ? 1 : 0
        return
      case 'address':
        return this.#bytes.set(wantAddress(this.#crypto, value), at + 12)
      default:
        return this.#bytes.set(wantFixedBytes(type, value), at)
    }
  }

  /** Two's complement. */
  #writeWord(value: bigint, at: number): void {
    this.#view.setBigUint64(at + 24, BigInt.asUintN(64, value))
    if (value >= 0n && value <= 0xffff_ffff_ffff_ffffn) return
    this.#view.setBigUint64(at + 16, BigInt.asUintN(64, value >> 64n))
    this.#view.setBigUint64(at + 8, BigInt.asUintN(64, value >> 128n))
    this.#view.setBigUint64(at, BigInt.asUintN(64, value >> 192n))
  }
}

/** The members' values in the types' order. */
function memberValues({ members, named }: TupleType, value: unknown): readonly unknown[] {
  if (!named) {
    if (!Array.isArray(value)) throw new AbiFailure('type', 'an array of the members is expected')
    if (value.length !== members.length)
      throw new AbiFailure('length', `${value.length} members, there must be ${members.length}`)
    return value
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value) || value instanceof Uint8Array)
    throw new AbiFailure('type', 'an object is expected')
  for (const { name } of members) if (!Object.hasOwn(value, name)) throw new AbiFailure('member', `member ${name} is missing`)
  const names = Object.keys(value)
  const stranger =
    names.length === members.length ? undefined : names.find((name) => members.every((member) => member.name !== name))
  if (stranger !== undefined) throw new AbiFailure('member', `there is no member ${stranger.slice(0, ABI_LIMITS.nameCharsMax)}`)
  return members.map(({ name }) => (value as Readonly<Record<string, unknown>>)[name])
}

function wantArray({ length }: ArrayType, value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw new AbiFailure('type', 'an array is expected')
  if (length !== undefined && value.length !== length)
    throw new AbiFailure('length', `${value.length} items, there must be ${length}`)
  return value
}

/** A bigint within the bounds of its type. */
export function wantInteger({ kind, bits, name }: ScalarType, value: unknown): bigint {
  if (typeof value !== 'bigint') throw new AbiFailure('type', 'a bigint is expected')
  const fits = kind === 'uint' ? BigInt.asUintN(bits, value) === value : BigInt.asIntN(bits, value) === value
  if (!fits) throw new AbiFailure('range', `the integer is beyond ${name}`)
  return value
}

export function wantAddress(crypto: Crypto, value: unknown): Uint8Array {
  const bytes = typeof value === 'string' ? parseAddress(crypto, value) : 'type'
  if (bytes === 'type') throw new AbiFailure('type', 'an address is expected')
  if (bytes === 'checksum') throw new AbiFailure('checksum', 'the checksum of the address is wrong')
  return bytes
}

export function wantFixedBytes({ bits }: ScalarType, value: unknown): Uint8Array {
  if (!(value instanceof Uint8Array)) throw new AbiFailure('type', 'a Uint8Array is expected')
  if (value.length !== bits / 8) throw new AbiFailure('length', `${value.length} bytes, there must be ${bits / 8}`)
  return value
}

/** Content of a `bytes` or `string`. */
export function blobOf({ kind }: ScalarType, value: unknown): Uint8Array {
  if (kind === 'bytes') {
    if (!(value instanceof Uint8Array)) throw new AbiFailure('type', 'a Uint8Array is expected')
    return value
  }
  if (typeof value !== 'string') throw new AbiFailure('type', 'a string is expected')
  // Under the u flag only surrogates without their other half are characters of this class.
  if (/\p{Surrogate}/u.test(value)) throw new AbiFailure('utf8', 'the string has a lone surrogate')
  return utf8ToBytes(value)
}
