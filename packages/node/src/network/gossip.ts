import { createHash } from 'node:crypto'
import {
  type GossipSub,
  type GossipSubComponents,
  gossipsub,
  type Message,
  type PublishResult,
  StrictNoSign,
  TopicValidatorResult,
} from '@libp2p/gossipsub'
import type { PublishOpts } from '@libp2p/gossipsub/types'
import {
  type ComponentLogger,
  type Connection,
  type Libp2p,
  type PeerId as Libp2pPeerId,
  type PrivateKey,
  type Stream,
  start,
  stop,
  type Topology,
} from '@libp2p/interface'
import type { Clock, Offence, PeerId } from '../powers.ts'
import { TokenBucket } from '../token-bucket.ts'
import type { NetworkCounters } from './counters.ts'
import { GossipLink } from './gossip-link.ts'
import { subscriptionFrame } from './gossip-rpc.ts'
import { gossipFrames } from './gossip-source.ts'
import type { NetworkLimits } from './limits.ts'

export interface GossipOptions {
  readonly libp2p: Libp2p
  readonly privateKey: PrivateKey
  readonly topic: string
  readonly limits: NetworkLimits
  readonly counters: NetworkCounters
  readonly clock: Clock
  /** From 0 (inclusive) to 1 (exclusive); spreads retries. */
  readonly random: () => number
  readonly log: ComponentLogger
  validate(from: PeerId, payload: Uint8Array): Promise<'accept' | 'ignore' | 'reject'>
  /** Signal of the session on this connection; undefined if streams on it are refused. */
  sessionOn(connection: Connection): AbortSignal | undefined
  /** A peer sent something on its gossip stream that no honest node sends. */
  offence(connection: Connection, offence: Offence, detail: string): void
  /** Remaining time in ms during which the peer's gossip is not read. */
  bannedMs(peer: PeerId): number
  subscribed(peer: PeerId): void
}

/** Payloads of one peer in validation, and the readers that wait until there are fewer. */
interface Pending {
  count: number
  bytes: number
  readonly waiting: Set<() => void>
}

function wakeAll(pending: Pending | undefined): void {
  for (const wake of pending?.waiting ?? []) wake()
  pending?.waiting.clear()
}

/** gossipsub's public interface hides that each publication takes options. */
interface Publisher {
  publish(topic: string, data: Uint8Array, options: PublishOpts): Promise<PublishResult>
}

const VERDICTS = { accept: TopicValidatorResult.Accept, ignore: TopicValidatorResult.Ignore, reject: TopicValidatorResult.Reject }

/**
 * One gossipsub topic with StrictNoSign: payloads carry their own signatures, so a message is identified by the hash of its content and has
 * no author.
 *
 * gossipsub runs next to libp2p, not as one of its services, so that it learns of peers from our sessions, in their order. libp2p would
 * report peers through the identify protocol and the peer store, where a quick reconnect can overtake the disconnect before it; then
 * gossipsub keeps no stream to the peer.
 */
export class Gossip {
  readonly #options: GossipOptions
  readonly #gossipsub: GossipSub & Publisher
  /** Callbacks through which gossipsub learns of peers. */
  readonly #topologies = new Map<string, Topology>()
  readonly #pending = new Map<PeerId, Pending>()
  /** Bytes that each peer may still send, and streams that it may still open. Kept across connections. */
  readonly #budgets = new Map<PeerId, { readonly bytes: TokenBucket; readonly streams: TokenBucket }>()
  readonly #publishing = new Set<Promise<void>>()

  constructor(options: GossipOptions) {
    this.#options = options
    const { libp2p, limits, topic, privateKey, log } = options
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
      maxInboundDataLength: limits.gossipFrameBytesMax,
      seenTTL: limits.gossipSeenMs,
      maxInboundStreams: 2,
      maxOutboundStreams: 2,
      // Validators on one machine or site share an IP; our own scores judge peers otherwise.
      scoreParams: { IPColocationFactorWeight: 0 },
    })({
      privateKey,
      peerId: libp2p.peerId,
      peerStore: libp2p.peerStore,
      logger: log,
      registrar: this.#registrar(),
      connectionManager: unusedConnectionManager,
    }) as GossipSub & Publisher
    this.#gossipsub.topicValidators.set(topic, (from, message) => this.#validate(from.toString(), message))
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

  /** Peers known to subscribe to the topic. */
  subscribers(): readonly PeerId[] {
    return this.#gossipsub.getSubscribers(this.#options.topic).map(String)
  }

  /** Drops the state of all peers but these. */
  retain(peers: ReadonlySet<PeerId>): void {
    for (const peer of this.#budgets.keys()) if (!peers.has(peer)) this.#budgets.delete(peer)
  }

  /**
   * Runs gossip for a new session; resolves when it is over. gossipsub opens streams one after another, so a peer that does not answer
   * would block the peers after it, and it opens no new stream after a reset. Therefore it gets a stream that is already open and stays
   * open.
   */
  async connect(connection: Connection): Promise<void> {
    const signal = this.#options.sessionOn(connection)
    if (signal === undefined) return
    const hello = subscriptionFrame(this.#options.topic)
    const link = new GossipLink({ ...this.#options, signal, hello, open: () => this.#open(connection) })
    await link.run(async (stream) => {
      const view = connectionView(connection, () => Promise.resolve(stream))
      for (const topology of this.#topologies.values()) await topology.onConnect?.(connection.remotePeer, view)
    })
  }

  async disconnect(peer: Libp2pPeerId): Promise<void> {
    const pending = this.#pending.get(peer.toString())
    this.#pending.delete(peer.toString())
    wakeAll(pending)
    for (const topology of this.#topologies.values()) await topology.onDisconnect?.(peer)
  }

  publish(payload: Uint8Array, to: 'all' | 'mesh'): void {
    const { limits, topic } = this.#options
    if (payload.length === 0 || payload.length > limits.gossipBytesMax) {
      throw new RangeError(`payload of ${payload.length} bytes is out of range: 1 to ${limits.gossipBytesMax} bytes are allowed`)
    }
    const publishing: Promise<void> = this.#publish(topic, payload, to === 'all').finally(() =>
      this.#publishing.delete(publishing),
    )
    this.#publishing.add(publishing)
  }

  async #publish(topic: string, payload: Uint8Array, floodPublish: boolean): Promise<void> {
    const { counters } = this.#options
    try {
      const { recipients } = await this.#gossipsub.publish(topic, payload, { floodPublish })
      // A peer whose queue is full is counted by its outbox.
      if (this.subscribers().length === 0) counters.gossipDropped++
      counters.gossipOut += recipients.length
      counters.gossipBytesOut += recipients.length * payload.length
    } catch (failure) {
      // gossipsub rejects if it was stopped in the meantime; no peer gets the payload.
      counters.gossipDropped++
      this.#options.log.forComponent('gossip').error('publish failed: %s', failure)
    }
  }

  async #validate(peer: PeerId, message: Pick<Message, 'data'>): Promise<TopicValidatorResult> {
    const { limits, counters, validate } = this.#options
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
    pending.bytes += message.data.length
    try {
      const verdict = await validate(peer, message.data)
      if (verdict === 'reject') counters.gossipRejected++
      return VERDICTS[verdict]
    } finally {
      pending.count--
      pending.bytes -= message.data.length
      wakeAll(pending)
    }
  }

  #pendingOf(peer: PeerId): Pending {
    const existing = this.#pending.get(peer)
    if (existing !== undefined) return existing
    const pending: Pending = { count: 0, bytes: 0, waiting: new Set() }
    this.#pending.set(peer, pending)
    return pending
  }

  #budgetOf(peer: PeerId): { readonly bytes: TokenBucket; readonly streams: TokenBucket } {
    const existing = this.#budgets.get(peer)
    if (existing !== undefined) return existing
    const { limits, clock } = this.#options
    const budget = {
      bytes: new TokenBucket(clock, { perSecond: limits.gossipReadBytesPerSecond, burst: limits.gossipReadBurstBytes }),
      streams: new TokenBucket(clock, { perSecond: 1_000 / limits.gossipStreamMsMin, burst: limits.gossipStreamsBurstMax }),
    }
    this.#budgets.set(peer, budget)
    return budget
  }

  /** Whether a peer may open a stream, given how many it opened recently. */
  #mayOpen(peer: PeerId): boolean {
    const { streams } = this.#budgetOf(peer)
    if (streams.left < 1) return false
    streams.take(1)
    return true
  }

  /** Resolves when fewer payloads of a peer than the limit are in validation, or when its session is over. */
  async #room(peer: PeerId, session: AbortSignal): Promise<void> {
    const { gossipPendingCountMax, gossipPendingBytesMax } = this.#options.limits
    while (!session.aborted) {
      const { count, bytes, waiting } = this.#pendingOf(peer)
      if (count < gossipPendingCountMax && bytes < gossipPendingBytesMax) return
      await new Promise<void>((resolve) => waiting.add(resolve))
    }
  }

  /** The part of libp2p's registrar that gossipsub calls. Stream handlers go through our checks; peer events come from `connect`. */
  #registrar(): GossipSubComponents['registrar'] {
    const { libp2p, sessionOn } = this.#options
    const registrar: Pick<GossipSubComponents['registrar'], 'handle' | 'unhandle' | 'register' | 'unregister'> = {
      handle: (protocol, handler, options) =>
        libp2p.handle(
          protocol,
          (stream, connection) => {
            const session = sessionOn(connection)
            if (session === undefined) return stream.abort(new Error('no session on this connection'))
            if (!this.#mayOpen(connection.remotePeer.toString())) return stream.abort(new Error('too many gossip streams'))
            const view = connectionView(connection, () =>
              Promise.reject(new Error('the gossip stream is opened with the session')),
            )
            return handler(this.#source(stream, connection, session), view)
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

  /** The object that gossipsub reads instead of the stream: gossipsub only iterates, closes and aborts inbound streams. */
  #source(stream: Stream, connection: Connection, signal: AbortSignal): Stream {
    const { limits, clock, offence, bannedMs } = this.#options
    const peer = connection.remotePeer.toString()
    const source: Pick<Stream, 'close' | 'abort' | typeof Symbol.asyncIterator> = {
      [Symbol.asyncIterator]: () =>
        gossipFrames({
          ...{ stream, limits, clock, signal, budget: this.#budgetOf(peer).bytes },
          bannedMs: () => bannedMs(peer),
          room: () => this.#room(peer, signal),
          repeated: (data) => void this.#validate(peer, { data }),
          offence: (kind, detail) => offence(connection, kind, detail),
        }),
      close: (options) => stream.close(options),
      abort: (error) => stream.abort(error),
    }
    return source as Stream
  }

  /** Opens the stream for outgoing gossip; undefined if the peer does not accept one. */
  async #open(connection: Connection): Promise<Stream | undefined> {
    try {
      const stream = await connection.newStream([...this.#topologies.keys()])
      // gossipsub 17.1 never releases a stream that was closed while it was being opened, and then opens no other stream to that peer.
      return stream.status === 'open' && connection.status === 'open' ? stream : undefined
    } catch (failure) {
      this.#options.log.forComponent('gossip').error('no stream for gossip: %s', failure)
      return undefined
    }
  }
}

/** The part of a connection that gossipsub uses. */
function connectionView(connection: Connection, newStream: Connection['newStream']): Connection {
  const view: Pick<Connection, 'remotePeer' | 'remoteAddr' | 'direction' | 'status' | 'newStream'> = {
    remotePeer: connection.remotePeer,
    remoteAddr: connection.remoteAddr,
    direction: connection.direction,
    get status() {
      return connection.status
    },
    newStream,
  }
  return view as Connection
}

/** gossipsub dials only direct peers and peers from peer exchange; both are off. */
const unusedConnectionManager = {
  openConnection: () => Promise.reject(new Error('gossip never dials')),
} as unknown as GossipSubComponents['connectionManager']
