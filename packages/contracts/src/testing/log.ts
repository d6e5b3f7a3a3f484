import type { Hex } from '@quoin/protocol'
import type { Abi, AbiParameter, AbiParameterToPrimitiveType, ExtractAbiEvent, ExtractAbiEventNames } from 'abitype'

/** A log in a block. viem's functions take it too. */
export interface Log {
  /** The contract, with EIP-55 checksum. */
  address: Hex
  topics: [signature: Hex, ...args: Hex[]] | []
  data: Hex
  blockHash: Hex
  blockNumber: bigint
  transactionHash: Hex
  transactionIndex: number
  /** Index in the block. */
  logIndex: number
  removed: false
}

/** Names of an ABI's events; any text when the compiler does not know the ABI or the ABI has no events. */
export type EventName<abi extends Abi = Abi> = [ExtractAbiEventNames<abi>] extends [never] ? string : ExtractAbiEventNames<abi>

/** An event's arguments: by name, or by position if a parameter has no name. */
export type EventArguments<abi extends Abi, name extends EventName<abi>> = [ExtractAbiEvent<abi, name>] extends [never]
  ? Readonly<Record<string, unknown>> | readonly unknown[]
  : ArgumentsOf<ExtractAbiEvent<abi, name>['inputs']>

type ArgumentsOf<inputs extends readonly AbiParameter[]> = inputs extends readonly []
  ? readonly []
  : HasUnnamed<inputs> extends true
    ? readonly [...{ [index in keyof inputs]: AbiParameterToPrimitiveType<inputs[index]> }]
    : {
        [input in inputs[number] as input extends { name: infer name extends string }
          ? name
          : never]: AbiParameterToPrimitiveType<input>
      }

type HasUnnamed<inputs extends readonly AbiParameter[]> = inputs extends readonly [
  infer first extends AbiParameter,
  ...infer rest extends readonly AbiParameter[],
]
  ? first extends { name: string }
    ? first['name'] extends ''
      ? true
      : HasUnnamed<rest>
    : true
  : false
