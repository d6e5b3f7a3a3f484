import type { Address } from '@quoin/protocol'
import type { z } from 'zod'
import type { Client } from '../fair-queue.ts'
import { invalidParams, type Refusal } from './errors.ts'
import type { Schema } from './forms/json-schema.ts'
import type { Topic } from './hub.ts'
import type { RpcLimits } from './limits.ts'
import { Misfit, type Reader, readBy } from './reader.ts'
import type { Shared } from './shared.ts'
import type { Position } from './streams/position.ts'
import type { StreamSource } from './streams/source.ts'
import type { OpenStream } from './streams/stream-hub.ts'
import type { Turn } from './turns.ts'

/** The caller of a method, and the limits of the call. Every method receives one. */
export interface CallContext extends Turn {
  readonly identity: Identity
  /** Aborted when the client is gone, the request timed out, or the server stops. */
  readonly signal: AbortSignal
  /** The same condition, without creating a signal. */
  readonly isGivenUp: boolean
  /** How long requests of this call may still wait for the head to reach their `minHeight`, in milliseconds. */
  waitMs(): number
  /** Counts bytes of a response that is being made, until the call ends. */
  hold(bytes: number): void
  /**
   * Charges rate limit units that the call costs beyond its weight (`weights.ts`). The call goes on even if too few are left: then the
   * client's next calls wait.
   */
  charge(units: number): void
  /** Runs an action when the call has ended, which is when its response is about to be sent. */
  onEnd(action: () => void): void
  readonly limits: RpcLimits
  readonly shared: Shared
  /** Pushes notifications. Defined only on a WebSocket. */
  readonly connection: Connection | undefined
}

/** What the server knows about the caller. With a valid token, `remote` is the account that it names, so that quotas are by account. */
export interface Identity extends Client {
  /** Whom the token of the request names; undefined without a token. */
  readonly account?: Address | undefined
  /** Time from which the token counts no longer; undefined without a token. */
  readonly expiresMs?: number | undefined
  /** Why the token does not count. Then every request is refused with it. */
  readonly fault?: Refusal | undefined
}

/** A WebSocket connection, for methods that manage its subscriptions. */
export interface Connection {
  /** Starts to push notifications and returns the subscription's id. Throws RpcError if there are too many. */
  subscribe(topic: Topic): string
  /** Returns false if this connection has no such subscription. */
  unsubscribe(id: string): boolean
  /** Opens a stream, which its `begin` starts. Throws RpcError if there are too many. */
  openStream(source: StreamSource, position: Position): OpenStream
  /** Undefined if this connection has no such stream. */
  streamOf(id: string): OpenStream | undefined
  /** Returns false if this connection has no such stream. */
  endStream(id: string): boolean
}

/** One JSON-RPC method. */
export interface Method<Backend> {
  /** Checks the parameters and returns the result, or a promise of it. Throws RpcError for invalid parameters. */
  run(backend: Backend, params: unknown, call: CallContext): unknown
  /** Undefined for a method that always refuses: `rpc.discover` leaves it out. */
  readonly description?: MethodDescription
}

/** What a method takes and answers, for `rpc.discover`. */
export interface MethodDescription extends Signature<readonly Parameter[]> {
  readonly parameters: readonly Parameter[]
}

/** The words that describe a method beside its parameters. */
export interface Signature<P extends readonly Parameter[]> {
  /** What it answers, in one sentence. */
  readonly summary: string
  /** The names of its parameters. */
  readonly params: { readonly [K in keyof P]: string }
  readonly result: Schema
}

export type Methods<Backend> = Readonly<Record<string, Method<Backend>>>

/** How a parameter is read: with a zod schema if its size is bounded, otherwise by hand. */
export type Parameter = z.ZodType | Reader<unknown>
type Read<P> = P extends z.ZodType ? z.output<P> : P extends Reader<infer T> ? T : never

/**
 * Defines a method with positional parameters. Its signature names and describes them, in the same order. Trailing optional ones may be absent or null. Surplus ones are an error: standard clients
 * never send any.
 */
export function method<Backend, const P extends readonly Parameter[]>(
  signature: Signature<NoInfer<P>>,
  parameters: P,
  run: (backend: Backend, params: { -readonly [K in keyof P]: Read<P[K]> }, call: CallContext) => unknown,
): Method<Backend> {
  return {
    description: { ...signature, parameters },
    run(backend, params, call) {
      return run(backend, parseParams(parameters, params, call.limits) as never, call)
    },
  }
}

function parseParams(parameters: readonly Parameter[], params: unknown, limits: RpcLimits): unknown[] {
  const given = params ?? []
  if (!Array.isArray(given)) throw invalidParams('params must be an array')
  if (given.length > parameters.length) throw invalidParams(`too many params: ${given.length}, the limit is ${parameters.length}`)
  return parameters.map((parameter, i) => readParam(parameter, given[i], i, limits))
}

/** Reads one parameter. Throws RpcError if it is missing or invalid. */
export function readParam<P extends Parameter>(parameter: P, value: unknown, i: number, limits: RpcLimits): Read<P> {
  try {
    const given = value ?? undefined
    return ('read' in parameter ? parameter.read(given, limits) : readBy(parameter, given)) as Read<P>
  } catch (failure) {
    if (!(failure instanceof Misfit)) throw failure
    throw invalidParams(value === undefined ? `missing param ${i}` : `invalid param ${i}: ${failure.description}`)
  }
}
