import '../../../packages/node/src/network/compat.ts'
import type { Socket } from 'node:net'
import { unwrap } from '@quoin/protocol'
import { admissionList } from '../../../packages/node/src/network/admission.ts'
import { createNode } from '../../../packages/node/src/network/libp2p-node.ts'
import { NETWORK_LIMITS } from '../../../packages/node/src/network/limits.ts'
import { loadNodeKey } from '../../../packages/node/src/network/node-key.ts'
import { readGenesisFile } from '../../../packages/node/src/validator/genesis-file.ts'
import type { Stage } from '../attacks/attack.ts'
import { identityKey, identityName, networkIdOf } from './identities.ts'

/** Frames of yamux 1.0. */
export const YAMUX = { data: 0, windowUpdate: 1, ping: 2, syn: 1, ack: 2, fin: 4, rst: 8 } as const

export interface YamuxHeader {
  readonly type: number
  readonly flag: number
  readonly streamID: number
  readonly length: number
}

/** The parts of a connection's multiplexer that an attacker replaces. */
export interface Multiplexer {
  readonly status: string
  sendFrame(header: YamuxHeader, data?: unknown): unknown
  handlePingResponse(id: number): void
}

/** Private parts of libp2p, in the version of the lock file. */
interface Internals {
  readonly components: {
    readonly upgrader: {
      getStreamMuxers(): Map<string, { createStreamMuxer(connection: object): Multiplexer }>
      getConnectionEncrypters(): Map<string, { secureOutbound(connection: object, options: object): Promise<object> }>
    }
  }
}

type Libp2p = Awaited<ReturnType<typeof createNode>>
export type Connection = Awaited<ReturnType<Libp2p['dial']>>
export type Stream = Awaited<ReturnType<Connection['newStream']>>

/** A connection to a validator, with its lower layers. */
export interface RawConnection {
  readonly connection: Connection
  readonly multiplexer: Multiplexer
  readonly socket: Socket
  /** Opens the ordered stream, so that the validator accepts a session, and sends heartbeats on it. */
  openOrdered(): Promise<Stream>
  /** Opens a stream for one request. */
  openRequest(): Promise<Stream>
  /** Opens a gossip stream and subscribes to the topic. */
  subscribe(): Promise<Stream>
}

const HEARTBEAT_MS = 2_000
const GOSSIPSUB = '/meshsub/1.2.0'
const quiet = { debug() {}, info() {}, warn() {} }

/** Dials all validators with our handshake; above it only the attack sends. */
export async function dialRaw(
  { prepared, crypto, round, targets, signal }: Stage,
  attack: string,
): Promise<readonly RawConnection[]> {
  const genesis = await readGenesisFile(prepared.genesisPath)
  const networkId = networkIdOf(crypto, genesis)
  const key = unwrap(loadNodeKey(await identityKey(crypto, identityName(attack, round))))
  const node = await createNode({
    ...{ privateKey: key.privateKey, listen: [], networkId, limits: NETWORK_LIMITS, logger: quiet },
    gate: { allowsPeer: () => true, begins: () => true, opened: () => {} },
  })
  const [ordered, request, topic] = ['ordered', 'request', 'transactions'].map((name) => `/quoin/${networkId}/${name}/1`)
  const seen = tapped(node as unknown as Internals)
  // Accepted and not read: data that a validator writes there queues up first here, then at the validator.
  for (const protocol of [ordered!, GOSSIPSUB]) await node.handle(protocol, (stream) => stream.pause())
  await node.start()
  const ports = new Set(targets.map(({ p2pPort }) => p2pPort))
  const connections: RawConnection[] = []
  for (const { addresses } of admissionList(genesis.nodes, key.peerId, NETWORK_LIMITS.addressesPerPeerCountMax).nodes.values()) {
    if (!addresses.some((address) => ports.has(Number(address.getComponents().find(({ name }) => name === 'tcp')?.value))))
      continue
    const connection = await node.dial([...addresses])
    const { multiplexer, socket } = seen.last()
    connections.push({
      ...{ connection, multiplexer, socket },
      async openOrdered() {
        const stream = await connection.newStream(ordered!)
        const beat = setInterval(() => {
          if (stream.status === 'open') stream.send(new Uint8Array(4))
        }, HEARTBEAT_MS)
        signal.addEventListener('abort', () => clearInterval(beat))
        return stream
      },
      openRequest: () => connection.newStream(request!, { maxOutboundStreams: 64 }),
      async subscribe() {
        const stream = await connection.newStream(GOSSIPSUB)
        stream.send(subscription(topic!))
        return stream
      },
    })
  }
  return connections
}

/** Captures socket and multiplexer of each connection that is opened from now on. */
function tapped({ components: { upgrader } }: Internals): { last(): { multiplexer: Multiplexer; socket: Socket } } {
  let socket: Socket | undefined
  let multiplexer: Multiplexer | undefined
  for (const encrypter of upgrader.getConnectionEncrypters().values()) {
    const secure = encrypter.secureOutbound.bind(encrypter)
    encrypter.secureOutbound = (connection, options) => {
      socket = (connection as { readonly socket?: Socket }).socket
      return secure(connection, options)
    }
  }
  for (const factory of upgrader.getStreamMuxers().values()) {
    const create = factory.createStreamMuxer.bind(factory)
    factory.createStreamMuxer = (connection) => {
      multiplexer = create(connection)
      return multiplexer
    }
  }
  return {
    last() {
      if (socket === undefined || multiplexer === undefined)
        throw new Error('this version of libp2p no longer exposes its sockets or multiplexers')
      return { socket, multiplexer }
    },
  }
}

/** The gossipsub message that subscribes to a topic, with its length prefix. */
function subscription(topic: string): Uint8Array {
  const name = new TextEncoder().encode(topic)
  const entry = Uint8Array.of(0x08, 1, 0x12, name.length, ...name)
  const message = Uint8Array.of(0x0a, entry.length, ...entry)
  return Uint8Array.of(message.length, ...message)
}
