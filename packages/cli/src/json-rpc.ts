import { CommandError, linkDeadline } from '@quoin/node/process'

/** How long a node may take to answer, beyond what a request itself waits for. */
const ANSWER_MS_MAX = 30_000
/** Longer than any answer that a node gives. */
const ANSWER_BYTES_MAX = 64 * 1024 * 1024

/** An error that the node answered. Its message names the method. */
export class RpcError extends CommandError {
  readonly code: unknown
  readonly data: unknown

  constructor(method: string, { code, message, data }: AnsweredError) {
    super(`${method}: ${String(message)}`)
    this.code = code
    this.data = data
  }
}

interface AnsweredError {
  readonly code?: unknown
  readonly message?: unknown
  readonly data?: unknown
}

interface Answer {
  readonly id?: unknown
  readonly result?: unknown
  readonly error?: AnsweredError
}

type Request = readonly [method: string, params: readonly unknown[]]

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null

/** Asks a node over HTTP. */
export class JsonRpc {
  readonly url: string

  constructor(url: string) {
    this.url = url
  }

  /**
   * @param waitMs how long the node itself may wait before it answers
   * @throws RpcError for an error of the node; CommandError when it does not answer in time, or not in JSON-RPC
   */
  async call(method: string, params: readonly unknown[], waitMs = 0): Promise<unknown> {
    const answer = await this.#post({ jsonrpc: '2.0', id: 1, method, params }, waitMs)
    return this.#resultOf(method, answer)
  }

  /** Sends requests in one batch, and returns their results in the same order. The first error is thrown. */
  async batch(requests: readonly Request[]): Promise<readonly unknown[]> {
    const answers = await this.#post(requests.map(([method, params], id) => ({ jsonrpc: '2.0', id, method, params })))
    if (!Array.isArray(answers)) return [this.#resultOf('batch', answers)]
    const byId = new Map(answers.filter(isObject).map((answer: Answer) => [answer.id, answer]))
    return requests.map(([method], id) => this.#resultOf(method, byId.get(id)))
  }

  #resultOf(method: string, answer: unknown): unknown {
    if (!isObject(answer)) throw new CommandError(`${this.url} did not return a JSON-RPC response to ${method}`)
    const { result, error } = answer as Answer
    if (isObject(error)) throw new RpcError(method, error)
    return result
  }

  async #post(body: unknown, waitMs = 0): Promise<unknown> {
    const headers = { 'content-type': 'application/json' }
    const { signal, unlink } = linkDeadline(ANSWER_MS_MAX + waitMs, [])
    try {
      const response = await fetch(this.url, { method: 'POST', headers, body: JSON.stringify(body), signal })
      return JSON.parse(await textOf(response)) as unknown
    } catch (failure) {
      const { cause = failure } = failure as { readonly cause?: unknown }
      throw new CommandError(
        `request to ${this.url} failed: ${cause instanceof Error ? cause.message : String(cause)}. Does a node answer there? Name its URL with --rpc`,
      )
    } finally {
      unlink()
    }
  }
}

/** The text of a response, up to a limit. */
async function textOf(response: Response): Promise<string> {
  const decoder = new TextDecoder()
  let text = ''
  let bytes = 0
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    bytes += chunk.length
    if (bytes > ANSWER_BYTES_MAX) throw new Error(`the answer is longer than ${ANSWER_BYTES_MAX} bytes`)
    text += decoder.decode(chunk, { stream: true })
  }
  return text + decoder.decode()
}
