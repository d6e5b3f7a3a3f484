import { bytesToHex, hexToBytes } from '@quoin/protocol'
import type { Abi, AbiFunction } from 'abitype'
import type { Hex } from 'viem'
import { decodeFunctionResult, encodeFunctionData } from 'viem/utils'
import type { Artifact } from './artifact.ts'
import type { BlockRange, Contract, ReadOptions, SendOptions, SimulateOptions } from './contract-types.ts'
import { ChainError } from './error.ts'
import { formatArguments } from './format.ts'
import { matches } from './match.ts'
import type { ContractEvent, Receipt } from './receipt.ts'

/** Functions of the chain that a contract object uses. */
export interface ContractHost {
  /** Runs a call; resolves to return data and gas. Throws ContractRevert when it fails. */
  call(contract: ContractTarget, data: Uint8Array, options: SimulateOptions): Promise<{ data: Uint8Array; gasUsed: bigint }>
  /** Sends a transaction. Throws ContractRevert when it fails. */
  send(contract: ContractTarget, data: Uint8Array, options: SendOptions): Promise<Receipt>
  events(contract: ContractTarget, range: BlockRange): readonly ContractEvent[]
}

/** Destination of a message, with the artifact of its code. */
export interface ContractTarget {
  readonly address: Hex
  readonly artifact: Artifact
}

const READS = new Set(['pure', 'view'])

/** Makes a contract object for an artifact at an address. */
export function createContract<const abi extends Abi>(host: ContractHost, artifact: Artifact<abi>, address: Hex): Contract<abi> {
  const target: ContractTarget = { address, artifact }
  const functions = artifact.abi.filter((item): item is AbiFunction => item.type === 'function')
  const reads = functions.filter(({ stateMutability }) => READS.has(stateMutability))
  const writes = functions.filter(({ stateMutability }) => !READS.has(stateMutability))
  const run = async (fn: string, args: readonly unknown[], options: SimulateOptions) => {
    const { data, gasUsed } = await host.call(target, encodeCall(artifact, fn, args), options)
    return { result: decodeResult(artifact, fn, args, data), gasUsed }
  }
  return {
    name: artifact.name,
    address,
    abi: artifact.abi,
    read: methods<ReadOptions>(reads, async (fn, args, options) => (await run(fn, args, options)).result),
    write: methods<SendOptions>(writes, (fn, args, options) => host.send(target, encodeCall(artifact, fn, args), options)),
    simulate: methods<SimulateOptions>(writes, run),
    getEvents: eventFilters(host, target),
  } as unknown as Contract<abi>
}

/** Makes a method for each name. It takes a list of arguments (optional if there are none), then options. */
function methods<Options extends object>(
  functions: readonly AbiFunction[],
  call: (name: string, args: readonly unknown[], options: Options) => Promise<unknown>,
): object {
  const named = functions.map(({ name }) => {
    const method = async (...parameters: readonly unknown[]) => {
      const [first, second] = parameters
      const [args, options] = Array.isArray(first) ? [first, second] : [[], first]
      return call(name, args, (options ?? {}) as Options)
    }
    return [name, method] as const
  })
  return Object.fromEntries(named)
}

/** Encodes a call. Throws ChainError when the arguments do not fit the ABI. */
function encodeCall({ name, abi }: Artifact, functionName: string, args: readonly unknown[]): Uint8Array {
  return hexToBytes(
    encoded(`${name}.${functionName}`, args, () => encodeFunctionData({ abi, functionName, args } as EncodeParameters)),
  )
}

type EncodeParameters = Parameters<typeof encodeFunctionData>[0]

/** Encodes arguments, and adds the function's name to viem's error messages. */
export function encoded<T>(what: string, args: readonly unknown[], encode: () => T): T {
  try {
    return encode()
  } catch (error) {
    const reason = error instanceof Error ? ('shortMessage' in error ? String(error.shortMessage) : error.message) : String(error)
    throw new ChainError(`${what} does not accept the arguments ${formatArguments(args)}: ${reason}`, { cause: error })
  }
}

function decodeResult({ name, abi }: Artifact, functionName: string, args: readonly unknown[], data: Uint8Array): unknown {
  try {
    return decodeFunctionResult({ abi, functionName, args, data: bytesToHex(data) } as Parameters<typeof decodeFunctionResult>[0])
  } catch (error) {
    throw new ChainError(
      `${name}.${functionName} returned data that does not match its ABI: check that the artifact belongs to this contract`,
      {
        cause: error,
      },
    )
  }
}

function eventFilters(host: ContractHost, target: ContractTarget): object {
  const names = target.artifact.abi.flatMap((item) => (item.type === 'event' ? [item.name] : []))
  const filters = names.map((name) => {
    const filter = async (args?: object, range: BlockRange = {}) =>
      host.events(target, range).filter((event) => event.eventName === name && matches(event.args, args))
    return [name, filter] as const
  })
  return Object.fromEntries(filters)
}
