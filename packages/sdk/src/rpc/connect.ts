import { QuoinError } from '../errors.ts'
import type { NodeConnection } from './connection.ts'
import { httpConnection } from './http.ts'
import { type WebSocketClass, webSocketConnection } from './web-socket.ts'

/** How a node is reached. */
export interface ConnectOptions {
  /** For `http:` and `https:` URLs only: a browser's WebSocket cannot send headers. */
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** For `ws:` and `wss:` URLs; default: the platform's. */
  readonly webSocket?: WebSocketClass | undefined
}

/**
 * Makes the connection to a node; nothing is opened yet.
 *
 * @throws QuoinError if the URL is not one of http, https, ws or wss
 */
export function connect(url: string, { headers, webSocket }: ConnectOptions = {}): NodeConnection {
  const protocol = URL.canParse(url) ? new URL(url).protocol : undefined
  if (protocol === 'http:' || protocol === 'https:') return httpConnection(url, { headers })
  if (protocol === 'ws:' || protocol === 'wss:') return webSocketConnection(url, webSocket)
  throw new QuoinError(`"${url}" is not the URL of a node. Give one that begins with http://, https://, ws:// or wss://.`)
}
