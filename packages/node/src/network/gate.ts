import type { Clock, Offence, PeerAddress, PeerId } from '../powers.ts'
import { TokenBucket } from '../token-bucket.ts'
import { type AdmissionList, type AdmittedNode, admissionList } from './admission.ts'
import type { NetworkCounters } from './counters.ts'
import { type Half, Handshakes } from './handshakes.ts'
import { addressOwner } from './ip-address.ts'
import type { NetworkLimits } from './limits.ts'
import type { NetworkLogger } from './logger.ts'
import { Names, type Resolve } from './names.ts'
import { PeerScores } from './peer-score.ts'
import { RefusalLog } from './refusal-log.ts'
import type { Timers } from './timers.ts'

export interface GateOptions {
  readonly self: PeerId
  readonly limits: NetworkLimits
  readonly counters: NetworkCounters
  readonly clock: Clock
  readonly timers: Timers
  readonly logger: NetworkLogger
  /** Refuses other addresses than those of the list, and looks up the names in it; undefined lets all addresses begin a handshake. */
  readonly resolve: Resolve | undefined
}

/**
 * Who may be connected: the peers of the list, by their id, which the handshake proves, and where that is wanted by their address before it;
 * unless they are banned or connect too often. Handshakes need a place, and strangers have other places than the addresses of listed nodes.
 */
export class Gate {
  readonly #options: GateOptions
  readonly #scores: PeerScores
  /** For what peers gossip. A ban by these keeps nobody away. */
  readonly #gossipScores: PeerScores
  /** Places of their own for addresses of listed nodes: strangers, however many, take none of them. */
  readonly #listedHandshakes: Handshakes
  readonly #otherHandshakes: Handshakes
  /** The address from which each listed peer last proved who it is: the list may have a name, or an address behind a translation. */
  readonly #provenIps = new Map<PeerId, string>()
  readonly #names: Names | undefined
  readonly #refusals: RefusalLog
  /** Connections that each peer may still begin. */
  readonly #sessions = new Map<PeerId, TokenBucket>()
  #list: AdmissionList

  constructor(options: GateOptions) {
    const { self, limits, counters, clock, timers, logger, resolve } = options
    this.#options = options
    this.#scores = new PeerScores(limits)
    this.#gossipScores = new PeerScores(limits)
    this.#listedHandshakes = new Handshakes(clock, limits, counters)
    this.#otherHandshakes = new Handshakes(clock, limits, counters)
    this.#refusals = new RefusalLog(clock, logger)
    this.#names = resolve && new Names({ resolve, limits, timers, logger })
    this.#list = admissionList([], self, limits.addressesPerPeerCountMax)
  }

  get nodes(): ReadonlyMap<PeerId, AdmittedNode> {
    return this.#list.nodes
  }

  admit(nodes: readonly PeerAddress[]): void {
    const { self, limits, logger } = this.#options
    this.#list = admissionList(nodes, self, limits.addressesPerPeerCountMax)
    if (this.#list.invalid.length > 0) logger.warn({ invalid: this.#list.invalid }, 'entries of the node list are not usable')
    for (const scores of [this.#scores, this.#gossipScores]) scores.retain(new Set(this.nodes.keys()))
    for (const known of [this.#sessions, this.#provenIps])
      for (const peer of known.keys()) if (!this.nodes.has(peer)) known.delete(peer)
    this.#names?.set(this.#list.names)
  }

  /** Whether an inbound connection may begin its handshake; the IP is undefined when the socket has none. */
  begins(connection: Half, ip: string | undefined): boolean {
    const handshakes = ip !== undefined && this.#isOfListed(ip) ? this.#listedHandshakes : this.#otherHandshakes
    return this.#allowsIp(ip) && handshakes.begin(connection, ip === undefined ? 'unknown' : addressOwner(ip))
  }

  /** An inbound connection has proved who it is. */
  opened(connection: Half): void {
    this.#listedHandshakes.done(connection)
    this.#otherHandshakes.done(connection)
  }

  /** A peer of the list has a connection, from or at this address. */
  proved(peer: PeerId, ip: string): void {
    this.#provenIps.set(peer, ip)
  }

  /** After the handshake, of either direction. */
  allowsPeer(peer: PeerId): boolean {
    if (this.allows(peer)) return true
    return this.#refuse(
      peer,
      this.nodes.has(peer) ? 'the peer is banned for a while' : "the peer is not in the chain's registry of nodes",
    )
  }

  /** Whether a peer is on the list and not banned. */
  allows(peer: PeerId): boolean {
    return this.nodes.has(peer) && this.bannedMs(peer) === 0
  }

  /** A peer begins a connection: whether it may, because it has not begun too many of late. */
  allowsSession(peer: PeerId): boolean {
    const { clock, limits } = this.#options
    const perSecond = 1_000 / limits.sessionMsMin
    const sessions = this.#sessions.get(peer) ?? new TokenBucket(clock, { perSecond, burst: limits.sessionsBurstMax })
    this.#sessions.set(peer, sessions)
    if (sessions.left < 1) return this.#refuse(peer, 'the peer connects too often')
    sessions.take(1)
    return true
  }

  /** 0 is blameless, scoreMin banned: for what the peer gossips or for the rest, whichever is worse. */
  score(peer: PeerId): number {
    const now = this.#options.clock.monotonic()
    return Math.min(this.#scores.score(peer, now), this.#gossipScores.score(peer, now))
  }

  /** How long a peer's ban still lasts. */
  bannedMs(peer: PeerId): number {
    return this.#scores.bannedMs(peer, this.#options.clock.monotonic())
  }

  /** How long a peer's gossip is not read. */
  gossipBannedMs(peer: PeerId): number {
    return this.#gossipScores.bannedMs(peer, this.#options.clock.monotonic())
  }

  /** Returns whether this made the peer banned. */
  penalise(peer: PeerId, offence: Offence): boolean {
    const { counters, logger, limits } = this.#options
    if (!this.#penalise(this.#scores, peer, offence)) return false
    counters.bans++
    logger.warn({ peer, offence, banMs: limits.banMs }, 'peer banned')
    return true
  }

  /** @param sentAt when what offends arrived, in monotonic ms: what a peer sent before a ban counts no more */
  penaliseGossip(peer: PeerId, offence: Offence, sentAt?: number): void {
    const { counters, logger, limits } = this.#options
    if (!this.#penalise(this.#gossipScores, peer, offence, sentAt)) return
    counters.gossipBans++
    logger.warn({ peer, offence, banMs: limits.banMs }, 'gossip of the peer is not read for a while')
  }

  #penalise(scores: PeerScores, peer: PeerId, offence: Offence, sentAt?: number): boolean {
    if (!this.nodes.has(peer)) return false
    const { clock, counters, logger } = this.#options
    const outcome = scores.penalise(peer, offence, clock.monotonic(), sentAt)
    if (outcome === 'spent') return false
    counters.penalties++
    logger.info({ peer, offence, score: this.score(peer), banned: outcome === 'banned' }, 'peer penalised')
    return outcome === 'banned'
  }

  async close(): Promise<void> {
    await this.#names?.close()
  }

  #isOfListed(ip: string): boolean {
    const owner = addressOwner(ip)
    if (this.#list.namesIp(ip) || this.#names?.has(ip) === true) return true
    return [...this.#provenIps.values()].some((proven) => addressOwner(proven) === owner)
  }

  #allowsIp(ip: string | undefined): boolean {
    if (this.#names === undefined || (ip !== undefined && (this.#list.hasIp(ip) || this.#names.has(ip)))) return true
    this.#options.counters.refusedByIp++
    this.#refusals.refused(ip ?? 'unknown', 'no registered node has this IP address, and p2p.filter-by-address is on')
    return false
  }

  #refuse(peer: PeerId, why: string): false {
    this.#options.counters.refusedById++
    this.#refusals.refused(peer, why)
    return false
  }
}
