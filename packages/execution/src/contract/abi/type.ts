import { ABI_LIMITS, type AbiParameter, LIMITS, ok, type Result } from '@quoin/protocol'
import { type AbiFault, fail, faultAt, Path } from './fault.ts'

/** An ABI type with the data that encoding and decoding need. */
export type AbiType = ScalarType | ArrayType | TupleType

interface TypeBase {
  /** Canonical name as in signatures; the members of a struct are in parentheses. */
  readonly name: string
  /** Whether the value is encoded in the tail, with an offset in the head. */
  readonly dynamic: boolean
  /** Size of the head in bytes: 32 for a dynamic type, which has its offset there. */
  readonly headBytes: number
}

export interface ScalarType extends TypeBase {
  readonly kind: 'uint' | 'int' | 'address' | 'bool' | 'fixed-bytes' | 'bytes' | 'string'
  /** Bits of an integer or fixed-bytes type; 0 otherwise. */
  readonly bits: number
}

export interface ArrayType extends TypeBase {
  readonly kind: 'array'
  readonly item: AbiType
  /** undefined when the length is part of the data. */
  readonly length: number | undefined
}

/** A struct, or a list of parameters. */
export interface TupleType extends TypeBase {
  readonly kind: 'tuple'
  readonly members: readonly Member[]
  /** Sum of the members' head sizes in bytes. */
  readonly membersBytes: number
  /**
   * Whether values are objects with the members' names. Otherwise values are arrays, because a member has no name or two have the
   * same.
   */
  readonly named: boolean
}

export interface Member {
  /** Empty for a member without a name. */
  readonly name: string
  readonly type: AbiType
}

const WORD = 32

/**
 * Resolves the type of a parameter whose names and nesting `parseAbi` has checked. Throws AbiFailure for a type larger than any
 * data.
 */
export function typeOf({ type, components = [] }: AbiParameter): AbiType {
  const bracket = type.indexOf('[')
  const base = bracket < 0 ? type : type.slice(0, bracket)
  let made: AbiType = base === 'tuple' ? tupleOf(components) : scalarOf(base)
  if (bracket < 0) return made
  for (const [, digits = ''] of type.slice(bracket).matchAll(/\[(\d*)\]/g))
    made = arrayOf(made, digits === '' ? undefined : Number(digits))
  return made
}

export const tupleOf = (parameters: readonly AbiParameter[]): TupleType =>
  tupleOfMembers(parameters.map((parameter) => ({ name: parameter.name, type: typeOf(parameter) })))

export function tupleOfMembers(members: readonly Member[]): TupleType {
  const membersBytes = bounded(members.reduce((sum, { type }) => sum + type.headBytes, 0))
  const dynamic = members.some(({ type }) => type.dynamic)
  const names = new Set(members.map(({ name }) => name))
  return {
    kind: 'tuple',
    name: `(${members.map(({ type }) => type.name).join(',')})`,
    dynamic,
    headBytes: dynamic ? WORD : membersBytes,
    members,
    membersBytes,
    named: names.size === members.length && !names.has(''),
  }
}

export function arrayOf(item: AbiType, length: number | undefined): ArrayType {
  const dynamic = length === undefined || item.dynamic
  const inPlace = bounded((length ?? 0) * item.headBytes)
  return { kind: 'array', name: `${item.name}[${length ?? ''}]`, dynamic, headBytes: dynamic ? WORD : inPlace, item, length }
}

const SCALARS = new Map<string, ScalarType>()
const scalar = (name: string, kind: ScalarType['kind'], bits = 0): void => {
  SCALARS.set(name, { kind, name, bits, dynamic: kind === 'bytes' || kind === 'string', headBytes: WORD })
}
for (const kind of ['address', 'bool', 'bytes', 'string'] as const) scalar(kind, kind)
for (let bytes = 1; bytes <= WORD; bytes++) {
  scalar(`uint${8 * bytes}`, 'uint', 8 * bytes)
  scalar(`int${8 * bytes}`, 'int', 8 * bytes)
  scalar(`bytes${bytes}`, 'fixed-bytes', 8 * bytes)
}

/** Scalar type with this name, if there is one. */
export const findScalar = (name: string): ScalarType | undefined => SCALARS.get(name)

const scalarOf = (name: string): ScalarType =>
  findScalar(name) ?? fail('type', `${name.slice(0, ABI_LIMITS.typeCharsMax)} is not the canonical name of a type`)

function bounded(bytes: number): number {
  if (bytes > LIMITS.transactionBytesMax) fail('type', `a value takes ${bytes} bytes, more than fits into a transaction`)
  return bytes
}

/**
 * Parses a list of types as in a signature: `address,(uint256,bytes32)[2],string`. Members of structs have no names, so their
 * values are arrays.
 */
export function parseTypeList(text: string): Result<TupleType, AbiFault> {
  return faultAt(new Path(), () => ok(readList({ text, at: 0, named: false })))
}

/** Parses what `formatParameters` wrote, with names. Throws AbiFailure for malformed text. */
export const parseParameters = (text: string): TupleType => readList({ text, at: 0, named: true })

/** Formats a list of parameters with names: `address to,(uint256 a,bool b)[2] pairs,string`. */
export const formatParameters = ({ members }: TupleType): string =>
  members.map(({ name, type }) => (name === '' ? formatType(type) : `${formatType(type)} ${name}`)).join()

function formatType(type: AbiType): string {
  if (type.kind === 'tuple') return `(${formatParameters(type)})`
  return type.kind === 'array' ? `${formatType(type.item)}[${type.length ?? ''}]` : type.name
}

interface TextCursor {
  readonly text: string
  at: number
  /** Whether a type may be followed by a space and a name. */
  readonly named: boolean
}

function readList(cursor: TextCursor): TupleType {
  const members = cursor.text === '' ? [] : readMembers(cursor, 0)
  if (cursor.at < cursor.text.length) fail('type', `unexpected character at position ${cursor.at}`)
  return tupleOfMembers(members)
}

function readMembers(cursor: TextCursor, depth: number): readonly Member[] {
  const members: Member[] = []
  do {
    if (members.length === ABI_LIMITS.parametersMax) fail('type', `a list has more than ${ABI_LIMITS.parametersMax} types`)
    const type = readType(cursor, depth)
    members.push({ name: cursor.named && skip(cursor, ' ') ? match(cursor, /[\w$]*/y) : '', type })
  } while (skip(cursor, ','))
  return members
}

function readType(cursor: TextCursor, depth: number): AbiType {
  let type: AbiType
  let nesting = depth
  if (skip(cursor, '(')) {
    nesting = deeper(nesting)
    type = tupleOfMembers(readMembers(cursor, nesting))
    if (!skip(cursor, ')')) fail('type', `missing ) at character ${cursor.at}`)
  } else type = scalarOf(match(cursor, /[a-z0-9]*/y))
  while (skip(cursor, '[')) {
    nesting = deeper(nesting)
    const digits = match(cursor, /(?:[1-9][0-9]{0,8})?/y)
    if (!skip(cursor, ']')) fail('type', `missing ] at character ${cursor.at}`)
    type = arrayOf(type, digits === '' ? undefined : Number(digits))
  }
  return type
}

function deeper(depth: number): number {
  if (depth === ABI_LIMITS.nestingMax) fail('type', `types nest more than ${ABI_LIMITS.nestingMax} levels`)
  return depth + 1
}

function skip(cursor: TextCursor, character: string): boolean {
  if (cursor.text[cursor.at] !== character) return false
  cursor.at++
  return true
}

function match(cursor: TextCursor, pattern: RegExp): string {
  pattern.lastIndex = cursor.at
  const found = pattern.exec(cursor.text)?.[0] ?? ''
  cursor.at += found.length
  return found
}
