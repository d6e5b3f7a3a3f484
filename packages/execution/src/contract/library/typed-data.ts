import { ABI_LIMITS, type Crypto, concatBytes, ok, type Result, utf8ToBytes } from '@quoin/protocol'
import { ENCODE_LIMITS, memberValues, wantArray } from '../abi/encode.ts'
import { type AbiFault, fail, faultAt, Path } from '../abi/fault.ts'
import { WORD, wantContent, writeScalar } from '../abi/scalar.ts'
import { findScalar, type ScalarType } from '../abi/type.ts'

/**
 * EIP-712. The type of a message is the text that EIP-712 calls encodeType: `Mail(Person from,string contents)Person(string
 * name)`. The message's own struct comes first, the structs that it refers to follow, sorted by name.
 */

/** Limits of an EIP-712 type. */
export const TYPED_DATA_LIMITS = {
  structsMax: 16,
  typeCharsMax: 4096,
} as const

const DOMAIN_TYPES = [
  ['name', 'string'],
  ['version', 'string'],
  ['chainId', 'uint256'],
  ['verifyingContract', 'address'],
  ['salt', 'bytes32'],
] as const

/** The digest that a wallet signs (eth_signTypedData_v4): keccak256(0x1901 ‖ domain hash ‖ message hash). */
export function typedDataDigest(crypto: Crypto, type: string, domain: unknown, message: unknown): Result<Uint8Array, AbiFault> {
  const path = new Path()
  return faultAt(path, () => {
    path.enter('domain')
    const domainHash = new Hasher(crypto, path, parseStructs(domainTypeOf(domain))).struct(domain)
    path.leave()
    path.enter('type')
    const structs = parseStructs(type)
    path.leave()
    path.enter('message')
    const messageHash = new Hasher(crypto, path, structs).struct(message)
    return ok(crypto.keccak256(concatBytes(Uint8Array.of(0x19, 0x01), domainHash, messageHash)))
  })
}

/** The domain's type, made of those of the five fields that the domain has. */
function domainTypeOf(domain: unknown): string {
  if (typeof domain !== 'object' || domain === null) fail('type', 'an object is expected')
  const fields = DOMAIN_TYPES.filter(([name]) => Object.hasOwn(domain, name)).map(([name, type]) => `${type} ${name}`)
  return `EIP712Domain(${fields.join(',')})`
}

interface Struct {
  readonly name: string
  /** The struct's own part of the text. */
  readonly text: string
  readonly members: readonly StructMember[]
  readonly named: true
}

interface StructMember {
  readonly name: string
  /** A scalar, or the name of a struct. */
  readonly base: ScalarType | string
  /** Lengths of the arrays around it, innermost first; undefined for a dynamic array. */
  readonly lengths: readonly (number | undefined)[]
}

/** Structs by name; the message's own comes first. */
type Structs = ReadonlyMap<string, Struct>

const STRUCT = /([A-Za-z_$][A-Za-z0-9_$]*)\(([^()]*)\)/y
const MEMBER = /^([A-Za-z_$][A-Za-z0-9_$]*)((?:\[(?:[1-9][0-9]{0,8})?\])*) ([A-Za-z_$][A-Za-z0-9_$]*)$/

function parseStructs(text: string): Structs {
  if (text.length > TYPED_DATA_LIMITS.typeCharsMax) fail('type', `more than ${TYPED_DATA_LIMITS.typeCharsMax} characters`)
  const structs = new Map<string, Struct>()
  let previous = ''
  for (let at = 0; at < text.length; ) {
    STRUCT.lastIndex = at
    const [whole, name, members] = STRUCT.exec(text) ?? []
    if (whole === undefined || name === undefined || members === undefined) fail('type', `no struct begins at character ${at}`)
    if (structs.size > 1 && name <= previous) fail('type', `${name} must come before ${previous}: structs are sorted by name`)
    if (structs.has(name)) fail('type', `${name} is defined twice`)
    if (structs.size === TYPED_DATA_LIMITS.structsMax) fail('type', `more than ${TYPED_DATA_LIMITS.structsMax} structs`)
    structs.set(name, { name, text: whole, members: parseMembers(members), named: true })
    previous = name
    at += whole.length
  }
  checkReferences(structs)
  return structs
}

function parseMembers(text: string): readonly StructMember[] {
  if (text === '') return []
  const parts = text.split(',')
  if (parts.length > ABI_LIMITS.parametersMax) fail('type', `a struct has more than ${ABI_LIMITS.parametersMax} members`)
  const members = parts.map((part) => {
    const [, base = '', suffix = '', name] = MEMBER.exec(part) ?? []
    if (name === undefined || name === '__proto__') fail('type', `not a member: ${part.slice(0, ABI_LIMITS.nameCharsMax)}`)
    const lengths = [...suffix.matchAll(/\[(\d*)\]/g)].map(([, digits]) => (digits === '' ? undefined : Number(digits)))
    return { name, base: findScalar(base) ?? base, lengths }
  })
  if (new Set(members.map(({ name }) => name)).size < members.length) fail('type', 'two members of a struct have the same name')
  return members
}

/** Checks that every struct is defined and used, that none contains itself, and that values nest no deeper than in an ABI. */
function checkReferences(structs: Structs): void {
  const [primary] = structs.values()
  if (primary === undefined) fail('type', 'no struct begins at character 0')
  /** Nesting levels of each visited struct; undefined while the struct is being visited. */
  const levels = new Map<string, number | undefined>()
  const visit = (struct: Struct): number => {
    if (levels.has(struct.name)) return levels.get(struct.name) ?? fail('type', `${struct.name} contains itself`)
    levels.set(struct.name, undefined)
    const heights = struct.members.map(({ base, lengths }) => {
      if (typeof base !== 'string') return lengths.length
      return lengths.length + visit(structs.get(base) ?? fail('type', `${base} is not defined`))
    })
    const height = 1 + Math.max(0, ...heights)
    if (height > ABI_LIMITS.nestingMax) fail('type', `types nest more than ${ABI_LIMITS.nestingMax} levels`)
    levels.set(struct.name, height)
    return height
  }
  visit(primary)
  for (const name of structs.keys()) if (!levels.has(name)) fail('type', `${name} is not used`)
}

const WORDS_MAX = ENCODE_LIMITS.encodedBytesMax / WORD

class Hasher {
  readonly #crypto: Crypto
  readonly #path: Path
  readonly #structs: Structs
  readonly #typeHashes = new Map<string, Uint8Array>()
  #words = 0

  constructor(crypto: Crypto, path: Path, structs: Structs) {
    this.#crypto = crypto
    this.#path = path
    this.#structs = structs
  }

  /** hashStruct of the message's own struct. */
  struct(value: unknown): Uint8Array {
    const [primary] = this.#structs.values()
    return this.#struct(primary!, value)
  }

  #struct(struct: Struct, value: unknown): Uint8Array {
    const items = memberValues(struct, value)
    const words = this.#wordsFor(1 + struct.members.length)
    words.set(this.#typeHash(struct))
    for (const [i, { name, base, lengths }] of struct.members.entries()) {
      this.#path.enter(name)
      this.#write(words, WORD * (1 + i), base, lengths, items[i])
      this.#path.leave()
    }
    return this.#crypto.keccak256(words)
  }

  /** Room for the words of a struct or array, which are hashed together. */
  #wordsFor(count: number): Uint8Array {
    this.#words += count
    if (this.#words > WORDS_MAX) fail('too-large', `more than ${WORDS_MAX} values`)
    return new Uint8Array(WORD * count)
  }

  /** Writes the word that represents a value in its struct or array. */
  #write(words: Uint8Array, at: number, base: StructMember['base'], lengths: StructMember['lengths'], value: unknown): void {
    if (lengths.length > 0) words.set(this.#array(base, lengths, value), at)
    else if (typeof base === 'string') words.set(this.#struct(this.#structs.get(base)!, value), at)
    else if (base.dynamic) words.set(this.#crypto.keccak256(wantContent(base, value)), at)
    else writeScalar(this.#crypto, words, at, base, value)
  }

  #array(base: StructMember['base'], lengths: StructMember['lengths'], value: unknown): Uint8Array {
    const items = wantArray({ length: lengths.at(-1) }, value)
    const words = this.#wordsFor(items.length)
    const inner = lengths.slice(0, -1)
    for (let i = 0; i < items.length; i++) {
      this.#path.enter(i)
      this.#write(words, WORD * i, base, inner, items[i])
      this.#path.leave()
    }
    return this.#crypto.keccak256(words)
  }

  /** Hash of encodeType: the struct's own text, then the texts of all structs that it refers to, sorted by name. */
  #typeHash(struct: Struct): Uint8Array {
    const known = this.#typeHashes.get(struct.name)
    if (known !== undefined) return known
    const used = new Set<string>()
    const visit = ({ members }: Struct): void => {
      for (const { base } of members) {
        if (typeof base !== 'string' || used.has(base)) continue
        used.add(base)
        visit(this.#structs.get(base)!)
      }
    }
    visit(struct)
    const others = [...used].toSorted((a, b) => (a < b ? -1 : 1)).map((name) => this.#structs.get(name)!.text)
    const hash = this.#crypto.keccak256(utf8ToBytes(struct.text + others.join('')))
    this.#typeHashes.set(struct.name, hash)
    return hash
  }
}
