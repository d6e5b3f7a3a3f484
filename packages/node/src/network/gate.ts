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
  /**
   * If given, connections are filtered by IP address, and host names in the list are resolved with it. If undefined, any address may begin
   * a handshake.
   */
  readonly resolve: Resolve | undefined
}

/**
 * Decides which peers may connect. A peer must be on the list, which its peer id proves in the handshake. With the address filter its IP
 * must match, too, before the handshake. Banned peers and peers that connect too often are refused. A handshake needs a slot; listed
 * addresses and strangers have separate slots.
 */
export class Gate {
  readonly #options: GateOptions
  readonly #scores: PeerScores
  /** Scores for gossip. A ban by these scores does not refuse connections. */
  readonly #gossipScores: PeerScores
  /** Slots reserved for the addresses of listed nodes: strangers cannot take them. */
  readonly #listedHandshakes: Handshakes
  readonly #otherHandshakes: Handshakes
  /** Address from which each listed peer last proved its identity. The list may contain only a host name, or an address behind NAT. */
  readonly #provenIps = new Map<PeerId, string>()
  readonly #names: Names | undefined
  readonly #refusals: RefusalLog
  /** How many connections each peer may still begin. */
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
    if (this.#list.invalid.length > 0)
      logger.warn({ invalid: this.#list.invalid }, 'the node list contains invalid entries: they are ignored')
    for (const scores of [this.#scores, this.#gossipScores]) scores.retain(new Set(this.nodes.keys()))
    for (const known of [this.#sessions, this.#provenIps])
      for (const peer of known.keys()) if (!this.nodes.has(peer)) known.delete(peer)
    this.#names?.set(this.#list.names)
  }

  /** Whether an inbound connection may begin its handshake. `ip` is undefined if the socket has none. */
  begins(connection: Half, ip: string | undefined): boolean {
    const handshakes = ip !== undefined && this.#isOfListed(ip) ? this.#listedHandshakes : this.#otherHandshakes
    return this.#allowsIp(ip) && handshakes.begin(connection, ip === undefined ? 'unknown' : addressOwner(ip))
  }

  /** An inbound connection has completed its handshake. */
  opened(connection: Half): void {
    this.#listedHandshakes.done(connection)
    this.#otherHandshakes.done(connection)
  }

  /** A listed peer has connected from, or was dialled at, this address. */
  proved(peer: PeerId, ip: string): void {
    this.#provenIps.set(peer, ip)
  }

  /** Checks a peer after the handshake, inbound or outbound. */
  allowsPeer(peer: PeerId): boolean {
    if (this.allows(peer)) return true
    return this.#refuse(
      peer,
      this.nodes.has(peer) ? 'the peer is temporarily banned' : "the peer is not in the chain's registry of nodes",
    )
  }

  /** Whether a peer is on the list and not banned. */
  allows(peer: PeerId): boolean {
    return this.nodes.has(peer) && this.bannedMs(peer) === 0
  }

  /** Whether a peer may begin a connection, given how many it began recently. */
  allowsSession(peer: PeerId): boolean {
    const { clock, limits } = this.#options
    const perSecond = 1_000 / limits.sessionMsMin
    const sessions = this.#sessions.get(peer) ?? new TokenBucket(clock, { perSecond, burst: limits.sessionsBurstMax })
    this.#sessions.set(peer, sessions)
    if (sessions.left < 1) return this.#refuse(peer, 'the peer connects too often')
    sessions.take(1)
    return true
  }

  /** Score of a peer: 0 is blameless, scoreMin is banned. The lower of the gossip score and the general score. */
  score(peer: PeerId): number {
    const now = this.#options.clock.monotonic()
    return Math.min(this.#scores.score(peer, now), this.#gossipScores.score(peer, now))
  }

  /** Remaining time of the peer's ban. */
  bannedMs(peer: PeerId): number {
    return this.#scores.bannedMs(peer, this.#options.clock.monotonic())
  }

  /** Remaining time during which the peer's gossip is not read. */
  gossipBannedMs(peer: PeerId): number {
    return this.#gossipScores.bannedMs(peer, this.#options.clock.monotonic())
  }

  /** Returns true if this offence got the peer banned. */
  penalise(peer: PeerId, offence: Offence): boolean {
    const { counters, logger, limits } = this.#options
    if (!this.#penalise(this.#scores, peer, offence)) return false
    counters.bans++
    logger.warn({ peer, offence, banMs: limits.banMs }, 'peer banned')
    return true
  }

  /** @param sentAt when the offending message arrived, in monotonic ms: messages sent before a ban no longer count */
  penaliseGossip(peer: PeerId, offence: Offence, sentAt?: number): void {
    const { counters, logger, limits } = this.#options
    if (!this.#penalise(this.#gossipScores, peer, offence, sentAt)) return
    counters.gossipBans++
    logger.warn({ peer, offence, banMs: limits.banMs }, 'gossip of the peer is not read until its ban ends')
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
