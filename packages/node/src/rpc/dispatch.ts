import { RPC_CODE, RpcError } from './errors.ts'
import type { CallContext, Methods } from './method.ts'
import { isShed } from './shedding.ts'

export interface RpcLogger {
  error(fields: object, message: string): void
}

interface Response {
  readonly jsonrpc: '2.0'
  readonly id: unknown
  readonly result?: unknown
  readonly error?: { readonly code: number; readonly message: string; readonly data?: unknown }
}

const refusal = (id: unknown, code: number, message: string, data?: unknown): Response => ({
  jsonrpc: '2.0',
  id,
  error: data === undefined ? { code, message } : { code, message, data },
})

type Run = (id: unknown, name: string, params: unknown) => Promise<Response>

/** Answers JSON-RPC 2.0 texts, single or in batches, with one table of methods. */
export class Dispatcher<Backend> {
  readonly #backend: Backend
  readonly #methods: Methods<Backend>
  readonly #logger: RpcLogger
  readonly #readRefusal: () => string | undefined

  /** `readRefusal` says why reads are refused now. */
  constructor(
    backend: Backend,
    methods: Methods<Backend>,
    logger: RpcLogger,
    readRefusal: () => string | undefined = () => undefined,
  ) {
    this.#backend = backend
    this.#methods = methods
    this.#logger = logger
    this.#readRefusal = readRefusal
  }

  /** The answer's text, or undefined when nothing is to be answered (notifications only). */
  async answer(text: string, call: CallContext): Promise<string | undefined> {
    let request: unknown
    try {
      request = JSON.parse(text)
    } catch (failure) {
      return JSON.stringify(refusal(null, RPC_CODE.parseError, `request is not JSON: ${(failure as Error).message}`))
    }
    if (!Array.isArray(request)) {
      const response = await this.#one(request, (id, name, params) => this.#run(id, name, params, call))
      return response === undefined ? undefined : JSON.stringify(response)
    }
    return this.#batch(request, call)
  }

  async #batch(requests: readonly unknown[], call: CallContext): Promise<string | undefined> {
    const { batchItemsMax, batchConcurrencyMax, responseBytesMax } = call.limits
    if (requests.length === 0) return JSON.stringify(refusal(null, RPC_CODE.invalidRequest, 'batch is empty'))
    if (requests.length > batchItemsMax) {
      return JSON.stringify(
        refusal(null, RPC_CODE.limitExceeded, `batch has ${requests.length} requests, at most ${batchItemsMax} are taken`),
      )
    }
    const texts: string[] = []
    let bytes = 0
    const run: Run = (id, name, params) => this.#run(id, name, params, call)
    const tooLarge = (id: unknown) =>
      refusal(id, RPC_CODE.limitExceeded, `the batch's answers exceed ${responseBytesMax} bytes: ask for less at once`)
    const skip: Run = async (id) => tooLarge(id)
    for (let i = 0; i < requests.length; i += batchConcurrencyMax) {
      const window = requests.slice(i, i + batchConcurrencyMax)
      // Beyond the limit nothing is run any more: whoever sends transactions is not told that one failed which did not.
      const responses = await Promise.all(window.map((request) => this.#one(request, bytes > responseBytesMax ? skip : run)))
      for (const response of responses) {
        if (response === undefined) continue
        const text = JSON.stringify(response)
        bytes += text.length
        texts.push(bytes <= responseBytesMax ? text : JSON.stringify(tooLarge(response.id)))
      }
    }
    return texts.length === 0 ? undefined : `[${texts.join(',')}]`
  }

  async #one(request: unknown, run: Run): Promise<Response | undefined> {
    if (typeof request !== 'object' || request === null || Array.isArray(request)) {
      return refusal(null, RPC_CODE.invalidRequest, 'request is not an object')
    }
    const { id, method: name, params } = request as Readonly<Record<string, unknown>>
    const idIsValid = id === undefined || id === null || typeof id === 'string' || typeof id === 'number'
    if (typeof name !== 'string' || !idIsValid) {
      return refusal(null, RPC_CODE.invalidRequest, 'request needs a method (text) and an id (text, number or null)')
    }
    const response = await run(id ?? null, name, params)
    return id === undefined ? undefined : response
  }

  async #run(id: unknown, name: string, params: unknown, call: CallContext): Promise<Response> {
    const method = Object.hasOwn(this.#methods, name) ? this.#methods[name] : undefined
    if (method === undefined)
      return refusal(id, RPC_CODE.methodNotFound, `the method ${name.slice(0, 100)} does not exist/is not available`)
    const shed = isShed(name) ? this.#readRefusal() : undefined
    if (shed !== undefined) return refusal(id, RPC_CODE.limitExceeded, shed)
    try {
      const result = await method.run(this.#backend, params, call)
      return { jsonrpc: '2.0', id, result: result ?? null }
    } catch (failure) {
      if (failure instanceof RpcError) return refusal(id, failure.code, failure.message, failure.data)
      if (call.signal.aborted)
        return refusal(
          id,
          RPC_CODE.limitExceeded,
          `the request took longer than ${call.limits.requestMs} ms, or the server is stopping`,
        )
      this.#logger.error({ err: failure, method: name }, 'rpc method failed')
      return refusal(id, RPC_CODE.internal, 'internal error')
    }
  }
}
