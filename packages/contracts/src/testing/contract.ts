import { bytesToHex, type Hex, hexToBytes } from '@quoin/protocol'
import type { Abi, AbiFunction } from 'abitype'
import { decodeFunctionResult, encodeFunctionData, toFunctionSignature } from '#viem/utils'
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
  const run = async (fn: Callee, args: readonly unknown[], options: SimulateOptions) => {
    const { data, gasUsed } = await host.call(target, encodeCall(fn, args), options)
    return { result: decodeResult(fn, args, data), gasUsed }
  }
  return {
    name: artifact.name,
    address,
    abi: artifact.abi,
    read: methods<ReadOptions>(artifact, reads, async (fn, args, options) => (await run(fn, args, options)).result),
    write: methods<SendOptions>(artifact, writes, (fn, args, options) => host.send(target, encodeCall(fn, args), options)),
    simulate: methods<SimulateOptions>(artifact, writes, run),
    getEvents: eventFilters(host, target),
  } as unknown as Contract<abi>
}

/** A function to call: a name, and the ABI in which viem looks for the overload that the arguments fit. */
interface Callee {
  /** For error messages: `token.transfer`. */
  readonly what: string
  readonly functionName: string
  readonly abi: Abi
}

type Run<Options> = (callee: Callee, args: readonly unknown[], options: Options) => Promise<unknown>

/**
 * Makes a method for each name, and for each signature if several functions have one name: arguments alone do not always tell overloads apart. A method takes
 * a list of arguments (optional if there are none), then options.
 */
function methods<Options extends object>(
  { name: contract, abi }: Artifact,
  functions: readonly AbiFunction[],
  call: Run<Options>,
): object {
  const isOverloaded = (name: string) => abi.filter((item) => item.type === 'function' && item.name === name).length > 1
  const callees = functions.flatMap((fn): readonly (readonly [string, Callee])[] => {
    const { name } = fn
    const byName = [name, { what: `${contract}.${name}`, functionName: name, abi }] as const
    if (!isOverloaded(name)) return [byName]
    const signature = toFunctionSignature(fn)
    return [byName, [signature, { what: `${contract}.${signature}`, functionName: name, abi: [fn] }]]
  })
  const named = callees.map(([key, callee]) => {
    const method = async (...parameters: readonly unknown[]) => {
      const [first, second] = parameters
      const [args, options] = Array.isArray(first) ? [first, second] : [[], first]
      return call(callee, args, (options ?? {}) as Options)
    }
    return [key, method] as const
  })
  return Object.fromEntries(named)
}

/** Encodes a call. Throws ChainError when the arguments do not fit the ABI. */
function encodeCall({ what, ...callee }: Callee, args: readonly unknown[]): Uint8Array {
  return hexToBytes(encoded(what, args, () => encodeFunctionData({ ...callee, args } as EncodeParameters)))
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

function decodeResult({ what, ...callee }: Callee, args: readonly unknown[], data: Uint8Array): unknown {
  try {
    return decodeFunctionResult({ ...callee, args, data: bytesToHex(data) } as Parameters<typeof decodeFunctionResult>[0])
  } catch (error) {
    throw new ChainError(`${what} returned data that does not match its ABI: check that the artifact belongs to this contract`, {
      cause: error,
    })
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
