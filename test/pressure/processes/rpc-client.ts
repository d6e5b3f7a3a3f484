import { Agent, request } from 'node:http'

/** A node's answer to one call. `why` names the refusal or the failure in a few words, the same for all of its kind. */
export type Outcome =
  | { readonly ok: true; readonly result: unknown }
  | { readonly ok: false; readonly why: string; readonly message?: string }

export interface ClientOptions {
  readonly port: number
  readonly localAddress: string
  /** Opens a new connection for each call, as a first-time client does. */
  readonly isNewcomer?: boolean
}

/** JSON-RPC over HTTP, one call at a time, from a chosen address. Never rejects. */
export class RpcClient {
  readonly #options: ClientOptions
  readonly #agent: Agent | undefined

  constructor(options: ClientOptions) {
    this.#options = options
    this.#agent = options.isNewcomer === true ? undefined : new Agent({ keepAlive: true, maxSockets: 4 })
  }

  async call(method: string, params: readonly unknown[], msMax: number): Promise<Outcome> {
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })
    const answer = await exchange({ ...this.#options, agent: this.#agent, method: 'POST', path: '/', body, msMax })
    if (!answer.ok) return answer
    if (answer.status !== 200) return { ok: false, why: `HTTP ${answer.status}` }
    return read(answer.text)
  }

  close(): void {
    this.#agent?.destroy()
  }
}

function read(text: string): Outcome {
  try {
    const { result, error } = JSON.parse(text) as { result?: unknown; error?: { code: number; message: string } }
    return error === undefined ? { ok: true, result } : { ok: false, why: String(error.code), message: error.message }
  } catch (failure) {
    return { ok: false, why: 'no JSON', message: (failure as Error).message }
  }
}

export interface Exchange {
  readonly port: number
  readonly localAddress: string
  readonly agent: Agent | undefined
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly body?: string
  readonly msMax: number
}

export type Exchanged =
  | { readonly ok: true; readonly status: number; readonly text: string }
  | { readonly ok: false; readonly why: string }

/** One HTTP request with its complete answer, or the reason why there was none. */
export function exchange({ port, localAddress, agent, method, path, body, msMax }: Exchange): Promise<Exchanged> {
  return new Promise((resolve) => {
    const call = request({
      host: '127.0.0.1',
      port,
      localAddress,
      agent: agent ?? false,
      method,
      path,
      headers: body === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
    })
    const settle = (outcome: Exchanged): void => {
      clearTimeout(timer)
      resolve(outcome)
    }
    const timer = setTimeout(() => {
      settle({ ok: false, why: 'no answer in time' })
      call.destroy()
    }, msMax)
    call.on('error', (failure: NodeJS.ErrnoException) => settle({ ok: false, why: failure.code ?? failure.message }))
    call.on('response', (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', (failure: NodeJS.ErrnoException) => settle({ ok: false, why: failure.code ?? failure.message }))
      response.on('end', () => settle({ ok: true, status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() }))
    })
    call.end(body)
  })
}
