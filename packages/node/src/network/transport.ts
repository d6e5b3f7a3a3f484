import { linkDeadline } from '../abort.ts'
import { ListenError } from '../listen-error.ts'
import { systemClock } from '../system-clock.ts'
import './compat.ts'
import type { Connection, Libp2p, Stream } from '@libp2p/interface'
import { unwrap } from '@quoin/protocol'
import {
  type Clock,
  type Offence,
  type PeerAddress,
  type PeerId,
  type Transport,
  TransportError,
  type TransportHandlers,
} from '../powers.ts'
import { createCounters, type NetworkCounters } from './counters.ts'
import { Dialer } from './dialer.ts'
import { Gate } from './gate.ts'
import { Gossip } from './gossip.ts'
import { createNode, ipOf } from './libp2p-node.ts'
import { checkLimits, NETWORK_LIMITS, type NetworkLimits } from './limits.ts'
import { libp2pLogger, type NetworkLogger } from './logger.ts'
import { type Resolve, systemResolve } from './names.ts'
import { loadNodeKey, type NodeKey } from './node-key.ts'
import { keepsExisting } from './preference.ts'
import { Requests } from './requests.ts'
import { Session, type SessionEvents } from './session.ts'
import { abortConnection, asError } from './streams.ts'
import { Timers } from './timers.ts'

export interface Libp2pTransportOptions {
  /** The node's key as created by `createNodeKey`. */
  readonly key: Uint8Array
  /** Multiaddresses to listen on, such as /ip4/0.0.0.0/tcp/26656. If empty, the node only dials. */
  readonly listen: readonly string[]
  /**
   * Identifies the chain (start of the genesis hash). It is part of the handshake and of every protocol name, so that nodes of different
   * chains cannot connect.
   */
  readonly networkId: string
  readonly logger: NetworkLogger
  readonly limits?: Partial<NetworkLimits>
  /** Refuses connections before the handshake if their IP is neither in the node list nor loopback. Default: false. */
  readonly filterByAddress?: boolean
  /** Resolves host names in the node list for that filter. Default: the operating system. */
  readonly resolve?: Resolve
  /** Clock for scores, bans and redials; libp2p keeps its own time. */
  readonly clock?: Clock
  /** From 0 (inclusive) to 1 (exclusive); spreads redials. */
  readonly random?: () => number
  /** Called when a peer is known to receive published payloads. */
  readonly onSubscribed?: (peer: PeerId) => void
}

/** The network transport, with figures for metrics. */
export interface Libp2pTransport extends Transport {
  readonly counters: Readonly<NetworkCounters>
  /** Multiaddresses that the node listens on, with the actual port, without the /p2p part. */
  addresses(): readonly string[]
  /** Peers that receive published payloads. */
  subscribers(): readonly PeerId[]
  /** 0 is blameless, scoreMin is banned. */
  score(peer: PeerId): number
}

/** Extracts the operating system's error, which libp2p wraps into advice about its own settings and a stack trace. */
function listenError(message: string): ListenError {
  const said = /\blisten (E[A-Z]+)\b[^\n]*/.exec(message)
  return new ListenError('p2p', said?.[1], said === null ? message : `cannot listen for peers: ${said[0]}`)
}

/**
 * Creates the network transport: TCP, noise, yamux, gossipsub. It connects only to admitted nodes, keeps one connection to each, and
 * redials those that are down.
 * @throws if the key is malformed or the limits contradict each other
 */
export async function createLibp2pTransport(options: Libp2pTransportOptions): Promise<Libp2pTransport> {
  const limits = checkLimits({ ...NETWORK_LIMITS, ...options.limits })
  const key = unwrap(loadNodeKey(options.key))
  const clock = options.clock ?? systemClock
  const parts = { key, limits, clock, timers: new Timers(clock), counters: createCounters() }
  const gate = new Gate({
    ...parts,
    self: key.peerId,
    logger: options.logger,
    resolve: options.filterByAddress === true ? (options.resolve ?? systemResolve) : undefined,
  })
  const libp2p = await createNode({
    privateKey: key.privateKey,
    listen: options.listen,
    networkId: options.networkId,
    limits,
    gate,
    logger: options.logger,
  })
  return new NetworkTransport({ ...parts, libp2p, gate }, options)
}

/** Parts of a transport. */
interface Parts {
  readonly libp2p: Libp2p
  readonly key: NodeKey
  readonly limits: NetworkLimits
  readonly clock: Clock
  readonly timers: Timers
  readonly counters: NetworkCounters
  readonly gate: Gate
}

class NetworkTransport implements Libp2pTransport, SessionEvents {
  readonly self: PeerId
  readonly counters: NetworkCounters
  readonly #libp2p: Libp2p
  readonly #limits: NetworkLimits
  readonly #logger: NetworkLogger
  readonly #clock: Clock
  readonly #timers: Timers
  readonly #gate: Gate
  readonly #sessions = new Map<PeerId, Session>()
  readonly #dialer: Dialer
  readonly #gossip: Gossip
  readonly #requests: Requests
  readonly #protocols: { readonly ordered: string; readonly request: string }
  /** Running work that `stop` waits for. None of it rejects. */
  readonly #tasks = new Set<Promise<void>>()
  #handlers: TransportHandlers | undefined
  #state: 'new' | 'started' | 'stopped' = 'new'
  #stopping: Promise<void> | undefined

  constructor({ libp2p, key, limits, clock, timers, counters, gate }: Parts, options: Libp2pTransportOptions) {
    this.self = key.peerId
    this.counters = counters
    this.#libp2p = libp2p
    this.#limits = limits
    this.#logger = options.logger
    this.#clock = clock
    this.#timers = timers
    this.#gate = gate
    this.#protocols = { ordered: `/quoin/${options.networkId}/ordered/1`, request: `/quoin/${options.networkId}/request/1` }
    const { logger } = options
    this.#requests = new Requests({
      protocol: this.#protocols.request,
      limits,
      counters,
      logger,
      timers,
      answer: (peer, message) => this.#handle().onRequest(peer, message),
      offence: (session, offence, detail) => this.offence(session, offence, detail),
    })
    this.#gossip = new Gossip({
      libp2p,
      privateKey: key.privateKey,
      topic: `/quoin/${options.networkId}/transactions/1`,
      limits,
      counters,
      log: libp2pLogger(logger),
      validate: (peer, payload) => this.#validate(peer, payload),
      clock,
      random: options.random ?? Math.random,
      sessionOn: (connection) => this.#sessionOn(connection)?.signal,
      offence: (connection, offence, detail) => {
        const peer = connection.remotePeer.toString()
        logger.info({ peer, offence, detail }, 'offence of a peer')
        this.penaliseGossip(peer, offence)
      },
      bannedMs: (peer) => gate.gossipBannedMs(peer),
      subscribed: (peer) => options.onSubscribed?.(peer),
    })
    this.#dialer = new Dialer({
      self: this.self,
      limits,
      timers,
      random: options.random ?? Math.random,
      dial: async (addresses, signal) => {
        counters.dials++
        await libp2p.dial([...addresses], { signal })
      },
      heldMs: (peer) => gate.bannedMs(peer),
      failed: (peer, error) => {
        counters.dialsFailed++
        logger.debug({ peer, reason: asError(error).message }, 'dial failed')
      },
    })
    libp2p.addEventListener('connection:open', ({ detail }) => this.#opened(detail))
    libp2p.addEventListener('connection:close', ({ detail }) => this.#sessionOn(detail)?.end('connection closed'))
  }

  peers(): readonly PeerId[] {
    return [...this.#sessions.values()].filter((session) => session.ready).map((session) => session.peer)
  }

  subscribers(): readonly PeerId[] {
    return this.#gossip.subscribers()
  }

  addresses(): readonly string[] {
    return this.#libp2p.getMultiaddrs().map((address) => address.toString().replace(/\/p2p\/[^/]+$/, ''))
  }

  score(peer: PeerId): number {
    return this.#gate.score(peer)
  }

  send(to: PeerId, message: Uint8Array): void {
    const { messageBytesMax } = this.#limits
    if (message.length === 0 || message.length > messageBytesMax) {
      throw new RangeError(`message of ${message.length} bytes is out of range: 1 to ${messageBytesMax} bytes are allowed`)
    }
    const session = this.#sessions.get(to)
    if (session?.ready === true) session.send(message)
    else this.counters.dropped++
  }

  publish(payload: Uint8Array, to: 'all' | 'mesh'): void {
    if (this.#state === 'started') this.#gossip.publish(payload, to)
  }

  async request(to: PeerId, message: Uint8Array, signal: AbortSignal): Promise<Uint8Array> {
    const session = this.#sessions.get(to)
    if (session?.ready !== true) throw new TransportError('disconnected', `${to} is not connected`)
    return this.#requests.ask(session, message, signal)
  }

  listen(handlers: TransportHandlers): void {
    if (this.#handlers !== undefined) throw new Error('listen was called twice')
    this.#handlers = handlers
  }

  admit(nodes: readonly PeerAddress[]): void {
    this.#gate.admit(nodes)
    this.#gossip.retain(new Set(this.#gate.nodes.keys()))
    for (const session of [...this.#sessions.values()]) {
      if (!this.#gate.nodes.has(session.peer)) session.end('no longer admitted')
    }
    if (this.#state === 'started') this.#dialer.set(this.#gate.nodes)
  }

  penalise(peer: PeerId, offence: Offence): void {
    if (this.#gate.penalise(peer, offence)) this.#sessions.get(peer)?.end('banned')
  }

  penaliseGossip(peer: PeerId, offence: Offence): void {
    this.#gate.penaliseGossip(peer, offence)
  }

  async start(): Promise<void> {
    if (this.#state !== 'new' || this.#handlers === undefined) throw new Error('start must be called once, and after listen')
    this.#state = 'started'
    const { requestsServedCountMax } = this.#limits
    await this.#libp2p.handle(this.#protocols.ordered, (stream, connection) => this.#accept(stream, connection), {
      maxInboundStreams: 1,
      maxOutboundStreams: 1,
    })
    await this.#libp2p.handle(this.#protocols.request, (stream, connection) => this.#serve(stream, connection), {
      // Beyond its limit a request is answered with `busy`; this bounds the number of such answers at a time.
      maxInboundStreams: 2 * requestsServedCountMax,
      maxOutboundStreams: 2 * requestsServedCountMax,
    })
    await this.#gossip.start()
    try {
      await this.#libp2p.start()
    } catch (failure) {
      await this.#gossip.stop()
      this.#state = 'stopped'
      throw listenError(asError(failure).message)
    }
    this.#dialer.set(this.#gate.nodes)
  }

  /** Every call returns the same promise. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop()
    return this.#stopping
  }

  async #stop(): Promise<void> {
    if (this.#state !== 'started') return
    this.#state = 'stopped'
    await this.#dialer.stop()
    const deadline = linkDeadline(this.#limits.closeMsMax, [], this.#timers)
    await Promise.all([...this.#sessions.values()].map((session) => session.close(deadline.signal)))
    await this.#libp2p.stop()
    // The connection manager has cleanly closed some connections, which ended their sessions; the remaining sessions have no connection.
    for (const session of [...this.#sessions.values()]) session.end('stopped')
    await this.#gossip.stop()
    await this.#gate.close()
    this.#timers.close()
    await Promise.all(this.#tasks)
  }

  ready(session: Session): void {
    this.counters.connects++
    this.#logger.info({ peer: session.peer, address: session.connection.remoteAddr.toString() }, 'peer connected')
    this.#track(this.#gossip.connect(session.connection))
    this.#guard('onPeer', () => this.#handle().onPeer(session.peer, 'up'))
  }

  message(session: Session, message: Uint8Array): void {
    this.#guard('onMessage', () => this.#handle().onMessage(session.peer, message))
  }

  offence(session: Session, offence: Offence, detail: string): void {
    this.#logger.info({ peer: session.peer, offence, detail }, 'offence of a peer')
    this.penalise(session.peer, offence)
  }

  ended(session: Session, reason: string): void {
    this.#sessions.delete(session.peer)
    this.#track(this.#gossip.disconnect(session.connection.remotePeer))
    this.#dialer.disconnected(session.peer, this.#clock.monotonic() - session.openedAt)
    if (!session.wasReady) return
    this.counters.disconnects++
    this.#logger.info({ peer: session.peer, reason }, 'peer disconnected')
    this.#guard('onPeer', () => this.#handle().onPeer(session.peer, 'down'))
  }

  #opened(connection: Connection): void {
    const peer = connection.remotePeer.toString()
    if (this.#state !== 'started' || !this.#gate.allows(peer)) return abortConnection(connection, new Error('not admitted'))
    const existing = this.#sessions.get(peer)
    if (existing !== undefined && this.#prefers(existing, connection))
      return abortConnection(connection, new Error('a second connection'))
    if (connection.direction === 'inbound' && !this.#gate.allowsSession(peer))
      return abortConnection(connection, new Error('too many connections'))
    existing?.end('replaced by a newer connection')
    const ip = ipOf(connection.remoteAddr)
    if (ip !== undefined) this.#gate.proved(peer, ip)
    const { ordered: protocol } = this.#protocols
    const session = new Session({
      peer,
      connection,
      protocol,
      clock: this.#clock,
      timers: this.#timers,
      limits: this.#limits,
      counters: this.counters,
      events: this,
    })
    this.#sessions.set(peer, session)
    this.#dialer.connected(peer)
    this.#track(session.open())
  }

  #prefers(existing: Session, connection: Connection): boolean {
    if (existing.connection.status !== 'open') return false
    return keepsExisting({
      self: this.self,
      peer: existing.peer,
      existing: existing.connection.direction,
      fresh: connection.direction,
      ageMs: this.#clock.monotonic() - existing.openedAt,
      crossingMsMax: 2 * this.#limits.dialMsMax,
    })
  }

  #accept(stream: Stream, connection: Connection): void {
    const session = this.#sessionOn(connection)
    if (session === undefined) stream.abort(new Error('no session on this connection'))
    else session.accept(stream)
  }

  #serve(stream: Stream, connection: Connection): void {
    const session = this.#sessionOn(connection)
    if (session === undefined) stream.abort(new Error('no session on this connection'))
    else this.#track(this.#requests.serve(session, stream))
  }

  async #validate(peer: PeerId, payload: Uint8Array): Promise<'accept' | 'ignore' | 'reject'> {
    const sentAt = this.#clock.monotonic()
    try {
      const verdict = await this.#handle().onGossip(peer, payload)
      if (verdict === 'reject') this.#gate.penaliseGossip(peer, 'invalid', sentAt)
      return verdict
    } catch (error) {
      this.#fault('onGossip', error)
      return 'ignore'
    }
  }

  #sessionOn(connection: Connection): Session | undefined {
    const session = this.#sessions.get(connection.remotePeer.toString())
    return session?.connection.id === connection.id ? session : undefined
  }

  #handle(): TransportHandlers {
    if (this.#handlers === undefined) throw new Error('listen was not called')
    return this.#handlers
  }

  /** A handler that throws is a bug; it must cost one message of one peer, not the node. */
  #guard(handler: string, call: () => void): void {
    try {
      call()
    } catch (error) {
      this.#fault(handler, error)
    }
  }

  #fault(handler: string, error: unknown): void {
    this.counters.handlerFaults++
    this.#logger.warn({ handler, error }, 'a network handler threw')
  }

  #track(task: Promise<void>): void {
    const tracked: Promise<void> = task.finally(() => this.#tasks.delete(tracked))
    this.#tasks.add(tracked)
  }
}
