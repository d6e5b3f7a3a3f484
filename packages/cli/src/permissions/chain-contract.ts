import { decodeErrorString, SYSTEM_ADDRESS } from '@quoin/execution'
import {
  type AbiFunction,
  type AbiValue,
  CHAIN_ABI,
  compileAbi,
  decodeArguments,
  encodeWithSelector,
} from '@quoin/execution/contract'
import { bytesToHex, concatBytes, nobleCrypto as crypto, type Hex, parseHex, unwrap } from '@quoin/protocol'

/** The chain contract from outside: its calls, answers, events and errors. */

const ABI = unwrap(compileAbi(crypto, CHAIN_ABI))
const FUNCTIONS = new Map([...ABI.functions.values()].map((called) => [called.name, called]))
const EVENTS = new Map([...ABI.events.values()].map((event) => [event.topic as string, event]))

/** Values by the names of their parameters. */
export type Named = Readonly<Record<string, AbiValue>>

/** A value that the ABI says is a text or an address. */
export const textIn = (value: AbiValue | undefined): string => (typeof value === 'string' ? value : '')

export interface ChainCall {
  readonly name: string
  readonly values: readonly AbiValue[]
}

export interface NamedItem {
  readonly name: string
  readonly values: Named
}

function functionOf(name: string): AbiFunction {
  const found = FUNCTIONS.get(name)
  if (found === undefined) throw new Error(`the chain contract has no function ${name}`)
  return found
}

const named = (members: readonly { readonly name: string }[], values: readonly AbiValue[]): Named =>
  Object.fromEntries(members.map(({ name }, i) => [name, values[i]!]))

/** The values of a call by the names of its parameters. */
export const namedValues = ({ name, values }: ChainCall): Named => named(functionOf(name).inputs.members, values)

/**
 * Encodes a call.
 *
 * @throws Error for values that do not fit the ABI: callers check them before
 */
export function encodeCall({ name, values }: ChainCall): Hex {
  const { selector, inputs } = functionOf(name)
  const encoded = encodeWithSelector(crypto, selector, inputs, values)
  if (!encoded.ok) throw new Error(`${name}: ${encoded.error.message}`)
  return bytesToHex(encoded.value)
}

/** Reads the answer of a view. Undefined when it is not one of this ABI. */
export function decodeAnswer(name: string, data: unknown): Named | undefined {
  const bytes = typeof data === 'string' ? parseHex(data) : undefined
  const { outputs } = functionOf(name)
  const decoded = bytes && decodeArguments(crypto, outputs, bytes)
  return decoded?.ok === true ? named(outputs.members, decoded.value) : undefined
}

/** A log as JSON-RPC has it. */
export interface RpcLog {
  readonly address?: unknown
  readonly topics?: unknown
  readonly data?: unknown
}

/** Reads an event of the chain contract from a log; undefined for any other log. */
export function decodeEvent(log: RpcLog): NamedItem | undefined {
  const { address, topics, data } = log
  if (address !== SYSTEM_ADDRESS || !Array.isArray(topics) || typeof data !== 'string') return undefined
  const event = EVENTS.get(String(topics[0]))
  const bytes = parseHex(data)
  const words = topics.slice(1).map((topic) => parseHex(String(topic)) ?? new Uint8Array(0))
  if (event === undefined || bytes === undefined) return undefined
  const indexed = event.parameters.filter((field) => field.indexed)
  const own = { ...event.data, members: indexed.map(({ name, type }) => ({ name, type })), membersBytes: 32 * indexed.length }
  // Indexed parameters of the chain contract are words, so their topics are their encoding.
  const [first, rest] = [decodeArguments(crypto, own, concatBytes(...words)), decodeArguments(crypto, event.data, bytes)]
  if (!first.ok || !rest.ok) return undefined
  const values = { ...named(own.members, first.value), ...named(event.data.members, rest.value) }
  return { name: event.name, values: Object.fromEntries(event.parameters.map(({ name }) => [name, values[name]!])) }
}

/** Reads an error: one of the contract's, or Solidity's `Error(string)` under the name `Error`. */
export function decodeRefusal(data: unknown): NamedItem | undefined {
  const bytes = typeof data === 'string' ? parseHex(data) : undefined
  if (bytes === undefined || bytes.length < 4) return undefined
  const text = decodeErrorString(bytes)
  if (text !== undefined) return { name: 'Error', values: { message: text } }
  const error = ABI.errors.get(new DataView(bytes.buffer, bytes.byteOffset).getUint32(0))
  const decoded = error && decodeArguments(crypto, error.inputs, bytes.subarray(4))
  return decoded?.ok === true ? { name: error!.name, values: named(error!.inputs.members, decoded.value) } : undefined
}
