import type { AbiParameter, ParseAbiParameter, SolidityFixedArrayRange } from 'abitype'

declare const checksummed: unique symbol

/**
 * An account's address with its EIP-55 checksum, as the chain hands it out. Two addresses are equal exactly if `===` says so, which is why a
 * literal is not one: `address('0x…')` makes it one.
 */
export type Address = `0x${string}` & { readonly [checksummed]: 'Address' }

type Bits =
  | `${8 | 16 | 24 | 32 | 40 | 48 | 56 | 64 | 72 | 80 | 88 | 96 | 104 | 112 | 120 | 128}`
  | `${136 | 144 | 152 | 160 | 168 | 176 | 184 | 192 | 200 | 208 | 216 | 224 | 232 | 240 | 248 | 256}`
type Width =
  | `${1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | 10 | 11 | 12 | 13 | 14 | 15 | 16}`
  | `${17 | 18 | 19 | 20 | 21 | 22 | 23 | 24 | 25 | 26 | 27 | 28 | 29 | 30 | 31 | 32}`

/** Types whose values are one word: what a key of a set or table may be. */
export type WordType = 'address' | 'bool' | `uint${Bits}` | `int${Bits}` | `bytes${Width}`
/** Types that are no array and no tuple: what a key of a mapping may be. */
export type ScalarType = WordType | 'string' | 'bytes'
/** Canonical name of an ABI type, but for tuples: those are written as a struct. */
export type TypeName = ScalarType | `${ScalarType}[${string}]`
/** Members by name, in the order in which they are stored. */
export interface Struct {
  readonly [member: string]: TypeName | Struct
}
/** What a field of the state may hold: the name of a type, or a struct of them. */
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

/** The value of a parameter of an ABI, as a contract sees it: every integer is a bigint, bytes are a Uint8Array. */
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

/** Values of a list of parameters, in order. */
export type ValuesOf<P extends readonly AbiParameter[]> = { readonly [I in keyof P]: ValueOf<P[I]> }

/** What a function answers with: nothing, its one output, or a list of several. */
export type OutputOf<P extends readonly AbiParameter[]> = P extends readonly []
  ? void
  : P extends readonly [infer Only extends AbiParameter]
    ? ValueOf<Only>
    : ValuesOf<P>

/** Value of a type or struct of the state. */
export type SpecValue<T extends Spec> = T extends string
  ? T extends ScalarType
    ? Scalar<T>
    : // oxlint-disable-next-line typescript/no-deprecated -- as in abi-types.ts
      ValueOf<ParseAbiParameter<T> & AbiParameter>
  : { readonly [M in keyof T]: T[M] extends Spec ? SpecValue<T[M]> : never }

/** What reading a field gives: words, text and bytes that were never written are zero or empty, all else is undefined. */
export type Stored<T extends Spec> = T extends ScalarType ? SpecValue<T> : SpecValue<T> | undefined

/** Values where the members of tuples have no names: tuples are arrays. */
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
