import type { AbiParameter, ParseAbiParameter, SolidityFixedArrayRange } from 'abitype'

declare const checksummed: unique symbol

/**
 * An account's address with its EIP-55 checksum, as the chain returns it. Addresses can be compared with `===`. A literal has no guaranteed case, so it
 * is not an Address: convert it with `address('0x…')`.
 */
export type Address = `0x${string}` & { readonly [checksummed]: 'Address' }

type Bits =
  | `${8 | 16 | 24 | 32 | 40 | 48 | 56 | 64 | 72 | 80 | 88 | 96 | 104 | 112 | 120 | 128}`
  | `${136 | 144 | 152 | 160 | 168 | 176 | 184 | 192 | 200 | 208 | 216 | 224 | 232 | 240 | 248 | 256}`
type Width =
  | `${1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | 10 | 11 | 12 | 13 | 14 | 15 | 16}`
  | `${17 | 18 | 19 | 20 | 21 | 22 | 23 | 24 | 25 | 26 | 27 | 28 | 29 | 30 | 31 | 32}`

/** Types whose values are one word. Keys of tables must have such a type. */
export type WordType = 'address' | 'bool' | `uint${Bits}` | `int${Bits}` | `bytes${Width}`
/** Types that are neither arrays nor tuples. Keys of mappings and values of sets must have such a type. */
export type ScalarType = WordType | 'string' | 'bytes'
/** Canonical name of an ABI type. Tuples are written as a struct instead. */
export type TypeName = ScalarType | `${ScalarType}[${string}]`
/** A struct: members by name, in the order of storage. */
export interface Struct {
  readonly [member: string]: TypeName | Struct
}
/** Type of a state field's value: the name of an ABI type, or a struct. */
export type Spec = TypeName | Struct

type Scalar<T extends string> = T extends 'address'
  ? Address
  : T extends 'bool'
    ? boolean
    : T extends 'string'
      ? string
      : T extends 'bytes' | `bytes${Width}`
        ? Uint8Array
        : T extends `${'uint' | 'int'}${string}`
          ? bigint
          : unknown

/** A contract's value for an ABI parameter: every integer is a bigint, bytes are a Uint8Array. */
export type ValueOf<P extends AbiParameter> = P['type'] extends `${infer Item}[${'' | SolidityFixedArrayRange}]`
  ? readonly ValueOf<Omit<P, 'type'> & { readonly type: Item }>[]
  : P['type'] extends 'tuple'
    ? P extends { readonly components: infer C extends readonly AbiParameter[] }
      ? TupleOf<C>
      : unknown
    : Scalar<P['type']>

type TupleOf<C extends readonly AbiParameter[]> = C[number] extends { readonly name: infer N }
  ? [N] extends ['' | undefined]
    ? ValuesOf<C>
    : { readonly [M in C[number] as M extends { readonly name: infer Name extends string } ? Name : never]: ValueOf<M> }
  : ValuesOf<C>

/** Values for a list of parameters, in order. */
export type ValuesOf<P extends readonly AbiParameter[]> = { readonly [I in keyof P]: ValueOf<P[I]> }

/** Return type of a function: nothing, the single output, or a list of outputs. */
export type OutputOf<P extends readonly AbiParameter[]> = P extends readonly []
  ? void
  : P extends readonly [infer Only extends AbiParameter]
    ? ValueOf<Only>
    : ValuesOf<P>

/** Value of a type or struct in the state. */
export type SpecValue<T extends Spec> = T extends string
  ? T extends ScalarType
    ? Scalar<T>
    : // oxlint-disable-next-line typescript/no-deprecated -- as in abi-types.ts
      ValueOf<ParseAbiParameter<T> & AbiParameter>
  : { readonly [M in keyof T]: T[M] extends Spec ? SpecValue<T[M]> : never }

/** Result of reading a field. If it was never written: words, strings and bytes are zero or empty, everything else is undefined. */
export type Stored<T extends Spec> = T extends ScalarType ? SpecValue<T> : SpecValue<T> | undefined

/** Value for an ABI parameter with tuples as arrays, without names. */
export type PlainValueOf<P extends AbiParameter> = P['type'] extends `${infer Item}[${'' | SolidityFixedArrayRange}]`
  ? readonly PlainValueOf<Omit<P, 'type'> & { readonly type: Item }>[]
  : P['type'] extends 'tuple'
    ? P extends { readonly components: infer C extends readonly AbiParameter[] }
      ? PlainValuesOf<C>
      : unknown
    : Scalar<P['type']>

export type PlainValuesOf<P extends readonly AbiParameter[]> = { readonly [I in keyof P]: PlainValueOf<P[I]> }

export type PlainOutputOf<P extends readonly AbiParameter[]> = P extends readonly []
  ? void
  : P extends readonly [infer Only extends AbiParameter]
    ? PlainValueOf<Only>
    : PlainValuesOf<P>
