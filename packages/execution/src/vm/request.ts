import type { Result } from '@quoin/protocol'
import type { Ticks } from '../ticks.ts'
import type { CompileError } from './compile-error.ts'
import type { HostRefusal, HostStop } from './host-function.ts'
import type { Image } from './image.ts'
import type { CallOutcome } from './outcome.ts'
import type { GuestValue } from './value.ts'

/** Resources that a guest may use. */
export interface Budget {
  readonly gas: Ticks
  /** Call depth in bytes; at most VM_LIMITS.depthBytesMax, which is the default. */
  readonly depthBytes?: number
  /** Growth of the heap in bytes; at most VM_LIMITS.memoryBytesMax, which is the default. */
  readonly memoryBytes?: number
}

export interface CompileRequest extends Budget {
  /** An ECMAScript module that imports nothing. */
  readonly source: string
  /** Handlers of the host functions during evaluation; none by default. */
  readonly handlers?: HostHandlers
  /** What handlers get as `HostContext.scope`. */
  readonly scope?: unknown
}

/** A contract ready to be called. */
export interface ContractImage extends Image {
  /** JSValue* of each entry, by name. */
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

/** Runs a host function in one interpreter call. Throws only because of bugs. */
export type HostHandler = (context: HostContext, ...values: never[]) => GuestValue | HostRefusal | HostStop

/** Handlers by name. A host function without a handler throws in the guest. */
export type HostHandlers = Readonly<Record<string, HostHandler>>

/** What a handler can read and request. */
export interface HostContext {
  /** The `scope` of the running request: it tells one static table of handlers which call they serve. */
  readonly scope: unknown
  readonly gasLeft: number
  /**
   * Charges gas to the guest. Throws through the handler when too little is left, so the handler must not have changed anything
   * before.
   */
  charge(gas: number): void
  /**
   * Runs another image with the remaining depth and memory of this call, and at most `gas` of its remaining gas; charges what it
   * used. A fault in the nested call is a fault of this call and is thrown.
   */
  call(request: Omit<CallRequest, 'depthBytes' | 'memoryBytes'>): Exclude<CallOutcome, { kind: 'fault' }>
  /** Evaluates a module on the remaining budget, in the same way. */
  compile(request: Omit<CompileRequest, 'depthBytes'>): Result<Compiled, Exclude<CompileError, { kind: 'fault' }>>
}

export interface Interpreter {
  /** Evaluates a module and takes an image of the result. */
  compile(request: CompileRequest): Result<Compiled, CompileError>
  /**
   * Calls an entry of an image. The call leaves no trace in the interpreter.
   *
   * @throws Error when the image has no such entry, and whatever a handler throws
   */
  call(request: CallRequest): CallOutcome
  /**
   * Encodes an image as its differences from the base image. An interpreter with the same description (`describeInterpreter`) can
   * decode it, also in another process. The bytes are derived data and carry no checksum.
   */
  packImage(image: ContractImage): Uint8Array
  /** Decodes a packed image; undefined for another format or bytes that do not fit this interpreter. */
  unpackImage(bytes: Uint8Array): ContractImage | undefined
}
