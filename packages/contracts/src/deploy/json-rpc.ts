/** How long a node may take to answer, beyond what a request itself waits for. */
const ANSWER_MS_MAX = 30_000

/** Asks a node over HTTP. */
export class JsonRpc {
  readonly #url: string

  constructor(url: string) {
    this.#url = url
  }

  /**
   * @param waitMs how long the node itself may wait before it answers
   * @throws Error when the node does not answer in time, or answers with an error
   */
  async call(method: string, params: readonly unknown[], waitMs = 0): Promise<unknown> {
    const answer = await this.#post({ jsonrpc: '2.0', id: 1, method, params }, ANSWER_MS_MAX + waitMs)
    if (answer.error !== undefined) throw new Error(`${method}: ${String(answer.error.message)}`)
    return answer.result
  }

  async #post(body: object, timeoutMs: number): Promise<Answer> {
    const headers = { 'content-type': 'application/json' }
    const deadline = new AbortController()
    const timer = setTimeout(() => deadline.abort(new Error(`no answer in ${timeoutMs} ms`)), timeoutMs)
    try {
      const options = { method: 'POST', headers, body: JSON.stringify(body), signal: deadline.signal }
      const json: unknown = await (await fetch(this.#url, options)).json()
      if (typeof json === 'object' && json !== null) return json
    } catch (failure) {
      const { cause = failure } = failure as { readonly cause?: unknown }
      throw new Error(`request to ${this.#url} failed: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
    } finally {
      clearTimeout(timer)
    }
    throw new Error(`${this.#url} did not return a JSON-RPC response`)
  }
}

interface Answer {
  readonly result?: unknown
  readonly error?: { readonly message?: unknown }
}

/** @throws Error when a node's answer is not a quantity */
export function quantity(answer: unknown): bigint {
  if (typeof answer === 'string' && /^0x[\da-f]+$/i.test(answer)) return BigInt(answer)
  throw new Error(`the node answered ${JSON.stringify(answer)} instead of a quantity`)
}
