import { Agent, request } from 'node:http'
import { pause } from '../../../packages/node/src/abort.ts'
import { systemClock } from '../../../packages/node/src/system-clock.ts'
import type { Stage } from '../attacks/attack.ts'
import { ADDRESS } from './addresses.ts'

/** Pause after a failed connection, so that an attacker that is always refused does not spin. */
const FAILED_MS = 20

export interface FloodOptions {
  readonly port: number
  readonly localAddress?: string
  /** Connections that are open at a time. */
  readonly connections: number
  readonly keepAlive?: boolean
}

/** HTTP requests of an attacker. Answers are read, counted and dropped. */
export class HttpFlood {
  readonly #stage: Stage
  readonly #options: FloodOptions
  readonly #agent: Agent

  constructor(stage: Stage, options: FloodOptions) {
    this.#stage = stage
    this.#options = options
    this.#agent = new Agent({ keepAlive: options.keepAlive ?? true, maxSockets: options.connections })
  }

  /** Posts a body with this many calls; resolves when the answer is received or can no longer come. Never rejects. */
  post(body: string, calls: number): Promise<void> {
    const { tally, signal } = this.#stage
    const { port, localAddress = ADDRESS.attacker } = this.#options
    return new Promise((resolve) => {
      const call = request({
        ...{ host: '127.0.0.1', port, localAddress, agent: this.#agent, method: 'POST', path: '/' },
        headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
      })
      const leave = (): void => {
        call.destroy()
        resolve()
      }
      const settle = (): void => {
        signal.removeEventListener('abort', leave)
        resolve()
      }
      call.on('error', (failure: NodeJS.ErrnoException) => {
        if (!signal.aborted) tally.add(failure.code ?? 'broken', calls)
        setTimeout(settle, FAILED_MS)
      })
      call.on('response', (response) => {
        let refusals = 0
        response.setEncoding('latin1')
        response.on('data', (text: string) => {
          if (response.statusCode === 200) refusals += tally.addRefusals(text)
        })
        response.on('end', () => {
          if (response.statusCode === 200) tally.add('answered', Math.max(0, calls - refusals))
          else tally.add(`HTTP ${response.statusCode}`, calls)
          settle()
        })
        response.on('error', settle)
      })
      signal.addEventListener('abort', leave, { once: true })
      if (signal.aborted) leave()
      else call.end(body)
    })
  }

  /** Posts without waiting: closes the connection as soon as the body is sent. */
  abandon(body: string, calls: number): Promise<void> {
    const { tally, signal } = this.#stage
    const { port, localAddress = ADDRESS.attacker } = this.#options
    return new Promise((resolve) => {
      const call = request({
        ...{ host: '127.0.0.1', port, localAddress, agent: false, method: 'POST', path: '/' },
        headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
      })
      call.on('error', (failure: NodeJS.ErrnoException) => {
        if (!signal.aborted) tally.add(failure.code ?? 'broken', calls)
        void pause(systemClock, FAILED_MS).then(resolve)
      })
      call.on('response', (response) => response.resume())
      call.end(body, () => {
        tally.add('sent and left', calls)
        setTimeout(() => {
          call.destroy()
          resolve()
        }, FAILED_MS)
      })
    })
  }
}

/** A batch of this many calls of one method. */
export function batch(count: number, method: string, params: (index: number) => unknown): string {
  const calls = Array.from(
    { length: count },
    (_, id) => `{"jsonrpc":"2.0","id":${id},"method":"${method}","params":${JSON.stringify(params(id))}}`,
  )
  return `[${calls.join(',')}]`
}

export const single = (method: string, params: unknown): string =>
  `{"jsonrpc":"2.0","id":1,"method":"${method}","params":${JSON.stringify(params)}}`
