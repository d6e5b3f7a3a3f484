import { createHash } from 'node:crypto'
import {
  type GossipSub,
  type GossipSubComponents,
  gossipsub,
  type Message,
  StrictNoSign,
  TopicValidatorResult,
} from '@libp2p/gossipsub'
import {
  type ComponentLogger,
  type Connection,
  type Libp2p,
  type PeerId as Libp2pPeerId,
  type PrivateKey,
  type Stream,
  type StreamMessageEvent,
  start,
  stop,
  type Topology,
} from '@libp2p/interface'
import { concatBytes } from '@quoin/protocol'
import type { PeerId } from '../powers.ts'
import type { NetworkCounters } from './counters.ts'
import { encodeVarint, FrameDecoder, varintHeader } from './frames.ts'
import type { NetworkLimits } from './limits.ts'

export interface GossipOptions {
  readonly libp2p: Libp2p
  readonly privateKey: PrivateKey
  readonly topic: string
  readonly limits: NetworkLimits
  readonly counters: NetworkCounters
  readonly log: ComponentLogger
  validate(from: PeerId, payload: Uint8Array): Promise<'accept' | 'ignore' | 'reject'>
  /** Whether streams on this connection are taken. */
  takes(connection: Connection): boolean
  /** The peer's gossip stream ended, or sent a frame over the limit: gossip with it is over until the connection is renewed. */
  lost(connection: Connection, reason: 'ended' | 'oversized'): void
  subscribed(peer: PeerId): void
}

/** Payloads of one peer in validation, and the readers that wait until there are fewer. */
interface Pending {
  count: number
  readonly waiting: Set<() => void>
}

function wakeAll(pending: Pending | undefined): void {
  for (const wake of pending?.waiting ?? []) wake()
  pending?.waiting.clear()
}

const VERDICTS = { accept: TopicValidatorResult.Accept, ignore: TopicValidatorResult.Ignore, reject: TopicValidatorResult.Reject }

/** Room in an RPC for what surrounds a payload: topic, field headers, and control messages that ride along. */
const RPC_OVERHEAD_BYTES = 256 * 1024

/**
 * One gossipsub topic, StrictNoSign: payloads are signed themselves, so a message is identified by the hash of its content and carries no
 * author.
 *
 * gossipsub is run beside libp2p, not as one of its services: it then learns of peers from our sessions, in their order. libp2p would
 * tell it through the identify protocol and the peer store, where a quick reconnect can overtake the disconnect before it, after which
 * gossipsub keeps no stream to the peer.
 */
export class Gossip {
  readonly #options: GossipOptions
  readonly #gossipsub: GossipSub
  readonly #frameBytesMax: number
  /** What gossipsub wants to be told of peers. */
  readonly #topologies = new Map<string, Topology>()
  readonly #pending = new Map<PeerId, Pending>()
  readonly #publishing = new Set<Promise<void>>()

  constructor(options: GossipOptions) {
    this.#options = options
    const { libp2p, limits, topic, privateKey, log } = options
    this.#frameBytesMax = limits.gossipBytesMax + RPC_OVERHEAD_BYTES
    this.#gossipsub = gossipsub({
      globalSignaturePolicy: StrictNoSign,
      msgIdFn: (message) => createHash('sha256').update(message.data).digest(),
      allowedTopics: [topic],
      fallbackToFloodsub: false,
      floodPublish: true,
      batchPublish: true,
      emitSelf: false,
      doPX: false,
      tagMeshPeers: false,
      allowPublishToZeroTopicPeers: true,
      ignoreDuplicatePublishError: true,
      maxInboundDataLength: this.#frameBytesMax,
      maxOutboundBufferSize: limits.gossipSendBytesMax,
      maxInboundStreams: 2,
      maxOutboundStreams: 2,
      // Validators of one machine or one site share an IP; our own scores judge the rest.
      scoreParams: { IPColocationFactorWeight: 0 },
    })({
      privateKey,
      peerId: libp2p.peerId,
      peerStore: libp2p.peerStore,
      logger: log,
      registrar: this.#registrar(),
      connectionManager: unusedConnectionManager,
    })
    this.#gossipsub.topicValidators.set(topic, (from, message) => this.#validate(from, message))
    this.#gossipsub.addEventListener('subscription-change', ({ detail }) => {
      if (detail.subscriptions.some((subscription) => subscription.subscribe)) options.subscribed(detail.peerId.toString())
    })
  }

  async start(): Promise<void> {
    await start(this.#gossipsub)
    this.#gossipsub.subscribe(this.#options.topic)
  }

  /** Call it when all connections are closed: gossipsub waits for its streams without a deadline. */
  async stop(): Promise<void> {
    await Promise.all(this.#publishing)
    await stop(this.#gossipsub)
  }

  /** Peers known to listen to the topic. */
  subscribers(): readonly PeerId[] {
    return this.#gossipsub.getSubscribers(this.#options.topic).map(String)
  }

  async connect(connection: Connection): Promise<void> {
    const lasting = openStreamsOnly(connection)
    for (const topology of this.#topologies.values()) await topology.onConnect?.(connection.remotePeer, lasting)
  }

  async disconnect(peer: Libp2pPeerId): Promise<void> {
    const pending = this.#pending.get(peer.toString())
    this.#pending.delete(peer.toString())
    wakeAll(pending)
    for (const topology of this.#topologies.values()) await topology.onDisconnect?.(peer)
  }

  publish(payload: Uint8Array): void {
    const { limits, counters, topic } = this.#options
    if (payload.length === 0 || payload.length > limits.gossipBytesMax) {
      throw new RangeError(`payload of ${payload.length} bytes, 1 to ${limits.gossipBytesMax} are allowed`)
    }
    const publishing: Promise<void> = this.#publish(topic, payload, counters).finally(() => this.#publishing.delete(publishing))
    this.#publishing.add(publishing)
  }

  async #publish(topic: string, payload: Uint8Array, counters: NetworkCounters): Promise<void> {
    try {
      const { recipients } = await this.#gossipsub.publish(topic, payload)
      if (recipients.length === 0) counters.gossipDropped++
      counters.gossipOut += recipients.length
      counters.gossipBytesOut += recipients.length * payload.length
    } catch (failure) {
      // gossipsub rejects when it was stopped meanwhile; the payload reaches nobody.
      counters.gossipDropped++
      this.#options.log.forComponent('gossip').error('publish failed: %s', failure)
    }
  }

  async #validate(from: Libp2pPeerId, message: Message): Promise<TopicValidatorResult> {
    const { limits, counters, validate } = this.#options
    const peer = from.toString()
    counters.gossipIn++
    counters.gossipBytesIn += message.data.length
    const pending = this.#pendingOf(peer)
    if (pending.count >= 2 * limits.gossipPendingCountMax) {
      counters.gossipDropped++
      return TopicValidatorResult.Ignore
    }
    if (message.data.length === 0 || message.data.length > limits.gossipBytesMax) {
      counters.gossipRejected++
      return TopicValidatorResult.Reject
    }
    pending.count++
    try {
      const verdict = await validate(peer, message.data)
      if (verdict === 'reject') counters.gossipRejected++
      return VERDICTS[verdict]
    } finally {
      pending.count--
      wakeAll(pending)
    }
  }

  #pendingOf(peer: PeerId): Pending {
    const existing = this.#pending.get(peer)
    if (existing !== undefined) return existing
    const pending: Pending = { count: 0, waiting: new Set() }
    this.#pending.set(peer, pending)
    return pending
  }

  /** Resolves when fewer than the limit of a peer's payloads are in validation, or when the peer is gone. */
  async #room(peer: PeerId): Promise<void> {
    for (
      let pending = this.#pendingOf(peer);
      pending.count >= this.#options.limits.gossipPendingCountMax;
      pending = this.#pendingOf(peer)
    ) {
      const { waiting } = pending
      await new Promise<void>((resolve) => waiting.add(resolve))
    }
  }

  /** The part of libp2p's registrar that gossipsub calls: stream handlers go through our check, news of peers come from `connect`. */
  #registrar(): GossipSubComponents['registrar'] {
    const { libp2p, takes } = this.#options
    const registrar: Pick<GossipSubComponents['registrar'], 'handle' | 'unhandle' | 'register' | 'unregister'> = {
      handle: (protocol, handler, options) =>
        libp2p.handle(
          protocol,
          (stream, connection) => {
            if (!takes(connection)) return stream.abort(new Error('no session on this connection'))
            return handler(this.#source(stream, connection), openStreamsOnly(connection))
          },
          options,
        ),
      unhandle: (protocol, options) => libp2p.unhandle(protocol, options),
      register: (protocol, topology) => {
        this.#topologies.set(protocol, topology)
        return Promise.resolve(protocol)
      },
      unregister: (id) => {
        this.#topologies.delete(id)
      },
    }
    return registrar as GossipSubComponents['registrar']
  }

  /**
   * What gossipsub reads instead of the stream itself: its own reader takes whatever arrives, however much of it waits,
   * and tells nobody when a frame is over the limit. gossipsub only iterates, closes and aborts an inbound stream.
   */
  #source(stream: Stream, connection: Connection): Stream {
    const source: Pick<Stream, 'close' | 'abort' | typeof Symbol.asyncIterator> = {
      [Symbol.asyncIterator]: () => this.#frames(stream, connection),
      close: (options) => stream.close(options),
      abort: (error) => stream.abort(error),
    }
    return source as Stream
  }

  /**
   * The frames of a gossip stream, each with its length in front, one by one. Reading stops, and with it the peer, while too many of its
   * payloads are in validation.
   */
  async *#frames(stream: Stream, connection: Connection): AsyncGenerator<Uint8Array> {
    const peer = connection.remotePeer.toString()
    const decoder = new FrameDecoder(this.#frameBytesMax, varintHeader)
    let fault = false
    let ended = stream.status !== 'open' || stream.readableEnded
    let wake = () => {}
    const onMessage = (event: StreamMessageEvent) => {
      decoder.push(event.data.subarray())
      if (stream.status === 'open') stream.pause()
      wake()
    }
    const onEnd = () => {
      ended = true
      wake()
    }
    stream.addEventListener('end', onEnd)
    stream.addEventListener('close', onEnd)
    stream.addEventListener('message', onMessage)
    try {
      for (;;) {
        const frame = decoder.next()
        fault = !frame.ok
        if (!frame.ok) return
        if (frame.value !== undefined) {
          await this.#room(peer)
          yield concatBytes(encodeVarint(frame.value.length), frame.value)
        } else if (ended) {
          return
        } else {
          await new Promise<void>((resolve) => {
            wake = resolve
            if (stream.status === 'open') stream.resume()
          })
        }
      }
    } finally {
      stream.removeEventListener('message', onMessage)
      stream.removeEventListener('end', onEnd)
      stream.removeEventListener('close', onEnd)
      this.#options.lost(connection, fault ? 'oversized' : 'ended')
      stream.abort(new Error('gossip stream is over'))
    }
  }
}

/**
 * The connection as gossipsub uses it. gossipsub 17.1 never lets go of a stream that was closed while it was being opened, and then opens
 * no other to that peer: here such a stream is a failure to open one.
 */
function openStreamsOnly(connection: Connection): Connection {
  const view: Pick<Connection, 'remotePeer' | 'remoteAddr' | 'direction' | 'status' | 'newStream'> = {
    remotePeer: connection.remotePeer,
    remoteAddr: connection.remoteAddr,
    direction: connection.direction,
    get status() {
      return connection.status
    },
    newStream: async (protocols, options) => {
      const stream = await connection.newStream(protocols, options)
      if (stream.status !== 'open' || connection.status !== 'open') throw new Error('the stream was closed while it was opened')
      return stream
    },
  }
  return view as Connection
}

/** gossipsub dials only direct peers and those of a peer exchange; both are off. */
const unusedConnectionManager = {
  openConnection: () => Promise.reject(new Error('gossip never dials')),
} as unknown as GossipSubComponents['connectionManager']
