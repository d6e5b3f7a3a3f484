import { WebSocket } from 'ws'
import type { Stage } from '../attacks/attack.ts'
import { ADDRESS } from './addresses.ts'

/** Unsent bytes that an attacker keeps for one WebSocket: beyond it the node is not reading, and more would fill the attacker's memory. */
const UNSENT_BYTES_MAX = 8 * 1024 * 1024

/** An attacker's WebSocket. */
export interface AttackSocket {
  /** Sends and counts it under a name, unless the node has stopped reading. */
  send(text: string, name?: string): void
  /** Reads nothing from now on. */
  pause(): void
  /** Calls `listener` with each received text. */
  onText(listener: (text: string) => void): void
  close(): void
}

/** Opens a WebSocket to a node; undefined if it is refused, which is counted. Answers are counted unless it is paused. */
export function openSocket(
  { signal, tally }: Stage,
  port: number,
  localAddress: string = ADDRESS.attacker,
): Promise<AttackSocket | undefined> {
  return new Promise((resolve) => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}`, { localAddress, perMessageDeflate: false })
    const listeners = new Set<(text: string) => void>()
    socket.on('open', () =>
      resolve({
        send(text, name) {
          if (socket.readyState !== WebSocket.OPEN || socket.bufferedAmount > UNSENT_BYTES_MAX) return
          if (name !== undefined) tally.add(name)
          socket.send(text)
        },
        pause: () => socket.pause(),
        onText: (listener) => void listeners.add(listener),
        close: () => socket.terminate(),
      }),
    )
    socket.on('message', (data: Buffer) => {
      const text = data.toString('latin1')
      for (const listener of listeners) listener(text)
      if (text.includes('"method":"eth_subscription"')) tally.add('notifications')
      else if (tally.addRefusals(text) === 0) tally.add('answered')
    })
    socket.on('error', (failure: NodeJS.ErrnoException) => {
      if (!signal.aborted) tally.add(failure.code ?? failure.message.slice(0, 40))
      resolve(undefined)
    })
    socket.on('close', (code) => {
      if (!signal.aborted) tally.add(`WebSocket closed ${code}`)
      resolve(undefined)
    })
  })
}

/** Opens as many WebSockets as the nodes accept, spread over the nodes. */
export async function openSockets(stage: Stage, count: number): Promise<readonly AttackSocket[]> {
  const sockets = await Promise.all(
    Array.from({ length: count }, (_, i) => openSocket(stage, stage.targets[i % stage.targets.length]!.rpcPort)),
  )
  return sockets.filter((socket) => socket !== undefined)
}
