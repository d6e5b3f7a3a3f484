import { ABI_LIMITS, type Crypto, concatBytes, ok, type Result } from '@quoin/protocol'
import { type AbiFault, fail, faultAt, Path } from './fault.ts'
import { WORD, wantContent, writeScalar, writeSmall } from './scalar.ts'
import type { AbiType, ArrayType, ScalarType, TupleType } from './type.ts'

/** Limits of encoding: part of the execution version. */
export const ENCODE_LIMITS = {
  /** Bytes of one encoding: arguments, return values, an error or a log. */
  encodedBytesMax: 512 * 1024,
} as const

/**
 * Encodes values by their types, as Solidity's abi.encode. Values come from contracts and may be anything except accessors and
 * proxies; a wrong value gives a fault that names its place. Values have the forms of AbiValue; an address may also be all lower
 * case.
 */
export function encodeArguments(crypto: Crypto, parameters: TupleType, values: readonly unknown[]): Result<Uint8Array, AbiFault> {
  const { dynamic, membersBytes } = parameters
  const encoder = new Encoder(crypto, new Path(), membersBytes + (dynamic ? TAIL_BYTES : 0))
  return faultAt(encoder.path, () => {
    encoder.list(parameters, values)
    return ok(encoder.finish())
  })
}

/** As encodeArguments, with the four selector bytes in front: calldata, or the data of a custom error. */
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

/**
 * In-place encoding of an event's indexed parameter: no offsets, no lengths, every item padded to words.
 *
 * @param path path to the value, for errors
 * @throws AbiFailure when the value does not fit the type
 */
export function encodeInPlace(crypto: Crypto, path: Path, type: AbiType, value: unknown): Uint8Array {
  const encoder = new Encoder(crypto, path, type.headBytes)
  encoder.inPlace(type, value, true)
  return encoder.finish()
}

/** Initial room for the tails of a list with dynamic types; it grows. */
const TAIL_BYTES = 256

class Encoder {
  readonly path: Path
  readonly #crypto: Crypto
  #bytes: Uint8Array
  #end = 0

  /** @param capacity size in bytes if it is known, otherwise a guess */
  constructor(crypto: Crypto, path: Path, capacity: number) {
    this.#crypto = crypto
    this.path = path
    this.#bytes = new Uint8Array(capacity)
  }

  finish(): Uint8Array {
    const bytes = this.#bytes
    return bytes.length === this.#end ? bytes : bytes.slice(0, this.#end)
  }

  /** Appends zeroed room. Returns its position. */
  #reserve(length: number): number {
    const at = this.#end
    const end = at + length
    if (end > ENCODE_LIMITS.encodedBytesMax)
      fail('too-large', `the encoding has more than ${ENCODE_LIMITS.encodedBytesMax} bytes`)
    const bytes = this.#bytes
    if (end > bytes.length) {
      const grown = new Uint8Array(Math.max(end, 2 * bytes.length))
      grown.set(bytes)
      this.#bytes = grown
    }
    this.#end = end
    return at
  }

  list({ members, membersBytes }: TupleType, values: readonly unknown[]): void {
    if (values.length !== members.length) fail('length', `${values.length} values, expected ${members.length}`)
    const base = this.#reserve(membersBytes)
    let at = base
    for (let i = 0; i < members.length; i++) {
      const { name, type } = members[i]!
      this.path.enter(name === '' ? i : name)
      this.#value(type, values[i], at, base)
      this.path.leave()
      at += type.headBytes
    }
  }

  /** Encodes a value whose head is at `at`. */
  #value(type: AbiType, value: unknown, at: number, base: number): void {
    if (type.dynamic) {
      writeSmall(this.#bytes, at, this.#end - base)
      this.#tail(type, value)
    } else if (type.kind === 'tuple') {
      let head = at
      this.#members(type, value, (member, item) => {
        this.#value(member, item, head, at)
        head += member.headBytes
      })
    } else if (type.kind === 'array') {
      this.#items(type, value, (item, i) => this.#value(type.item, item, at + i * type.item.headBytes, at))
    } else writeScalar(this.#crypto, this.#bytes, at, type, value)
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
      const bytes = wantContent(type, value)
      this.#writeLength(bytes.length)
      this.#writePadded(bytes)
    }
  }

  inPlace(type: AbiType, value: unknown, outermost: boolean): void {
    if (type.kind === 'tuple') this.#members(type, value, (member, item) => this.inPlace(member, item, false))
    else if (type.kind === 'array') this.#items(type, value, (item) => this.inPlace(type.item, item, false))
    else if (!type.dynamic) this.#word(type, value)
    else if (outermost) {
      const bytes = wantContent(type, value)
      const at = this.#reserve(bytes.length)
      this.#bytes.set(bytes, at)
    } else this.#writePadded(wantContent(type, value))
  }

  #members(type: TupleType, value: unknown, each: (member: AbiType, item: unknown) => void): void {
    const items = memberValues(type, value)
    const { members } = type
    for (let i = 0; i < members.length; i++) {
      const { name, type: member } = members[i]!
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

  #word(type: ScalarType, value: unknown): void {
    const at = this.#reserve(WORD)
    writeScalar(this.#crypto, this.#bytes, at, type, value)
  }

  #writeLength(length: number): void {
    const at = this.#reserve(WORD)
    writeSmall(this.#bytes, at, length)
  }

  #writePadded(bytes: Uint8Array): void {
    const at = this.#reserve(WORD * Math.ceil(bytes.length / WORD))
    this.#bytes.set(bytes, at)
  }
}

/** The part of a struct type that decides which values fit. */
interface StructShape {
  readonly members: readonly { readonly name: string }[]
  readonly named: boolean
}

/**
 * The members' values in the order of their types.
 *
 * @throws AbiFailure when a member is missing or unknown, or the value is not a struct
 */
export function memberValues({ members, named }: StructShape, value: unknown): readonly unknown[] {
  if (!named) {
    if (!Array.isArray(value)) fail('type', 'an array of the members is expected')
    if (value.length !== members.length) fail('length', `${value.length} members, expected ${members.length}`)
    return value
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value) || value instanceof Uint8Array)
    fail('type', 'an object is expected')
  for (const { name } of members) if (!Object.hasOwn(value, name)) fail('member', `member ${name} is missing`)
  const names = Object.keys(value)
  const stranger =
    names.length === members.length ? undefined : names.find((name) => members.every((member) => member.name !== name))
  if (stranger !== undefined) fail('member', `unknown member ${stranger.slice(0, ABI_LIMITS.nameCharsMax)}`)
  return members.map(({ name }) => (value as Readonly<Record<string, unknown>>)[name])
}

export function wantArray({ length }: Pick<ArrayType, 'length'>, value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) fail('type', 'an array is expected')
  if (length !== undefined && value.length !== length) fail('length', `${value.length} items, expected ${length}`)
  return value
}
