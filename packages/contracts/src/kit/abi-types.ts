import type { Abi, AbiConstructor, AbiError, AbiEvent, AbiFunction, AbiParameter, ParseAbi } from 'abitype'
import type { OutputOf, ValuesOf } from './value-types.ts'

/** An ABI, as an author writes it: human-readable lines or JSON. */
export type AbiSource = readonly string[] | Abi

/** An item of an ABI. */
export type AbiItem = Abi[number]
export type ItemsOf<A extends AbiSource> = A extends readonly []
  ? never
  : A extends readonly string[]
    ? // oxlint-disable-next-line typescript/no-deprecated -- must match the grammar of viem's parseAbi; the change to ox must happen in both places at once
      ParseAbi<A>[number]
    : A extends Abi
      ? A[number]
      : never

/** State mutability of a function in the ABI. */
export type Mutability = 'pure' | 'view' | 'nonpayable' | 'payable'

interface Named {
  readonly name: string
  readonly inputs: readonly AbiParameter[]
}
export type FunctionItem<I> = Extract<I, AbiFunction>
export type EventItem<I> = Extract<I, AbiEvent>
export type ErrorItem<I> = Extract<I, AbiError>
export type ConstructorItem<I> = Extract<I, AbiConstructor>

type IsUnion<T, U = T> = [T] extends [never] ? false : T extends unknown ? ([U] extends [T] ? false : true) : never

type Types<P extends readonly AbiParameter[]> = P extends readonly [
  infer First extends AbiParameter,
  ...infer Rest extends readonly AbiParameter[],
]
  ? `${CanonicalType<First>}${Rest extends readonly [] ? '' : `,${Types<Rest>}`}`
  : ''
type CanonicalType<P extends AbiParameter> = P extends { readonly components: infer C extends readonly AbiParameter[] }
  ? P['type'] extends `tuple${infer Suffix}`
    ? `(${Types<C>})${Suffix}`
    : P['type']
  : P['type']

/** Signature of an ABI item: `mint(address,uint256)`. */
export type SignatureOf<One extends Named> = `${One['name']}(${Types<One['inputs']>})`

/** Whether several of the items have this name. */
export type IsOverloaded<All extends Named, Name extends string> = IsUnion<Extract<All, { readonly name: Name }>>

/** Key of an ABI item: its name, or its signature if the ABI has several items with that name. */
export type KeyOf<All extends Named, One extends Named> =
  IsOverloaded<All, One['name']> extends true ? SignatureOf<One> : One['name']

export type EventFunctions<I> = {
  readonly [E in EventItem<I> & Named as KeyOf<EventItem<I> & Named, E>]: (...values: ValuesOf<E['inputs']>) => void
}
export type ErrorFunctions<I> = {
  readonly [E in ErrorItem<I> & Named as KeyOf<ErrorItem<I> & Named, E>]: (...values: ValuesOf<E['inputs']>) => never
}
/** Types of a function's arguments and its output. */
export type Arguments<F extends { readonly inputs: readonly AbiParameter[] }> = ValuesOf<F['inputs']>
export type Output<F extends { readonly outputs: readonly AbiParameter[] }> = OutputOf<F['outputs']>
