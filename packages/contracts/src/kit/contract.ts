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

/** A declaration that contracts can use. `I`: items of its ABI, `F`: its state; those of the parts that it uses included. */
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
/** No fields. */
type NoFields = {}

/** What a function of a part or contract gets: `ContextOf<typeof erc20>`, or `ContextOf<typeof erc20, 'view'>` for one that only reads. */
export type ContextOf<P, M extends Mutability = 'nonpayable'> =
  P extends Part<infer I, infer F> ? ContextFor<M, I, F> : P extends Contract<infer I, infer F> ? ContextFor<M, I, F> : never

/** Functions for all functions of `Own`, by name or, where the ABI has several of one name, by signature. */
type FunctionsOf<Own, I, F extends Fields> = {
  readonly [M in FunctionItem<Own> as KeyOf<FunctionItem<I>, M>]: (
    context: ContextFor<M['stateMutability'], I, F>,
    ...values: Arguments<M>
  ) => Output<M>
}

/** Nothing is required of those who have no function of their own to write. */
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
  /** Parts whose ABI, state and functions become the contract's. */
  readonly uses?: U
  /** Human-readable lines or JSON. */
  readonly abi?: A
  readonly state?: F
  /**
   * Functions, by name or signature, that may be entered again while a call of the contract is under way; `receive` too. Those of parts are the
   * contract's.
   */
  readonly reentrant?: readonly string[]
}

/** What runs before a function, with the same context and arguments: it lets the call pass, or throws. */
type ModifiersOf<I, F extends Fields> = {
  readonly [M in FunctionItem<I> as KeyOf<FunctionItem<I>, M>]?: readonly ((
    context: ContextFor<M['stateMutability'], I, F>,
    ...values: Arguments<M>
  ) => void)[]
}

/** Conditional, so that TypeScript looks into it only when it knows the ABI. */
type ModifiersMember<I, F extends Fields> = [FunctionItem<I>] extends [never]
  ? unknown
  : {
      /** Run before a function, in order: `modifiers: { mint: [onlyOwner, whenNotPaused] }`. Those of parts run before the contract's. */
      readonly modifiers?: ModifiersOf<I, F>
    }

interface Specials<I, F extends Fields> {
  /** For calls without data; the ABI needs `receive() external payable`. */
  readonly receive?: (context: PayableContext<I, F>) => void
  /** For calls that no function takes; may answer with bytes. The ABI needs `fallback()`. */
  readonly fallback?: (context: PayableContext<I, F>, data: Uint8Array) => Uint8Array | void
  /** Runs once after an upgrade to this code, when the layout was found to follow from the old one. `data`: of the authority's choice. */
  readonly migrate?: (context: WriteContext<I, F>, data: Uint8Array) => void
  /** Who may replace the code: nobody (by default), who deployed it, or an account. */
  readonly upgradeAuthority?: 'none' | 'deployer' | Address
}

/**
 * Declares a contract; its module exports what this returns as default. All functions get a context first (`ContextOf`), then the arguments
 * as the ABI has them. Throws TypeError, at deployment and in the build, where the declaration contradicts itself.
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

/** Declares a part: what several contracts share. It must have a function for each function of its ABI, and may write those of parts that it uses anew. */
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
  // Without what every object has: `constructor`.
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
