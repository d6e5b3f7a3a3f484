import type { CallRequest } from './engine.ts'
import type { CallOutcome } from './outcome.ts'
import type { GuestValue } from './value.ts'

/** Type that a host function demands of an argument; a guest that passes another gets a TypeError. */
export type HostKind = 'string' | 'bytes' | 'number' | 'bigint' | 'boolean' | 'any'

/** A host function as guests see it. The table of an engine, its order included, is part of the execution version. */
export interface HostFunction {
  readonly name: string
  /** Price of a call, besides what every call and byte costs (`gas.ts`). A handler charges what depends on its arguments. */
  readonly gas: number
  readonly parameters: readonly HostKind[]
}

export type HostTable = readonly HostFunction[]

/** What a host function does in one call of the engine. Throws only for bugs. */
export type HostHandler = (context: HostContext, ...values: never[]) => GuestValue | HostRefusal | HostStop

/** Handlers by the names of the table. A function without one throws in the guest. */
export type HostHandlers = Readonly<Record<string, HostHandler>>

/** Answer of a handler: the guest's call throws an Error with this message, which it may catch. */
export class HostRefusal {
  readonly message: string
  constructor(message: string) {
    this.message = message
  }
}

/** Answer of a handler: the whole call of the engine ends now, with this reason; the guest cannot prevent it. */
export class HostStop {
  readonly reason: unknown
  constructor(reason: unknown) {
    this.reason = reason
  }
}

/** What a handler may do besides answering. */
export interface HostContext {
  readonly gasLeft: number
  /** Takes gas from the guest. Does not return when that is more than is left: the handler must have changed nothing before. */
  charge(gas: number): void
  /**
   * Runs another image on what is left of this call's depth and memory, and of its gas at most `gas`; takes what it used. A fault in it
   * is a fault of this call, and does not return.
   */
  call(request: Omit<CallRequest, 'depthBytes' | 'memoryBytes'>): Exclude<CallOutcome, { kind: 'fault' }>
}

const KIND_NAMES: Readonly<Record<HostKind, string>> = {
  string: 'a string',
  bytes: 'a Uint8Array',
  number: 'a number',
  bigint: 'a bigint of at most 288 bits',
  boolean: 'a boolean',
  any: 'a string, number, bigint, boolean or Uint8Array',
}

/** Why arguments do not fit a function, in the words of the guest's TypeError. */
export const mismatch = (name: string, position: number, kind: HostKind): string =>
  `${name}: argument ${position + 1} must be ${KIND_NAMES[kind]}`

export function fits(value: unknown, kind: HostKind): boolean {
  if (kind === 'any') return typeof value !== 'symbol'
  return kind === 'bytes' ? value instanceof Uint8Array : typeof value === kind
}

/** Bytes that a value took to copy. */
export function copiedBytes(value: GuestValue): number {
  if (typeof value === 'string') return value.length
  return value instanceof Uint8Array ? value.length : 0
}
