import type { AbiSource, Arguments, ConstructorItem, FunctionItem, ItemsOf, KeyOf, Mutability, Output } from './abi-types.ts'
import type { ContextFor, PayableContext, WriteContext } from './context.ts'
import { type Declared, type Functions, merge } from './declaration.ts'
import { layoutOf, storeLayout, upgradeLayout } from './layout.ts'
import { registry } from './registry.ts'
import { runContext } from './run-context.ts'
import type { Fields } from './state/field.ts'
import type { Address } from './value-types.ts'

declare const items: unique symbol
declare const fields: unique symbol

/** A declaration that contracts can use. `I`: items of its ABI, `F`: its state; both include those of the parts that it uses. */
export interface Part<I, F extends Fields> extends Declared {
  readonly [items]?: I
  readonly [fields]?: F
}

/** The default export of a contract's module. */
export interface Contract<I, F extends Fields> {
  readonly constructor: Functions[string]
  readonly functions: Functions
  readonly [items]?: I
  readonly [fields]?: F
}

type AnyPart = Part<unknown, Fields>
type Parts = readonly AnyPart[]
type PartItems<U extends Parts> = U[number] extends infer P ? (P extends Part<infer I, infer _F> ? I : never) : never
type Intersection<T> = (T extends unknown ? (value: T) => void : never) extends (value: infer V) => void ? V : never
type PartFields<U extends Parts> = U extends readonly []
  ? NoFields
  : Intersection<U[number] extends infer P ? (P extends Part<infer _I, infer F> ? F : never) : never> extends infer F extends
        Fields
    ? F
    : never
type NoFields = {}

/** Context type of the functions of a part or contract: `ContextOf<typeof erc20>`, or `ContextOf<typeof erc20, 'view'>` for functions that only read. */
export type ContextOf<P, M extends Mutability = 'nonpayable'> =
  P extends Part<infer I, infer F> ? ContextFor<M, I, F> : P extends Contract<infer I, infer F> ? ContextFor<M, I, F> : never

/** One function for each function of `Own`, by name, or by signature if the ABI has several functions with that name. */
type FunctionsOf<Own, I, F extends Fields> = {
  readonly [M in FunctionItem<Own> as KeyOf<FunctionItem<I>, M>]: (
    context: ContextFor<M['stateMutability'], I, F>,
    ...values: Arguments<M>
  ) => Output<M>
}

/** `functions` is optional if the own ABI has no function. */
type FunctionsMember<Own, Inherited, I, F extends Fields> = [FunctionItem<Own>] extends [never]
  ? { readonly functions?: Partial<FunctionsOf<Inherited, I, F>> }
  : { readonly functions: FunctionsOf<Own, I, F> & Partial<FunctionsOf<Inherited, I, F>> }

type ConstructorMember<Own, I, F extends Fields> = [ConstructorItem<Own>] extends [never]
  ? unknown
  : {
      readonly constructor: (
        context: ContextFor<ConstructorItem<Own>['stateMutability'], I, F>,
        ...values: Arguments<ConstructorItem<Own>>
      ) => void
    }

interface Base<A extends AbiSource, F extends Fields, U extends Parts> {
  /** Parts whose ABI, state and functions this declaration includes. */
  readonly uses?: U
  /** The ABI: human-readable lines or JSON. */
  readonly abi?: A
  readonly state?: F
  /**
   * Functions (by name or signature) that may be called while the contract is on the call stack; `receive` is possible too. Re-entrant calls of other
   * functions fail, except static calls and calls of `view` and `pure` functions. A contract includes the list of each of its parts.
   */
  readonly reentrant?: readonly string[]
}

/** Functions that run before a function, with the same context and arguments. They return to let the call pass, or throw. */
type ModifiersOf<I, F extends Fields> = {
  readonly [M in FunctionItem<I> as KeyOf<FunctionItem<I>, M>]?: readonly ((
    context: ContextFor<M['stateMutability'], I, F>,
    ...values: Arguments<M>
  ) => void)[]
}

/** A conditional type, so that TypeScript evaluates it only after it has inferred the ABI. */
type ModifiersMember<I, F extends Fields> = [FunctionItem<I>] extends [never]
  ? unknown
  : {
      /** Functions that run before a function, in order: `modifiers: { mint: [onlyOwner, whenNotPaused] }`. Modifiers of parts run first. */
      readonly modifiers?: ModifiersOf<I, F>
    }

interface Specials<I, F extends Fields> {
  /** Handles calls without data. The ABI needs `receive() external payable`. */
  readonly receive?: (context: PayableContext<I, F>) => void
  /** Handles calls that match no function; may return bytes. The ABI needs `fallback()`. */
  readonly fallback?: (context: PayableContext<I, F>, data: Uint8Array) => Uint8Array | void
  /** Runs once after an upgrade to this code, after the check of the state layout. The upgrade authority chooses `data`. */
  readonly migrate?: (context: WriteContext<I, F>, data: Uint8Array) => void
  /** The account that may replace the code: none (default), the deployer, or an address. */
  readonly upgradeAuthority?: 'none' | 'deployer' | Address
}

/**
 * Declares a contract. The module must export the result as default. All functions get a context first (`ContextOf`), then the arguments in the order
 * of the ABI.
 *
 * @throws TypeError, in the build and at deployment, when the declaration contradicts itself
 * @example
 *     export default contract({
 *       abi: ['function set(uint256 n)', 'function get() view returns (uint256)'],
 *       state: { n: value('uint256') },
 *       functions: {
 *         set: ({ state }, n) => state.n.set(n),
 *         get: ({ state }) => state.n.get(),
 *       },
 *     })
 */
export function contract<
  const A extends AbiSource = readonly [],
  F extends Fields = NoFields,
  const U extends Parts = readonly [],
>(
  declaration: Base<A, F, U> &
    ModifiersMember<ItemsOf<A> | PartItems<U>, F & PartFields<U>> &
    Specials<ItemsOf<A> | PartItems<U>, F & PartFields<U>> &
    ConstructorMember<ItemsOf<A>, ItemsOf<A> | PartItems<U>, F & PartFields<U>> &
    FunctionsMember<ItemsOf<A>, PartItems<U>, ItemsOf<A> | PartItems<U>, F & PartFields<U>>,
): Contract<ItemsOf<A> | PartItems<U>, F & PartFields<U>> {
  return moduleOf(declaration as unknown as ContractDeclaration) as unknown as Contract<
    ItemsOf<A> | PartItems<U>,
    F & PartFields<U>
  >
}

/**
 * Declares a part: ABI, state and functions that several contracts share. It must have a function for each function of its own ABI, and may override
 * functions of the parts that it uses.
 *
 * @example
 *     export const ownable = part({
 *       abi: ['function owner() view returns (address)', 'error NotOwner(address account)'],
 *       state: { owner: value('address') },
 *       functions: { owner: ({ state }) => state.owner.get() },
 *     })
 */
export function part<const A extends AbiSource = readonly [], F extends Fields = NoFields, const U extends Parts = readonly []>(
  declaration: Base<A, F, U> &
    ModifiersMember<ItemsOf<A> | PartItems<U>, F & PartFields<U>> &
    FunctionsMember<ItemsOf<A>, PartItems<U>, ItemsOf<A> | PartItems<U>, F & PartFields<U>>,
): Part<ItemsOf<A> | PartItems<U>, F & PartFields<U>> {
  return declaration as unknown as Part<ItemsOf<A> | PartItems<U>, F & PartFields<U>>
}

type Run = (context: object, ...values: readonly unknown[]) => unknown

interface ContractDeclaration extends Declared {
  readonly constructor?: Run
  readonly receive?: Run
  readonly fallback?: Run
  readonly migrate?: Run
  readonly upgradeAuthority?: string
}

function moduleOf(declaration: ContractDeclaration): object {
  // A copy without a prototype: every object inherits a `constructor`.
  const own = Object.create(null, Object.getOwnPropertyDescriptors(declaration)) as ContractDeclaration
  const merged = merge(own)
  const module = {}
  registry.declared?.(module, own, merged)
  const layout = layoutOf(merged.state)
  const context = runContext(merged)
  const { receive, fallback, migrate } = own
  const bound = (run: Run) => run.bind(undefined, context)
  const functions: { [name: string]: unknown } = {}
  for (const name of Object.keys(merged.functions)) functions[name] = bound(merged.functions[name] as Run)
  return Object.assign(module, {
    constructor(...values: readonly unknown[]) {
      storeLayout(layout)
      return own.constructor?.(context, ...values)
    },
    functions,
    ...(receive && { receive: bound(receive) }),
    ...(fallback && { fallback: bound(fallback) }),
    migrate(data: Uint8Array) {
      if (!migrate && data.length > 0) throw new Error('the contract has no migrate that could take data')
      upgradeLayout(layout)
      return migrate?.(context, data)
    },
  })
}
