import type { Unreadable } from './read-value.ts'
import type { GuestValue } from './value.ts'

/**
 * Type that a host function demands of an argument; a guest that passes another gets a TypeError. `any` is a scalar or bytes, undefined and
 * null included; `value` is that or an array or plain object of such, nested at most VM_LIMITS.nestingMax deep.
 */
export type HostKind = 'string' | 'bytes' | 'number' | 'bigint' | 'boolean' | 'any' | 'value'

/** A host function as guests see it. The table of an interpreter, its order included, is part of the execution version. */
export interface HostFunction {
  readonly name: string
  /** Price of a call, besides what every call and byte costs (`gas.ts`). A handler charges what depends on its arguments. */
  readonly gas: number
  readonly parameters: readonly HostKind[]
  /**
   * Type of each argument after `parameters`; without it those are ignored. At most VM_LIMITS.argumentsMax arguments in all: more are
   * refused.
   */
  readonly rest?: HostKind
}

export type HostTable = readonly HostFunction[]

/** What the guest's Error is besides its message. */
export interface RefusalDetails {
  /** Its name; of a native error (`TypeError`) also its prototype. `Error` without. */
  readonly name?: string
  /** Its property `data`, a Uint8Array in the guest. */
  readonly data?: Uint8Array
}

/** Answer of a handler: the guest's call throws an Error with this message, which it may catch. */
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

/** Answer of a handler: the whole call of the interpreter ends now, with this reason; the guest cannot prevent it. */
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

/** Why arguments do not fit a function, in the words of the guest's TypeError. */
export function mismatch(name: string, position: number, kind: HostKind, unreadable?: Unreadable): string {
  const text = `${name}: argument ${position + 1} must be ${KIND_NAMES[kind]}`
  return kind === 'value' && unreadable !== undefined ? `${text}; it is or contains ${unreadable.what}` : text
}

/** Whether a value that was read is of a kind. */
export function fits(value: GuestValue, kind: HostKind): boolean {
  if (kind === 'any' || kind === 'value') return true
  return kind === 'bytes' ? value instanceof Uint8Array : typeof value === kind
}
