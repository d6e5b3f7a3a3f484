import type { Hex } from '@quoin/protocol'
import type {
  Abi,
  AbiFunction,
  AbiParametersToPrimitiveTypes,
  ExtractAbiFunction,
  ExtractAbiFunctionNames,
  ExtractAbiFunctions,
} from 'abitype'
import type { IsOverloaded, SignatureOf } from '../kit/abi-types.ts'
import type { EventArguments, EventName } from './log.ts'
import type { ContractEvent, Receipt } from './receipt.ts'

/** Options of a transaction. */
export interface SendOptions {
  /** Sender. Default: the chain's first account. Any address may send, including a contract's. */
  readonly from?: Hex
  /** In wei. */
  readonly value?: bigint
  /** Gas limit. Default: the chain's limit for a transaction. */
  readonly gas?: bigint
}

/** Options of a read. */
export interface ReadOptions {
  readonly from?: Hex
  readonly gas?: bigint
  /** The block whose state is read. Default: the last block. */
  readonly blockNumber?: bigint
}

export interface SimulateOptions extends SendOptions, ReadOptions {}

/** Result and gas of a simulated transaction. */
export interface Simulation<result> {
  readonly result: result
  readonly gasUsed: bigint
}

/** The blocks to search, both ends inclusive. Default: all blocks. */
export interface BlockRange {
  readonly fromBlock?: bigint
  readonly toBlock?: bigint
}

type ReadMutability = 'pure' | 'view'
type WriteMutability = 'nonpayable' | 'payable'

/** A list of arguments, then options. The list is optional for a function without parameters. */
type Parameters<args, options> = args extends readonly []
  ? [options?: options] | [args: args, options?: options]
  : [args: args, options?: options]

type Inputs<fn extends AbiFunction> = AbiParametersToPrimitiveTypes<fn['inputs'], 'inputs'>

/** undefined without outputs, the value of a single output, else a list of all outputs. */
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

/** One overload for each function with the same name; TypeScript picks by the arguments. */
type ReadFunction<fn extends AbiFunction> = UnionToIntersection<
  fn extends AbiFunction ? (...parameters: Parameters<Inputs<fn>, ReadOptions>) => Promise<Output<fn>> : never
>
type SimulateFunction<fn extends AbiFunction> = UnionToIntersection<
  fn extends AbiFunction ? (...parameters: Parameters<Inputs<fn>, SimulateOptions>) => Promise<Simulation<Output<fn>>> : never
>
type WriteFunction<abi extends Abi, fn extends AbiFunction> = UnionToIntersection<
  fn extends AbiFunction ? (...parameters: Parameters<Inputs<fn>, SendOptions>) => Promise<Receipt<abi>> : never
>

/** The functions with these mutabilities whose name several functions of the ABI have. */
type Overload<
  abi extends Abi,
  mutability extends ReadMutability | WriteMutability,
  all extends AbiFunction = ExtractAbiFunctions<abi>,
> = all extends AbiFunction
  ? IsOverloaded<ExtractAbiFunctions<abi>, all['name']> extends true
    ? Extract<all, { readonly stateMutability: mutability }>
    : never
  : never

/** Type of functions when the compiler does not know the ABI. */
type UnknownFunction<options, result> = (
  ...parameters: [options?: options] | [args: readonly unknown[], options?: options]
) => Promise<result>

/** A contract on a chain, typed by its ABI. */
export interface Contract<abi extends Abi = Abi> {
  readonly name: string
  readonly address: Hex
  readonly abi: abi
  /** `view` and `pure` functions. Each returns the function's output. */
  readonly read: Abi extends abi
    ? Readonly<Record<string, UnknownFunction<ReadOptions, unknown>>>
    : {
        readonly [name in ExtractAbiFunctionNames<abi, ReadMutability>]: ReadFunction<
          ExtractAbiFunction<abi, name, ReadMutability>
        >
      } & { readonly [fn in Overload<abi, ReadMutability> as SignatureOf<fn>]: ReadFunction<fn> }
  /** Sends a transaction in a new block. A failed transaction throws ContractRevert; it is still included in its block. */
  readonly write: Abi extends abi
    ? Readonly<Record<string, UnknownFunction<SendOptions, Receipt>>>
    : {
        readonly [name in ExtractAbiFunctionNames<abi, WriteMutability>]: WriteFunction<
          abi,
          ExtractAbiFunction<abi, name, WriteMutability>
        >
      } & { readonly [fn in Overload<abi, WriteMutability> as SignatureOf<fn>]: WriteFunction<abi, fn> }
  /** Simulates a transaction on the state of a block, without sending it. */
  readonly simulate: Abi extends abi
    ? Readonly<Record<string, UnknownFunction<SimulateOptions, Simulation<unknown>>>>
    : {
        readonly [name in ExtractAbiFunctionNames<abi, WriteMutability>]: SimulateFunction<
          ExtractAbiFunction<abi, name, WriteMutability>
        >
      } & { readonly [fn in Overload<abi, WriteMutability> as SignatureOf<fn>]: SimulateFunction<fn> }
  /** Past events, oldest first. Only events with the given arguments. */
  readonly getEvents: {
    readonly [name in EventName<abi>]: (
      args?: EventFilter<abi, name>,
      range?: BlockRange,
    ) => Promise<readonly ContractEvent<abi, name>[]>
  }
}

/** Some of an event's arguments, by name or by position. */
export type EventFilter<abi extends Abi, name extends EventName<abi>> = Abi extends abi
  ? Readonly<Record<string, unknown>> | readonly unknown[]
  : PartialArguments<EventArguments<abi, name>>

type PartialArguments<args> = args extends readonly unknown[] ? args : { readonly [name in keyof args]?: args[name] | undefined }

export type ConstructorInputs<abi extends Abi> =
  Extract<abi[number], { type: 'constructor' }> extends infer item
    ? [item] extends [never]
      ? readonly []
      : item extends { readonly inputs: infer inputs extends readonly { readonly type: string }[] }
        ? AbiParametersToPrimitiveTypes<inputs, 'inputs'>
        : never
    : never

/** Parameters of `deploy`: options of the transaction, and the constructor's arguments if it has any. */
export type DeployParameters<abi extends Abi> = Abi extends abi
  ? [options?: SendOptions & { readonly args?: readonly unknown[] }]
  : ConstructorInputs<abi> extends readonly []
    ? [options?: SendOptions & { readonly args?: readonly [] }]
    : [options: SendOptions & { readonly args: ConstructorInputs<abi> }]
