import { type Crypto, ok, parseUtf8, type Result } from '@quoin/protocol'
import { type AbiFault, fail, fault, faultAt, Path } from './fault.ts'
import { readScalar, readSmall, WORD, wantZero } from './scalar.ts'
import type { AbiType, ArrayType, Member, ScalarType, TupleType } from './type.ts'
import type { AbiValue } from './value.ts'

/*
 * Solidity's ABI (docs.soliditylang.org, "Contract ABI Specification", strict mode), restricted to what its encoders produce:
 * tails follow in the order of their heads without gaps, padding is zero, strings are UTF-8. So each value has exactly one
 * encoding, and no data is read twice: time and memory are proportional to the data. ox and viem are less strict: they ignore
 * padding and the range of words, and many offsets may point to the same data. They also return hex for bytes and numbers for
 * small integers.
 */

/** Decodes arguments that fill the data exactly. */
export function decodeArguments(crypto: Crypto, parameters: TupleType, bytes: Uint8Array): Result<readonly AbiValue[], AbiFault> {
  const decoded = decodeLeadingArguments(crypto, parameters, bytes)
  if (!decoded.ok) return decoded
  const rest = bytes.length - decoded.value.bytesRead
  return rest === 0 ? ok(decoded.value.values) : fault('trailing-bytes', '', `${rest} bytes follow the arguments`)
}

export interface LeadingArguments {
  readonly values: readonly AbiValue[]
  readonly bytesRead: number
}

/**
 * Decodes arguments that other bytes may follow. In calldata and creation data, clients append their own tags (`dataSuffix` in
 * viem).
 */
export function decodeLeadingArguments(
  crypto: Crypto,
  parameters: TupleType,
  bytes: Uint8Array,
): Result<LeadingArguments, AbiFault> {
  const decoder = new Decoder(crypto, bytes)
  return faultAt(decoder.path, () => {
    const values = decoder.list(parameters)
    return ok({ values, bytesRead: decoder.tail })
  })
}

class Decoder {
  readonly path = new Path()
  /** Position of the next dynamic value. */
  tail = 0
  readonly #crypto: Crypto
  readonly #bytes: Uint8Array

  constructor(crypto: Crypto, bytes: Uint8Array) {
    this.#crypto = crypto
    this.#bytes = bytes
  }

  /** Advances the tail. Returns where the bytes begin. */
  #take(length: number): number {
    const at = this.tail
    if (length > this.#bytes.length - at)
      fail('too-short', `${length} bytes are needed at byte ${at}, the data has ${this.#bytes.length}`)
    this.tail = at + length
    return at
  }

  list({ members, membersBytes }: TupleType): readonly AbiValue[] {
    return this.#members(members, this.#take(membersBytes))
  }

  /** Decodes members whose heads begin at `base`. Offsets are relative to `base`. */
  #members(members: readonly Member[], base: number): readonly AbiValue[] {
    const values: AbiValue[] = []
    let at = base
    for (let i = 0; i < members.length; i++) {
      const { name, type } = members[i]!
      this.path.enter(name === '' ? i : name)
      values.push(this.#value(type, at, base))
      this.path.leave()
      at += type.headBytes
    }
    return values
  }

  /** Decodes the value whose head is at `at`. */
  #value(type: AbiType, at: number, base: number): AbiValue {
    if (!type.dynamic) return this.#inPlace(type, at)
    const expected = this.tail - base
    if (readSmall(this.#bytes, at) !== expected) fail('offset', `the offset at byte ${at} is not ${expected}`)
    if (type.kind === 'array') return this.#dynamicArray(type)
    if (type.kind === 'tuple') return this.#tuple(type, this.#take(type.membersBytes))
    return this.#blob(type as ScalarType)
  }

  #inPlace(type: AbiType, at: number): AbiValue {
    if (type.kind === 'array') return this.#items(type, type.length!, at)
    return type.kind === 'tuple' ? this.#tuple(type, at) : readScalar(this.#crypto, this.#bytes, at, type)
  }

  #tuple({ members, named }: TupleType, at: number): AbiValue {
    const values = this.#members(members, at)
    return named ? Object.fromEntries(members.map(({ name }, i) => [name, values[i]!])) : values
  }

  #dynamicArray(type: ArrayType): AbiValue {
    const length = type.length ?? this.#length('items')
    return this.#items(type, length, this.#take(length * type.item.headBytes))
  }

  #items({ item }: ArrayType, length: number, base: number): AbiValue {
    const values: AbiValue[] = []
    for (let i = 0; i < length; i++) {
      this.path.enter(i)
      values.push(this.#value(item, base + i * item.headBytes, base))
      this.path.leave()
    }
    return values
  }

  #blob({ kind }: ScalarType): AbiValue {
    const length = this.#length('bytes')
    const at = this.#take(WORD * Math.ceil(length / WORD))
    wantZero(this.#bytes, at + length, this.tail)
    const bytes = this.#bytes.subarray(at, at + length)
    if (kind === 'bytes') return new Uint8Array(bytes)
    const text = parseUtf8(bytes)
    if (text === undefined) fail('utf8', 'the string is not UTF-8')
    return text
  }

  /** Reads a count at the tail. The rest of the data limits it, because every item and every byte takes at least one byte. */
  #length(unit: string): number {
    const length = readSmall(this.#bytes, this.#take(WORD))
    const left = this.#bytes.length - this.tail
    if (length > left) fail('length', `it claims more ${unit} than the ${left} bytes left could hold`)
    return length
  }
}
