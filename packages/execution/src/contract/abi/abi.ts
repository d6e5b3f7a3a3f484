import {
  type Abi,
  type AbiEventParameter,
  type AbiItem,
  type AbiParameter,
  type AbiSyntaxError,
  type Crypto,
  err,
  Hash,
  ok,
  type Result,
  type StateMutability,
  utf8ToBytes,
} from '@quoin/protocol'
import { AbiFailure, fail } from './fault.ts'
import { type AbiType, type TupleType, tupleOf, typeOf } from './type.ts'

/** The part of a contract's ABI that calls and creations need: types are resolved, selectors and topics computed. */
export interface CallAbi {
  /** By selector. */
  readonly functions: ReadonlyMap<number, AbiFunction>
  /** By name; several events may share one. */
  readonly eventsByName: ReadonlyMap<string, readonly AbiEvent[]>
  readonly errorsByName: ReadonlyMap<string, readonly AbiCustomError[]>
  /** Whether the contract has `receive` for plain transfers. */
  readonly receive: boolean
  readonly fallback: { readonly payable: boolean } | undefined
  readonly creation: AbiCreation
}

/** A complete compiled ABI. */
export interface ContractAbi extends CallAbi {
  /** By signature, because several events may have the same name. */
  readonly events: ReadonlyMap<string, AbiEvent>
  /** By selector. */
  readonly errors: ReadonlyMap<number, AbiCustomError>
}

/** The constructor. An ABI without a constructor gets one without parameters that is not payable. */
export interface AbiCreation {
  readonly inputs: TupleType
  readonly payable: boolean
}

export interface AbiFunction {
  readonly name: string
  /** Name and input types; the selector is taken from its hash. */
  readonly signature: string
  /** First four bytes of calldata as a number. */
  readonly selector: number
  readonly inputs: TupleType
  readonly outputs: TupleType
  readonly mutability: StateMutability
}

export interface AbiCustomError {
  readonly name: string
  readonly signature: string
  readonly selector: number
  readonly inputs: TupleType
}

export interface AbiEvent {
  readonly name: string
  readonly signature: string
  /** Hash of the signature; undefined for an anonymous event. */
  readonly topic: Hash | undefined
  readonly parameters: readonly AbiEventField[]
  /** The parameters that are not indexed. */
  readonly data: TupleType
}

export interface AbiEventField {
  readonly name: string
  readonly type: AbiType
  readonly indexed: boolean
}

/** Solidity's own errors. No contract may define them, because their data would look like the language's errors. */
const RESERVED_ERRORS: readonly string[] = ['Error(string)', 'Panic(uint256)']
/** LOG0 to LOG4. */
const TOPICS_MAX = 4

/** Compiles an ABI. Refuses items that calldata or logs could not tell apart, and types beyond the limits. */
export function compileAbi(crypto: Crypto, abi: Abi): Result<ContractAbi, AbiSyntaxError> {
  const build = new AbiBuild(crypto)
  for (const [i, item] of abi.entries()) {
    const problem = build.add(item)
    if (problem !== undefined) return err({ code: 'abi', message: `abi[${i}]: ${problem}` })
  }
  return ok(build.finish())
}

class AbiBuild {
  readonly #crypto: Crypto
  #creation: AbiCreation | undefined
  readonly #functions = new Map<number, AbiFunction>()
  readonly #events = new Map<string, AbiEvent>()
  readonly #errors = new Map<number, AbiCustomError>()
  #receive = false
  #fallback: { readonly payable: boolean } | undefined

  constructor(crypto: Crypto) {
    this.#crypto = crypto
  }

  /** Adds an item. Returns what is wrong with it. */
  add(item: AbiItem): string | undefined {
    try {
      this.#add(item)
      return undefined
    } catch (failure) {
      if (failure instanceof AbiFailure) return failure.message
      throw failure
    }
  }

  finish(): ContractAbi {
    return {
      creation: this.#creation ?? { inputs: tupleOf([]), payable: false },
      functions: this.#functions,
      events: this.#events,
      eventsByName: byName(this.#events.values()),
      errors: this.#errors,
      errorsByName: byName(this.#errors.values()),
      receive: this.#receive,
      fallback: this.#fallback,
    }
  }

  #add(item: AbiItem): void {
    switch (item.type) {
      case 'constructor':
        wantFirst(this.#creation, 'constructor')
        this.#creation = { inputs: tupleOf(item.inputs), payable: item.stateMutability === 'payable' }
        return
      case 'receive':
        wantFirst(this.#receive || undefined, 'receive')
        this.#receive = true
        return
      case 'fallback':
        wantFirst(this.#fallback, 'fallback')
        this.#fallback = { payable: item.stateMutability === 'payable' }
        return
      case 'function': {
        const outputs = tupleOf(item.outputs)
        this.#callable(this.#functions, item, { outputs, mutability: item.stateMutability })
        return
      }
      case 'error': {
        const { signature } = this.#callable(this.#errors, item, {})
        if (RESERVED_ERRORS.includes(signature)) fail('type', `${signature} is reserved for Solidity's own errors`)
        return
      }
      default:
        this.#event(item)
    }
  }

  #callable<T extends object>(
    known: Map<number, AbiCustomError & T>,
    { name, inputs: parameters }: { readonly name: string; readonly inputs: readonly AbiParameter[] },
    rest: T,
  ): AbiCustomError {
    const inputs = tupleOf(parameters)
    const signature = name + inputs.name
    const digest = this.#hash(signature)
    const selector = new DataView(digest.buffer, digest.byteOffset).getUint32(0)
    const other = known.get(selector)
    if (other !== undefined) fail('type', `${signature} has the same selector as ${other.signature}`)
    const made = { name, signature, selector, inputs, ...rest }
    known.set(selector, made)
    return made
  }

  #event({ name, inputs, anonymous }: Extract<AbiItem, { type: 'event' }>): void {
    const signature = name + tupleOf(inputs).name
    if (this.#events.has(signature)) fail('type', `${signature} is defined twice`)
    const indexed = inputs.filter((input) => input.indexed).length
    const max = anonymous ? TOPICS_MAX : TOPICS_MAX - 1
    if (indexed > max) fail('type', `${signature} has ${indexed} indexed parameters, at most ${max} are allowed`)
    this.#events.set(signature, {
      name,
      signature,
      topic: anonymous ? undefined : Hash(this.#hash(signature)),
      parameters: inputs.map(fieldOf),
      data: tupleOf(inputs.filter((input) => !input.indexed)),
    })
  }

  readonly #hash = (text: string): Uint8Array => this.#crypto.keccak256(utf8ToBytes(text))
}

/** Groups items by name. */
export function byName<T extends { readonly name: string }>(items: Iterable<T>): ReadonlyMap<string, readonly T[]> {
  const named = new Map<string, T[]>()
  for (const item of items) {
    const others = named.get(item.name)
    if (others === undefined) named.set(item.name, [item])
    else others.push(item)
  }
  return named
}

const fieldOf = (input: AbiEventParameter): AbiEventField => ({ name: input.name, type: typeOf(input), indexed: input.indexed })

function wantFirst(known: unknown, name: string): void {
  if (known !== undefined) fail('type', `${name} is defined twice`)
}
