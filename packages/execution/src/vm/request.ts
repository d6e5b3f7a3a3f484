import type { Result } from '@quoin/protocol'
import type { Ticks } from '../ticks.ts'
import type { CompileError } from './compile-error.ts'
import type { HostRefusal, HostStop } from './host-function.ts'
import type { Image } from './image.ts'
import type { CallOutcome } from './outcome.ts'
import type { GuestValue } from './value.ts'

/** What a guest may use up. */
export interface Budget {
  readonly gas: Ticks
  /** At most VM_LIMITS.depthBytesMax, which is the default. */
  readonly depthBytes?: number
  /** Growth of the heap; at most VM_LIMITS.memoryBytesMax, which is the default. */
  readonly memoryBytes?: number
}

export interface CompileRequest extends Budget {
  /** An ECMAScript module that imports nothing. */
  readonly source: string
  /** What host functions do while the module is evaluated; none by default. */
  readonly handlers?: HostHandlers
  /** What handlers get as `HostContext.scope`. */
  readonly scope?: unknown
}

/** A contract ready to be called. */
export interface ContractImage extends Image {
  /** JSValue* of its entries by name. */
  readonly entries: ReadonlyMap<string, number>
}

export interface CallRequest extends Budget {
  readonly image: ContractImage
  readonly entry: string
  /** At most VM_LIMITS.argumentsMax. */
  readonly values: readonly GuestValue[]
  readonly handlers: HostHandlers
  /** What handlers get as `HostContext.scope`. */
  readonly scope?: unknown
}

export interface Compiled {
  readonly image: ContractImage
  readonly gasUsed: Ticks
}

/** What a host function does in one call of the interpreter. Throws only for bugs. */
export type HostHandler = (context: HostContext, ...values: never[]) => GuestValue | HostRefusal | HostStop

/** Handlers by the names of the table. A function without one throws in the guest. */
export type HostHandlers = Readonly<Record<string, HostHandler>>

/** What a handler may do besides answering. */
export interface HostContext {
  /** The `scope` of the request that runs: what one static table of handlers needs to know of it. */
  readonly scope: unknown
  readonly gasLeft: number
  /** Takes gas from the guest. Does not return when that is more than is left: the handler must have changed nothing before. */
  charge(gas: number): void
  /**
   * Runs another image on what is left of this call's depth and memory, and of its gas at most `gas`; takes what it used. A fault in it
   * is a fault of this call, and does not return.
   */
  call(request: Omit<CallRequest, 'depthBytes' | 'memoryBytes'>): Exclude<CallOutcome, { kind: 'fault' }>
  /** Evaluates a module on what is left, in the same way. */
  compile(request: Omit<CompileRequest, 'depthBytes'>): Result<Compiled, Exclude<CompileError, { kind: 'fault' }>>
}

export interface Interpreter {
  /** Evaluates a module and keeps what came of it. */
  compile(request: CompileRequest): Result<Compiled, CompileError>
  /** Calls an entry of an image; nothing of the call stays in the interpreter. Throws when the image has no such entry, and what a handler throws. */
  call(request: CallRequest): CallOutcome
  /**
   * What of an image is its own, as bytes: an interpreter with the same description (`describeInterpreter`) makes the image of them again, in
   * another process too. Derived data; the bytes carry no checksum.
   */
  packImage(image: ContractImage): Uint8Array
  /** The image of such bytes; undefined when they have another format or do not fit the interpreter. */
  unpackImage(bytes: Uint8Array): ContractImage | undefined
}
