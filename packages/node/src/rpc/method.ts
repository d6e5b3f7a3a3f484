import type { z } from 'zod'
import type { Client } from '../fair-queue.ts'
import { invalidParams } from './errors.ts'
import type { Topic } from './hub.ts'
import type { RpcLimits } from './limits.ts'
import { Misfit, type Reader, readBy } from './reader.ts'
import type { Shared } from './shared.ts'

/** Who calls, and within which bounds. Every method receives one. */
export interface CallContext {
  readonly identity: Identity
  /** Aborted when the client is gone, the time is up, or the server stops. */
  readonly signal: AbortSignal
  /** The same, without a signal. */
  readonly isGivenUp: boolean
  /** Whether the clients' work has held the loop for a slice: what goes on waits for `nextTurn` first. */
  isSliceOver(): boolean
  /** Resolves when it is this client's turn. Rejects when the call was given up meanwhile. */
  nextTurn(): Promise<void>
  /** Counts bytes of an answer that is being made, until the call ends. */
  hold(bytes: number): void
  readonly limits: RpcLimits
  readonly shared: Shared
  /** How results are pushed; only on a WebSocket. */
  readonly connection: Connection | undefined
}

/** What the server knows of the caller. */
export type Identity = Client

/** A WebSocket connection as its subscriptions see it. */
export interface Connection {
  /** Pushes notifications from now on, and returns the subscription's id. Throws RpcError when there are too many. */
  subscribe(topic: Topic): string
  /** False when this connection has no such subscription. */
  unsubscribe(id: string): boolean
}

/** One JSON-RPC method: its checked parameters and what it answers. */
export interface Method<Backend> {
  /** The result, or a promise of it. Throws RpcError for wrong parameters, or what the method itself throws. */
  run(backend: Backend, params: unknown, call: CallContext): unknown
}

export type Methods<Backend> = Readonly<Record<string, Method<Backend>>>

/** How a parameter is read: by a schema where its size is bounded anyway, else by hand. */
export type Parameter = z.ZodType | Reader<unknown>
type Read<P> = P extends z.ZodType ? z.output<P> : P extends Reader<infer T> ? T : never

/**
 * A method with parameters by position. Trailing optional ones may be absent or null; surplus ones are refused only if the method
 * would misread them, and stock clients never send any, so they are an error.
 */
export function method<Backend, const P extends readonly Parameter[]>(
  parameters: P,
  run: (backend: Backend, params: { -readonly [K in keyof P]: Read<P[K]> }, call: CallContext) => unknown,
): Method<Backend> {
  return {
    run(backend, params, call) {
      return run(backend, parseParams(parameters, params, call.limits) as never, call)
    },
  }
}

function parseParams(parameters: readonly Parameter[], params: unknown, limits: RpcLimits): unknown[] {
  const given = params ?? []
  if (!Array.isArray(given)) throw invalidParams('params must be a list')
  if (given.length > parameters.length)
    throw invalidParams(`too many params: ${given.length}, at most ${parameters.length} are taken`)
  return parameters.map((parameter, i) => readParam(parameter, given[i], i, limits))
}

/** Throws RpcError where it is not as it must be. */
export function readParam<P extends Parameter>(parameter: P, value: unknown, i: number, limits: RpcLimits): Read<P> {
  try {
    const given = value ?? undefined
    return ('read' in parameter ? parameter.read(given, limits) : readBy(parameter, given)) as Read<P>
  } catch (failure) {
    if (!(failure instanceof Misfit)) throw failure
    throw invalidParams(value === undefined ? `missing param ${i}` : `invalid param ${i}: ${failure.description}`)
  }
}
