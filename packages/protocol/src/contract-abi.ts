import { err, ok, type Result } from './result.ts'

/**
 * A contract's ABI as JSON, in the form that solc writes and viem and ethers read. An ABI has one canonical text (`formatAbi`): without white space,
 * with the keys in the order of the types below. The contract container has this text, so JSON.parse reads the ABI from a contract's code. Nodes
 * refuse every other text.
 */
export type Abi = readonly AbiItem[]

export interface AbiParameter {
  /** Empty for a parameter without a name. */
  readonly name: string
  /** Solidity's canonical name: `uint256`, not `uint`. For a struct `tuple`, with array suffixes if there are any. */
  readonly type: string
  /** Members of a struct. Absent for other types. */
  readonly components?: readonly AbiParameter[]
}

export interface AbiEventParameter extends AbiParameter {
  readonly indexed: boolean
}

export type StateMutability = 'pure' | 'view' | 'nonpayable' | 'payable'
type Creation = Extract<StateMutability, 'nonpayable' | 'payable'>

export type AbiItem =
  | { readonly type: 'constructor'; readonly inputs: readonly AbiParameter[]; readonly stateMutability: Creation }
  | {
      readonly type: 'function'
      readonly name: string
      readonly inputs: readonly AbiParameter[]
      readonly outputs: readonly AbiParameter[]
      readonly stateMutability: StateMutability
    }
  | {
      readonly type: 'event'
      readonly name: string
      readonly inputs: readonly AbiEventParameter[]
      readonly anonymous: boolean
    }
  | { readonly type: 'error'; readonly name: string; readonly inputs: readonly AbiParameter[] }
  | { readonly type: 'receive'; readonly stateMutability: 'payable' }
  | { readonly type: 'fallback'; readonly stateMutability: Creation }

export interface AbiSyntaxError {
  readonly code: 'abi'
  /** Begins with the path, such as `abi[3].inputs[0].type`. Contains no text of the JavaScript engine, so it is the same on every machine. */
  readonly message: string
}

/** Limits of an ABI. They are part of the protocol. */
export const ABI_LIMITS = {
  itemsMax: 512,
  /** Parameters of one item or members of one struct. */
  parametersMax: 64,
  /** Levels of structs and arrays within each other. */
  nestingMax: 16,
  nameCharsMax: 128,
  typeCharsMax: 128,
} as const

class AbiFailure extends Error {}

/**
 * Reads an ABI from parsed JSON, for example of solc. Keys that do not belong to an ABI, such as `internalType`, are dropped.
 *
 * @param json the result of JSON.parse.
 */
export function parseAbi(json: unknown): Result<Abi, AbiSyntaxError> {
  try {
    return ok(readList(json, 'abi', ABI_LIMITS.itemsMax, readItem))
  } catch (failure) {
    if (failure instanceof AbiFailure) return err({ code: 'abi', message: failure.message })
    throw failure
  }
}

/** The canonical text of an ABI. ASCII. */
export const formatAbi = (abi: Abi): string => JSON.stringify(abi.map(ordered))

/** Reads an ABI from its canonical text. Any other text is refused. */
export function parseAbiText(text: string): Result<Abi, AbiSyntaxError> {
  const json = parseJson(text)
  if (json === undefined) return err({ code: 'abi', message: 'abi is not JSON' })
  const abi = parseAbi(json)
  if (!abi.ok) return abi
  const canonical = formatAbi(abi.value)
  if (canonical === text) return abi
  let same = 0
  while (canonical[same] === text[same]) same++
  return err({ code: 'abi', message: `abi is not in canonical form: it differs at character ${same}` })
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Copies an item and its parameters with the keys in canonical order. */
function ordered(item: AbiItem): object {
  const { type } = item
  switch (type) {
    case 'constructor':
      return { type, inputs: item.inputs.map(orderedParameter), stateMutability: item.stateMutability }
    case 'function': {
      const { name, inputs, outputs, stateMutability } = item
      return { type, name, inputs: inputs.map(orderedParameter), outputs: outputs.map(orderedParameter), stateMutability }
    }
    case 'event': {
      const { name, inputs, anonymous } = item
      return { type, name, inputs: inputs.map((input) => ({ ...orderedParameter(input), indexed: input.indexed })), anonymous }
    }
    case 'error':
      return { type, name: item.name, inputs: item.inputs.map(orderedParameter) }
    default:
      return { type, stateMutability: item.stateMutability }
  }
}

const orderedParameter = ({ name, type, components }: AbiParameter): AbiParameter =>
  components === undefined ? { name, type } : { name, type, components: components.map(orderedParameter) }

type Json = Readonly<Record<string, unknown>>

function readItem(json: unknown, path: string): AbiItem {
  const item = readObject(json, path)
  const { type } = item
  switch (type) {
    case 'constructor':
      return {
        type,
        inputs: readParameters(item.inputs ?? [], `${path}.inputs`),
        stateMutability: readMutability(item, path, CREATION),
      }
    case 'function': {
      const name = readName(item.name, `${path}.name`)
      const inputs = readParameters(item.inputs ?? [], `${path}.inputs`)
      const outputs = readParameters(item.outputs ?? [], `${path}.outputs`)
      return { type, name, inputs, outputs, stateMutability: readMutability(item, path, MUTABILITIES) }
    }
    case 'event': {
      const name = readName(item.name, `${path}.name`)
      const inputs = readList(item.inputs ?? [], `${path}.inputs`, ABI_LIMITS.parametersMax, readEventParameter)
      return { type, name, inputs, anonymous: readBoolean(item.anonymous ?? false, `${path}.anonymous`) }
    }
    case 'error':
      return { type, name: readName(item.name, `${path}.name`), inputs: readParameters(item.inputs ?? [], `${path}.inputs`) }
    case 'receive':
      return { type, stateMutability: readMutability(item, path, ['payable']) }
    case 'fallback':
      return { type, stateMutability: readMutability(item, path, CREATION) }
    default:
      throw new AbiFailure(`${path}.type must be one of constructor, function, event, error, receive, fallback`)
  }
}

const CREATION = ['nonpayable', 'payable'] as const
const MUTABILITIES = ['pure', 'view', 'nonpayable', 'payable'] as const

function readMutability<T extends StateMutability>({ stateMutability }: Json, path: string, allowed: readonly T[]): T {
  const found = allowed.find((name) => name === stateMutability)
  if (found === undefined) throw new AbiFailure(`${path}.stateMutability must be one of ${allowed.join(', ')}`)
  return found
}

const readParameters = (json: unknown, path: string): readonly AbiParameter[] =>
  readList(json, path, ABI_LIMITS.parametersMax, (item, at) => readParameter(item, at, 0))

function readEventParameter(json: unknown, path: string): AbiEventParameter {
  const { indexed } = readObject(json, path)
  return { ...readParameter(json, path, 0), indexed: readBoolean(indexed ?? false, `${path}.indexed`) }
}

/** Canonical names of types. No aliases such as `uint`. No arrays of length 0: their length would cost no data. */
const TYPE =
  /^(?:address|bool|string|tuple|bytes(?:[1-9]|[12][0-9]|3[0-2])?|u?int(?:8|16|24|32|40|48|56|64|72|80|88|96|104|112|120|128|136|144|152|160|168|176|184|192|200|208|216|224|232|240|248|256))(?:\[(?:[1-9][0-9]{0,8})?\])*$/

function readParameter(json: unknown, path: string, depth: number): AbiParameter {
  const { name = '', type, components } = readObject(json, path)
  if (typeof type !== 'string' || type.length > ABI_LIMITS.typeCharsMax || !TYPE.test(type))
    throw new AbiFailure(`${path}.type is not the canonical name of a type`)
  const nesting = depth + type.split('[').length - 1
  if (nesting > ABI_LIMITS.nestingMax) throw new AbiFailure(`${path}.type nests more than ${ABI_LIMITS.nestingMax} levels`)
  const parameter = { name: name === '' ? '' : readName(name, `${path}.name`), type }
  if (!type.startsWith('tuple')) {
    if (components !== undefined) throw new AbiFailure(`${path}.components is allowed for tuples only`)
    return parameter
  }
  const members = readList(components, `${path}.components`, ABI_LIMITS.parametersMax, (item, at) =>
    readParameter(item, at, nesting + 1),
  )
  if (members.length === 0) throw new AbiFailure(`${path}.components is empty`)
  return { ...parameter, components: members }
}

/** Reads an identifier of Solidity. Refuses `__proto__`, which is special in JavaScript objects. */
function readName(json: unknown, path: string): string {
  if (typeof json !== 'string' || json.length > ABI_LIMITS.nameCharsMax || !/^[A-Za-z_$][A-Za-z0-9_$]*$/.test(json))
    throw new AbiFailure(`${path} is not an identifier of at most ${ABI_LIMITS.nameCharsMax} characters`)
  if (json === '__proto__') throw new AbiFailure(`${path} must not be __proto__`)
  return json
}

function readBoolean(json: unknown, path: string): boolean {
  if (typeof json !== 'boolean') throw new AbiFailure(`${path} is not a boolean`)
  return json
}

function readObject(json: unknown, path: string): Json {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw new AbiFailure(`${path} is not an object`)
  return json as Json
}

function readList<T>(json: unknown, path: string, max: number, read: (item: unknown, path: string) => T): readonly T[] {
  if (!Array.isArray(json)) throw new AbiFailure(`${path} is not an array`)
  if (json.length > max) throw new AbiFailure(`${path} has ${json.length} entries, at most ${max} are allowed`)
  return json.map((item: unknown, i) => read(item, `${path}[${i}]`))
}
