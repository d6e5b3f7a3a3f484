import type { Abi, AbiFunction, AbiParametersToPrimitiveTypes, ExtractAbiFunction, ExtractAbiFunctionNames } from 'abitype'
import type { ContractEventArgsFromTopics, ContractEventName, Hex } from 'viem'
import type { ContractEvent, Receipt } from './receipt.ts'

/** A transaction's, besides its destination and its data. */
export interface SendOptions {
  /** By default the chain's first account. Any address may send, a contract's too. */
  readonly from?: Hex
  /** In wei. */
  readonly value?: bigint
  /** At most; by default what the chain allows a transaction. */
  readonly gas?: bigint
}

/** A reading call's, besides its destination and its data. */
export interface ReadOptions {
  readonly from?: Hex
  readonly gas?: bigint
  /** The block whose state is read: by default the last one. */
  readonly blockNumber?: bigint
}

export interface SimulateOptions extends SendOptions, ReadOptions {}

/** What a transaction would return, and take. */
export interface Simulation<result> {
  readonly result: result
  readonly gasUsed: bigint
}

/** Which blocks are searched, both inclusive. By default all. */
export interface BlockRange {
  readonly fromBlock?: bigint
  readonly toBlock?: bigint
}

type ReadMutability = 'pure' | 'view'
type WriteMutability = 'nonpayable' | 'payable'

/** Arguments as a list in front of the options; none where the function takes none. */
type Parameters<args, options> = args extends readonly []
  ? [options?: options] | [args: args, options?: options]
  : [args: args, options?: options]

type Inputs<fn extends AbiFunction> = AbiParametersToPrimitiveTypes<fn['inputs'], 'inputs'>

/** Nothing, the only output, or all of them. */
type Output<fn extends AbiFunction> =
  AbiParametersToPrimitiveTypes<fn['outputs'], 'outputs'> extends infer outputs
    ? outputs extends readonly []
      ? undefined
      : outputs extends readonly [infer only]
        ? only
        : outputs
    : never

type UnionToIntersection<union> = (union extends unknown ? (one: union) => void : never) extends (all: infer all) => void
  ? all
  : never

/** A function of TypeScript for each function of one name; of several, the one that the arguments fit. */
type ReadFunction<fn extends AbiFunction> = UnionToIntersection<
  fn extends AbiFunction ? (...parameters: Parameters<Inputs<fn>, ReadOptions>) => Promise<Output<fn>> : never
>
type SimulateFunction<fn extends AbiFunction> = UnionToIntersection<
  fn extends AbiFunction ? (...parameters: Parameters<Inputs<fn>, SimulateOptions>) => Promise<Simulation<Output<fn>>> : never
>
type WriteFunction<abi extends Abi, fn extends AbiFunction> = UnionToIntersection<
  fn extends AbiFunction ? (...parameters: Parameters<Inputs<fn>, SendOptions>) => Promise<Receipt<abi>> : never
>

/** What a function is where its ABI is not known to the compiler. */
type UnknownFunction<options, result> = (
  ...parameters: [options?: options] | [args: readonly unknown[], options?: options]
) => Promise<result>

/** A contract on a chain, typed by its ABI. */
export interface Contract<abi extends Abi = Abi> {
  readonly name: string
  readonly address: Hex
  readonly abi: abi
  /** Views: what they return. */
  readonly read: Abi extends abi
    ? Readonly<Record<string, UnknownFunction<ReadOptions, unknown>>>
    : {
        readonly [name in ExtractAbiFunctionNames<abi, ReadMutability>]: ReadFunction<
          ExtractAbiFunction<abi, name, ReadMutability>
        >
      }
  /** Transactions, each in a block. A failed one throws ContractRevert, and stands in its block all the same. */
  readonly write: Abi extends abi
    ? Readonly<Record<string, UnknownFunction<SendOptions, Receipt>>>
    : {
        readonly [name in ExtractAbiFunctionNames<abi, WriteMutability>]: WriteFunction<
          abi,
          ExtractAbiFunction<abi, name, WriteMutability>
        >
      }
  /** What transactions would return on the state of a block, without one. */
  readonly simulate: Abi extends abi
    ? Readonly<Record<string, UnknownFunction<SimulateOptions, Simulation<unknown>>>>
    : {
        readonly [name in ExtractAbiFunctionNames<abi, WriteMutability>]: SimulateFunction<
          ExtractAbiFunction<abi, name, WriteMutability>
        >
      }
  /** Events of the blocks so far, oldest first: those whose arguments are as given. */
  readonly getEvents: {
    readonly [name in ContractEventName<abi>]: (
      args?: EventFilter<abi, name>,
      range?: BlockRange,
    ) => Promise<readonly ContractEvent<abi, name>[]>
  }
}

/** Some of an event's arguments, by name or by position. */
export type EventFilter<abi extends Abi, name extends ContractEventName<abi>> = Abi extends abi
  ? Readonly<Record<string, unknown>> | readonly unknown[]
  : PartialArguments<ContractEventArgsFromTopics<abi, name>>

type PartialArguments<args> = args extends readonly unknown[] ? args : { readonly [name in keyof args]?: args[name] | undefined }

type ConstructorInputs<abi extends Abi> =
  Extract<abi[number], { type: 'constructor' }> extends infer item
    ? [item] extends [never]
      ? readonly []
      : item extends { readonly inputs: infer inputs extends readonly { readonly type: string }[] }
        ? AbiParametersToPrimitiveTypes<inputs, 'inputs'>
        : never
    : never

/** The constructor's arguments, where it has any, and what a transaction may say. */
export type DeployParameters<abi extends Abi> = Abi extends abi
  ? [options?: SendOptions & { readonly args?: readonly unknown[] }]
  : ConstructorInputs<abi> extends readonly []
    ? [options?: SendOptions & { readonly args?: readonly [] }]
    : [options: SendOptions & { readonly args: ConstructorInputs<abi> }]
