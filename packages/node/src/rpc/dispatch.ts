import type { Result } from '@quoin/protocol'
import { type Awaitable, isPromise, whenThere } from '../awaitable.ts'
import type { Allowances } from './allowance.ts'
import { type Refusal, RpcError, refusal } from './errors.ts'
import { ExactNumber, idText } from './exact-id.ts'
import { JsonText } from './json-text.ts'
import type { CallContext, Identity, Methods } from './method.ts'
import { whenReached } from './min-height.ts'
import { parseRequests, type RequestText } from './request-text.ts'
import { isShed } from './shedding.ts'
import { REFUSED_WEIGHT, weightOf, weightOfText } from './weights.ts'

export interface RpcLogger {
  error(fields: object, message: string): void
}

/** A response to the client: JSON in pieces. */
export interface Answer {
  readonly pieces: readonly string[]
  /** Set if the rate limit refused every request: the client may retry after this many milliseconds. */
  readonly retryAfterMs: number | undefined
}

/** The response to one request, as text. */
interface Response {
  readonly id: unknown
  readonly pieces: readonly string[]
  readonly length: number
  readonly retryAfterMs?: number
}

const responseOf = (id: unknown, pieces: readonly string[]): Response => ({
  id,
  pieces,
  length: pieces.reduce((sum, piece) => sum + piece.length, 0),
})

function failure(id: unknown, { code, message, data }: Refusal): Response {
  return responseOf(id, [`{"jsonrpc":"2.0","id":${idText(id)},"error":${JSON.stringify({ code, message, data })}}`])
}

/** Built by hand, because stringifying an object around the result takes twice as long. */
function success(id: unknown, result: unknown): Response {
  const start = `{"jsonrpc":"2.0","id":${idText(id)},"result":`
  if (result instanceof JsonText) {
    const [only = '', ...others] = result.pieces
    return responseOf(id, others.length === 0 ? [`${start}${only}}`] : [start, ...result.pieces, '}'])
  }
  return responseOf(id, [`${start}${JSON.stringify(result ?? null)}}`])
}

const tooLate = (id: unknown, { limits }: CallContext): Response =>
  failure(id, refusal('request-timeout', `request timed out after ${limits.requestMs} ms, or the server is stopping`))

/** What a valid request asks. */
interface NamedRequest {
  readonly name: string
  readonly params: unknown
  /** As the client wrote it; undefined if there is none. */
  readonly minHeight: unknown
}

const answerOf = ({ pieces, retryAfterMs }: Response): Answer => ({ pieces, retryAfterMs })

export interface DispatcherOptions<Backend> {
  readonly backend: Backend
  readonly methods: Methods<Backend>
  readonly logger: RpcLogger
  readonly allowances: Pick<Allowances, 'take'>
  /** Why a caller may not use a method; undefined if it may. */
  readonly permission: (method: string, identity: Identity) => Refusal | undefined
  /** Why reads are refused now; undefined while they are answered. */
  readonly readRefusal: () => string | undefined
}

/** Answers JSON-RPC 2.0 requests, single or in batches, with one table of methods. */
export class Dispatcher<Backend> {
  readonly #options: DispatcherOptions<Backend>

  constructor(options: DispatcherOptions<Backend>) {
    this.#options = options
  }

  /**
   * Answers the text of a request or batch. Most single requests are answered synchronously.
   *
   * @returns The response; undefined if there is none (notifications only).
   * @throws {CallGivenUp} If no client waits for the response any more: then the promise rejects.
   */
  answer(bytes: Buffer, call: CallContext): Awaitable<Answer | undefined> {
    const unread = this.#limited(null, weightOfText(bytes.length), call)
    if (unread !== undefined) return answerOf(unread)
    return whenThere(parseRequests(bytes, call, call.limits), (parsed) => this.#parsed(parsed, call))
  }

  #parsed(parsed: Result<RequestText, Refusal>, call: CallContext): Awaitable<Answer | undefined> {
    if (!parsed.ok) return answerOf(this.#refused(null, parsed.error, call))
    if (parsed.value.kind === 'batch') return this.#batch(parsed.value.requests, call)
    // The call may have timed out while it waited for a slot.
    const late = call.isGivenUp ? (id: unknown) => tooLate(id, call) : undefined
    const response = this.#one(parsed.value.request, call, late)
    return whenThere(response, (one) => one && answerOf(one))
  }

  async #batch(requests: readonly unknown[], call: CallContext): Promise<Answer | undefined> {
    const { batchConcurrencyMax, responseBytesMax } = call.limits
    if (requests.length === 0) return answerOf(this.#refused(null, refusal('invalid-request', 'batch is empty'), call))
    const pieces: string[] = []
    let bytes = 0
    let refused = 0
    let retryAfterMs = 0
    const tooLarge = (id: unknown) =>
      failure(
        id,
        refusal(
          'answer-too-large',
          `response too large: the responses of the batch exceed ${responseBytesMax} bytes, send a smaller batch`,
        ),
      )
    for (let i = 0; i < requests.length; i += batchConcurrencyMax) {
      // Beyond the limit, run no more requests: a client must not be told that a transaction failed which was in fact accepted.
      const skip = bytes > responseBytesMax ? tooLarge : call.isGivenUp ? (id: unknown) => tooLate(id, call) : undefined
      const running = requests.slice(i, i + batchConcurrencyMax).map((request) => this.#one(request, call, skip))
      for (const one of running) {
        // #one never rejects.
        const response = isPromise(one) ? await one : one
        if (response === undefined) continue
        bytes += response.length
        call.hold(response.length)
        if (response.retryAfterMs !== undefined) {
          refused++
          retryAfterMs = Math.max(retryAfterMs, response.retryAfterMs)
        }
        pieces.push(pieces.length === 0 ? '[' : ',', ...(bytes <= responseBytesMax ? response : tooLarge(response.id)).pieces)
      }
    }
    if (pieces.length === 0) return undefined
    pieces.push(']')
    return { pieces, retryAfterMs: refused === requests.length ? retryAfterMs : undefined }
  }

  /** Answers most requests synchronously, without a promise: a batch of them takes half the time. */
  #one(request: unknown, call: CallContext, skip?: (id: unknown) => Response): Awaitable<Response | undefined> {
    if (typeof request !== 'object' || request === null || Array.isArray(request)) {
      return this.#refused(null, refusal('invalid-request', 'request is not an object'), call)
    }
    const { id, method: name, params, minHeight } = request as Readonly<Record<string, unknown>>
    const isNumber = typeof id === 'number' || id instanceof ExactNumber
    const idIsValid = id === undefined || id === null || typeof id === 'string' || isNumber
    if (typeof name !== 'string' || !idIsValid) {
      const problem = 'invalid request: method must be a string, and id a string, a number or null'
      return this.#refused(null, refusal('invalid-request', problem), call)
    }
    const response =
      skip === undefined ? this.#run(id ?? null, { name, params, minHeight: minHeight ?? undefined }, call) : skip(id ?? null)
    if (id !== undefined) return response
    return isPromise(response) ? response.then(() => undefined) : undefined
  }

  #run(id: unknown, { name, params, minHeight }: NamedRequest, call: CallContext): Awaitable<Response> {
    const { methods, permission, readRefusal } = this.#options
    const method = Object.hasOwn(methods, name) ? methods[name] : undefined
    if (method === undefined) {
      const problem = `the method ${name.slice(0, 100)} does not exist/is not available`
      return this.#refused(id, refusal('method-not-found', problem), call)
    }
    const forbidden = permission(name, call.identity)
    if (forbidden !== undefined) return this.#refused(id, forbidden, call)
    const shed = isShed(name) ? readRefusal() : undefined
    if (shed !== undefined) return this.#refused(id, refusal('short-of-memory', shed), call)
    const limited = this.#limited(id, weightOf(name, params), call)
    if (limited !== undefined) return limited
    const run = (): unknown => method.run(this.#options.backend, params, call)
    try {
      const reached = minHeight === undefined ? undefined : whenReached(minHeight, call)
      if (reached !== undefined) return this.#settle(id, name, this.#after(reached, run, call), call)
      if (call.isSliceOver()) return this.#settle(id, name, call.nextTurn().then(run), call)
      const result = run()
      return isPromise(result) ? this.#settle(id, name, result, call) : success(id, result)
    } catch (thrown) {
      return this.#failed(id, name, thrown, call)
    }
  }

  /** Many calls may have waited for the same block and now continue together, so each begins in a turn. */
  async #after(reached: Promise<void>, run: () => unknown, call: CallContext): Promise<unknown> {
    await reached
    if (call.isSliceOver()) await call.nextTurn()
    return run()
  }

  /** Charges units to the client's rate limit. Returns a refusal if too few are left. */
  #limited(id: unknown, units: number, call: CallContext): Response | undefined {
    if (units === 0) return undefined
    const { remote } = call.identity
    const retryAfterMs = this.#options.allowances.take(remote, units)
    if (retryAfterMs === 0) return undefined
    const message = `rate limit exceeded: ${remote} must wait, try again in ${retryAfterMs} ms`
    return { ...failure(id, refusal('rate-limited', message, { retryAfterMs })), retryAfterMs }
  }

  /** Refuses an invalid request, and charges it to the rate limit too. */
  #refused(id: unknown, refused: Refusal, call: CallContext): Response {
    return this.#limited(id, REFUSED_WEIGHT, call) ?? failure(id, refused)
  }

  async #settle(id: unknown, name: string, result: Promise<unknown>, call: CallContext): Promise<Response> {
    try {
      return success(id, await result)
    } catch (thrown) {
      return this.#failed(id, name, thrown, call)
    }
  }

  #failed(id: unknown, name: string, thrown: unknown, call: CallContext): Response {
    if (thrown instanceof RpcError) return failure(id, thrown)
    if (call.isGivenUp) return tooLate(id, call)
    this.#options.logger.error({ err: thrown, method: name }, 'rpc method failed')
    return failure(id, refusal('internal', 'internal error'))
  }
}
