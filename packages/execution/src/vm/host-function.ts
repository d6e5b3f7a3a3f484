import type { Unreadable } from './read-value.ts'
import type { GuestValue } from './value.ts'

/**
 * Type that a host function requires of an argument; any other argument is a TypeError in the guest. `any` is a scalar or bytes,
 * undefined and null included. `value` is `any`, or an array or plain object of such values, nested at most VM_LIMITS.nestingMax
 * deep.
 */
export type HostKind = 'string' | 'bytes' | 'number' | 'bigint' | 'boolean' | 'any' | 'value'

/**
 * A host function as guests see it. The interpreter's table of host functions, its order included, is part of the execution
 * version.
 */
export interface HostFunction {
  readonly name: string
  /**
   * Price of a call in ticks, in addition to the price of every call and byte (`vm-gas.ts`). The handler charges the part that
   * depends on the arguments.
   */
  readonly gas: number
  readonly parameters: readonly HostKind[]
  /**
   * Type of each argument after `parameters`. If it is missing, further arguments are ignored. A call has at most
   * VM_LIMITS.argumentsMax arguments; a call with more is refused.
   */
  readonly rest?: HostKind
}

export type HostTable = readonly HostFunction[]

/** Name and data of the Error that the guest sees. */
export interface RefusalDetails {
  /** Name of the error. A native name (`TypeError`) also sets the prototype. The default is `Error`. */
  readonly name?: string
  /** The error's property `data`, a Uint8Array in the guest. */
  readonly data?: Uint8Array
}

/** A handler returns this to make the guest's call throw an Error with this message. The guest may catch it. */
export class HostRefusal {
  readonly message: string
  readonly name: string | undefined
  readonly data: Uint8Array | undefined
  constructor(message: string, details: RefusalDetails = {}) {
    this.message = message
    this.name = details.name
    this.data = details.data
  }
}

/** A handler returns this to end the whole interpreter call with this reason. The guest cannot catch it. */
export class HostStop {
  readonly reason: unknown
  constructor(reason: unknown) {
    this.reason = reason
  }
}

const KIND_NAMES: Readonly<Record<HostKind, string>> = {
  string: 'a string',
  bytes: 'a Uint8Array',
  number: 'a number',
  bigint: 'a bigint of at most 288 bits',
  boolean: 'a boolean',
  any: 'a string, number, bigint, boolean or Uint8Array',
  value: 'a string, number, bigint, boolean, Uint8Array, or an array or plain object of these',
}

/** Message of the guest's TypeError when an argument has the wrong type. */
export function mismatch(name: string, position: number, kind: HostKind, unreadable?: Unreadable): string {
  const text = `${name}: argument ${position + 1} must be ${KIND_NAMES[kind]}`
  return kind === 'value' && unreadable !== undefined ? `${text}; it is or contains ${unreadable.what}` : text
}

/** Whether a value that was read from the guest has the required type. */
export function fits(value: GuestValue, kind: HostKind): boolean {
  if (kind === 'any' || kind === 'value') return true
  return kind === 'bytes' ? value instanceof Uint8Array : typeof value === kind
}
