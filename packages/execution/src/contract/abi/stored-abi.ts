import type { Hash, StateMutability } from '@quoin/protocol'
import {
  type AbiCreation,
  type AbiCustomError,
  type AbiEvent,
  type AbiEventField,
  type AbiFunction,
  byName,
  type CallAbi,
} from './abi.ts'
import { formatParameters, parseParameters, type TupleType, tupleOfMembers } from './type.ts'

/**
 * The form in which the ABI is stored with a contract's image. It was validated when the contract was created, so it is not
 * checked again. It consists of JSON values, with parameters as text (`formatParameters`).
 */
export type StoredAbi = readonly [
  receive: boolean,
  fallback: 'none' | 'plain' | 'payable',
  functions: readonly (readonly [name: string, selector: number, mutability: StateMutability, inputs: string, outputs: string])[],
  /**
   * `indexed` has 1 for each indexed parameter and 0 for the others. An anonymous event has no topic. `signature`: see
   * `sharedSignature`.
   */
  events: readonly (readonly [name: string, topic: Hash | null, inputs: string, indexed: string, signature?: string])[],
  errors: readonly (readonly [name: string, selector: number, inputs: string, signature?: string])[],
  creation: readonly [payable: boolean, inputs: string],
]

export const storeAbi = ({ receive, fallback, functions, eventsByName, errorsByName, creation }: CallAbi): StoredAbi => [
  receive,
  fallback === undefined ? 'none' : fallback.payable ? 'payable' : 'plain',
  [...functions.values()].map(({ name, selector, mutability, inputs, outputs }) => [
    name,
    selector,
    mutability,
    formatParameters(inputs),
    formatParameters(outputs),
  ]),
  [...eventsByName.values()]
    .flat()
    .map((event) => [
      event.name,
      event.topic ?? null,
      formatParameters(tupleOfMembers(event.parameters)),
      event.parameters.map(({ indexed }) => (indexed ? '1' : '0')).join(''),
      ...sharedSignature(event, eventsByName),
    ]),
  [...errorsByName.values()]
    .flat()
    .map((error) => [error.name, error.selector, formatParameters(error.inputs), ...sharedSignature(error, errorsByName)]),
  [creation.payable, formatParameters(creation.inputs)],
]

/** Signature of an item whose name is not unique. Only those are looked up by signature. */
const sharedSignature = <T extends { readonly name: string; readonly signature: string }>(
  { name, signature }: T,
  byName: ReadonlyMap<string, readonly T[]>,
): [string?] => (byName.get(name)!.length > 1 ? [signature] : [])

/** Restores a stored ABI. Types are parsed lazily, because a call needs those of only one function. */
export function loadAbi([receive, fallback, functions, events, errors, creation]: StoredAbi): CallAbi {
  const callables = functions.map(
    ([name, selector, mutability, inputs, outputs]) => new StoredFunction(name, selector, mutability, inputs, outputs),
  )
  return {
    receive,
    fallback: fallback === 'none' ? undefined : { payable: fallback === 'payable' },
    functions: new Map(callables.map((one) => [one.selector, one])),
    eventsByName: byName(
      events.map(
        ([name, topic, inputs, indexed, signature]) => new StoredEvent(name, topic ?? undefined, inputs, indexed, signature),
      ),
    ),
    errorsByName: byName(
      errors.map(([name, selector, inputs, signature]) => new StoredCallable(name, selector, inputs, signature)),
    ),
    creation: new StoredCreation(...creation),
  }
}

class StoredCreation implements AbiCreation {
  readonly payable: boolean
  readonly #inputsText: string
  #inputs: TupleType | undefined

  constructor(payable: boolean, inputs: string) {
    this.payable = payable
    this.#inputsText = inputs
  }

  get inputs(): TupleType {
    this.#inputs ??= parseParameters(this.#inputsText)
    return this.#inputs
  }
}

class StoredCallable implements AbiCustomError {
  readonly name: string
  readonly selector: number
  readonly #inputsText: string
  #inputs: TupleType | undefined
  #signature: string | undefined

  constructor(name: string, selector: number, inputs: string, signature?: string) {
    this.name = name
    this.selector = selector
    this.#inputsText = inputs
    this.#signature = signature
  }

  get inputs(): TupleType {
    this.#inputs ??= parseParameters(this.#inputsText)
    return this.#inputs
  }

  get signature(): string {
    this.#signature ??= this.name + this.inputs.name
    return this.#signature
  }
}

class StoredFunction extends StoredCallable implements AbiFunction {
  readonly mutability: StateMutability
  readonly #outputsText: string
  #outputs: TupleType | undefined

  constructor(name: string, selector: number, mutability: StateMutability, inputs: string, outputs: string) {
    super(name, selector, inputs)
    this.mutability = mutability
    this.#outputsText = outputs
  }

  get outputs(): TupleType {
    this.#outputs ??= parseParameters(this.#outputsText)
    return this.#outputs
  }
}

class StoredEvent implements AbiEvent {
  readonly name: string
  readonly topic: Hash | undefined
  readonly #inputsText: string
  readonly #indexed: string
  #parameters: readonly AbiEventField[] | undefined
  #data: TupleType | undefined
  #signature: string | undefined

  constructor(name: string, topic: Hash | undefined, inputs: string, indexed: string, signature?: string) {
    this.name = name
    this.topic = topic
    this.#inputsText = inputs
    this.#indexed = indexed
    this.#signature = signature
  }

  get parameters(): readonly AbiEventField[] {
    this.#parameters ??= parseParameters(this.#inputsText).members.map(({ name, type }, i) => ({
      name,
      type,
      indexed: this.#indexed[i] === '1',
    }))
    return this.#parameters
  }

  get data(): TupleType {
    this.#data ??= tupleOfMembers(this.parameters.flatMap(({ name, type, indexed }) => (indexed ? [] : { name, type })))
    return this.#data
  }

  get signature(): string {
    this.#signature ??= this.name + tupleOfMembers(this.parameters).name
    return this.#signature
  }
}
