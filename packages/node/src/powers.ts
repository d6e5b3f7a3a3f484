import type { KvOp, KvReader } from '@quoin/execution'

/**
 * Interfaces to the outside world. `validator/` makes the real ones (classic-level, files, libp2p, the operating system) before anything
 * starts; the simulator makes its own. All code above them is the same in both.
 */

/** Ordered key-value database. Keys compare bytewise. Its opener closes it. */
export interface Kv extends KvReader {
  /** Committed value. Synchronous: a cached or memory-mapped read takes microseconds. */
  get(key: Uint8Array): Uint8Array | undefined
  getMany(keys: readonly Uint8Array[]): Promise<readonly (Uint8Array | undefined)[]>
  /** Entries of a range in key order, from one consistent snapshot. */
  scan(range: KvRange): AsyncIterable<readonly [key: Uint8Array, value: Uint8Array]>
  /** Writes atomically. The data is durable when the promise resolves. */
  write(ops: readonly KvOp[]): Promise<void>
  /** Rewrites the files that hold keys of a range, without overwritten values. Takes up to seconds. Absent if nothing is in files. */
  compact?(range: Pick<KvRange, 'from' | 'to'>): Promise<void>
}

export interface KvRange {
  /** First key, inclusive. */
  readonly from: Uint8Array
  /** End, exclusive. */
  readonly to: Uint8Array
  readonly reverse?: boolean
  /** Maximum number of entries. */
  readonly limit?: number
}

/** Append-only file. Bytes are durable only after `sync`. */
export interface LogFile {
  /** The whole content, durable or not. Called once, at the start. */
  read(): Promise<Uint8Array>
  /** Queues bytes for writing, after those appended before. */
  append(bytes: Uint8Array): void
  /** Resolves when everything appended before the call is on disk. */
  sync(): Promise<void>
  /** Atomically and durably replaces the file's whole content (new file, sync, rename, directory sync). */
  replace(content: Uint8Array): Promise<void>
  /** Durably truncates the file to its first `length` bytes. */
  truncate(length: number): Promise<void>
  close(): Promise<void>
}

export interface Clock {
  /** Wall-clock milliseconds since the Unix epoch. */
  now(): number
  /** Monotonic milliseconds, for durations. */
  monotonic(): number
  /** Runs `action` once after `ms`; the returned function cancels it. */
  after(ms: number, action: () => void): () => void
}

export interface Random {
  bytes(length: number): Uint8Array
}

/** A libp2p peer id in its text form. */
export type PeerId = string

/**
 * The network between validators. `send`: ordered consensus messages, one stream per peer. `publish`: transaction gossip.
 * `request`: a request with one response.
 */
export interface Transport {
  readonly self: PeerId
  /** Peers that are now connected and admitted. */
  peers(): readonly PeerId[]
  /**
   * Queues a message on the ordered stream to one peer. Never blocks: if a peer does not drain its bounded queue, the oldest messages are
   * dropped (and counted). That is safe because votes are rebroadcast.
   */
  send(to: PeerId, message: Uint8Array): void
  /**
   * Gossips a payload, without order. Payloads that originate at this node go to `all` peers; payloads of others go to the `mesh`, the
   * peers that forward gossip to each other. Never blocks: a peer that does not drain its bounded queue misses the payload (counted).
   */
  publish(payload: Uint8Array, to: 'all' | 'mesh'): void
  /** Sends a request to one peer. Rejects with TransportError on refusal, disconnect, oversize or abort. */
  request(to: PeerId, message: Uint8Array, signal: AbortSignal): Promise<Uint8Array>
  /** Sets the handlers. Called once, before `start`. */
  listen(handlers: TransportHandlers): void
  /** Sets the nodes that may connect from now on. Others are disconnected. */
  admit(nodes: readonly PeerAddress[]): void
  /** Lowers a peer's score. Below the limit, the peer is disconnected and banned for a while. Reports during a ban are ignored. */
  penalise(peer: PeerId, offence: Offence): void
  /** As `penalise`, for gossip: below the limit, the peer's gossip is ignored for a while, and everything else continues. */
  penaliseGossip(peer: PeerId, offence: Offence): void
  start(): Promise<void>
  stop(): Promise<void>
}

export interface PeerAddress {
  readonly peerId: PeerId
  /** Multiaddresses without the /p2p part, such as /ip4/127.0.0.1/tcp/26656. */
  readonly addresses: readonly string[]
}

export interface TransportHandlers {
  /** A message of the ordered stream. */
  onMessage(from: PeerId, message: Uint8Array): void
  /**
   * A gossip payload: once from the first peer that delivers it, and again from a peer that repeats it. `accept` forwards it, `ignore`
   * drops it, `reject` drops it and lowers the sender's score. While many of a peer's payloads are pending, no more are read from it.
   */
  onGossip(from: PeerId, payload: Uint8Array): Promise<'accept' | 'ignore' | 'reject'>
  /** Answers a request; undefined refuses it. */
  onRequest(from: PeerId, message: Uint8Array): Promise<Uint8Array | undefined>
  onPeer(peer: PeerId, state: 'up' | 'down'): void
}

export type Offence = 'malformed' | 'oversized' | 'out-of-turn' | 'invalid' | 'flood'

export class TransportError extends Error {
  readonly reason: 'disconnected' | 'refused' | 'oversized' | 'aborted' | 'failed'
  constructor(reason: TransportError['reason'], message: string) {
    super(message)
    this.reason = reason
  }
}
