import { once } from 'node:events'
import { WebSocket } from 'ws'
import type { TestAnswer } from './rpc.ts'

/** A batch as a client receives it. */
export interface ReceivedBatch {
  readonly sequence?: number
  readonly cursor: string
  readonly height: number
  readonly blockHash: string
  readonly time: number
  readonly head: { readonly height: number; readonly hash: string; readonly time: number }
  readonly items: readonly Readonly<Record<string, unknown>>[]
}

/** What a stream sends. */
export interface StreamNews {
  readonly subscription: string
  readonly result?: ReceivedBatch
  readonly closed?: { readonly reason: string; readonly message: string; readonly cursor: string | null }
}

/** A WebSocket for tests. It keeps the news of its streams until they are taken. */
export class StreamSocket {
  readonly socket: WebSocket
  readonly #answers = new Map<number, (answer: TestAnswer) => void>()
  /** Everything that arrived, in order: ids of answers, and subscriptions of news. */
  readonly order: (number | string)[] = []
  readonly #news: StreamNews[] = []
  readonly #wanted: ((news: StreamNews) => void)[] = []
  #lastId = 0

  private constructor(socket: WebSocket) {
    this.socket = socket
    socket.on('message', (bytes: Buffer) => this.#receive(JSON.parse(bytes.toString())))
  }

  static async open(url: string): Promise<StreamSocket> {
    const socket = new WebSocket(url)
    await once(socket, 'open')
    return new StreamSocket(socket)
  }

  call(method: string, ...params: unknown[]): Promise<TestAnswer> {
    const id = ++this.#lastId
    this.socket.send(JSON.stringify({ jsonrpc: '2.0', id, method, params }))
    return new Promise((resolve) => this.#answers.set(id, resolve))
  }

  /** The result of a call that must not fail. */
  async request(method: string, ...params: unknown[]): Promise<unknown> {
    const { result, error } = await this.call(method, ...params)
    if (error !== undefined) throw new Error(`${method}: ${error.message}`)
    return result
  }

  /** News that nobody has taken. */
  get pending(): number {
    return this.#news.length
  }

  /** The next news of any stream. */
  next(): Promise<StreamNews> {
    const news = this.#news.shift()
    return news === undefined ? new Promise((resolve) => this.#wanted.push(resolve)) : Promise.resolve(news)
  }

  async nextBatch(): Promise<ReceivedBatch> {
    const news = await this.next()
    if (news.result === undefined) throw new Error(`no batch, but ${JSON.stringify(news)}`)
    return news.result
  }

  async close(): Promise<void> {
    if (this.socket.readyState === WebSocket.CLOSED) return
    this.socket.close()
    await once(this.socket, 'close')
  }

  #receive(message: TestAnswer & { readonly id?: number; readonly params?: StreamNews }): void {
    if (message.params !== undefined) {
      this.order.push(message.params.subscription)
      const wanted = this.#wanted.shift()
      if (wanted === undefined) this.#news.push(message.params)
      else wanted(message.params)
      return
    }
    this.order.push(message.id!)
    this.#answers.get(message.id!)?.(message)
    this.#answers.delete(message.id!)
  }
}
