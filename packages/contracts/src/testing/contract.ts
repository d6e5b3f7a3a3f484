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

/** What a contract asks of its chain. */
export interface ContractHost {
  /** Throws ContractRevert when the call fails; the return data, and the gas used, when it does not. */
  call(contract: ContractTarget, data: Uint8Array, options: SimulateOptions): Promise<{ data: Uint8Array; gasUsed: bigint }>
  /** Throws ContractRevert when the transaction fails. */
  send(contract: ContractTarget, data: Uint8Array, options: SendOptions): Promise<Receipt>
  events(contract: ContractTarget, range: BlockRange): readonly ContractEvent[]
}

/** Where a message goes, and what is known of the code there. */
export interface ContractTarget {
  readonly address: Hex
  readonly artifact: Artifact
}

const READS = new Set(['pure', 'view'])

/** The functions of an artifact's ABI at an address. */
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

/** A method for each name: arguments as a list if there are any, then options. */
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

/** Throws ChainError where the arguments do not fit the ABI. */
function encodeCall({ name, abi }: Artifact, functionName: string, args: readonly unknown[]): Uint8Array {
  return hexToBytes(
    encoded(`${name}.${functionName}`, args, () => encodeFunctionData({ abi, functionName, args } as EncodeParameters)),
  )
}

type EncodeParameters = Parameters<typeof encodeFunctionData>[0]

/** What the codec makes of arguments; its complaints name no function. */
export function encoded<T>(what: string, args: readonly unknown[], encode: () => T): T {
  try {
    return encode()
  } catch (error) {
    const reason = error instanceof Error ? ('shortMessage' in error ? String(error.shortMessage) : error.message) : String(error)
    throw new ChainError(`${what} does not take ${formatArguments(args)}: ${reason}`, { cause: error })
  }
}

function decodeResult({ name, abi }: Artifact, functionName: string, args: readonly unknown[], data: Uint8Array): unknown {
  try {
    return decodeFunctionResult({ abi, functionName, args, data: bytesToHex(data) } as Parameters<typeof decodeFunctionResult>[0])
  } catch (error) {
    throw new ChainError(`${name}.${functionName} returned what its ABI does not say: is the artifact that of the contract?`, {
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
