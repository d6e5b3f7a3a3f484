import type { KvOp, KvReader } from '@quoin/execution'

/**
 * What the node may do to the world. The real powers (classic-level, files, libp2p, the operating system) are made in
 * `validator/` before anything starts; the simulator makes its own. All code above them is the same in both.
 */

/** Ordered key-value database. Keys compare bytewise. Closed by whoever opened it. */
export interface Kv extends KvReader {
  /** Committed value, synchronously: a cached or memory-mapped read of microseconds. */
  get(key: Uint8Array): Uint8Array | undefined
  getMany(keys: readonly Uint8Array[]): Promise<readonly (Uint8Array | undefined)[]>
  /** Entries of a range in key order, from one consistent snapshot. */
  scan(range: KvRange): AsyncIterable<readonly [key: Uint8Array, value: Uint8Array]>
  /** All or nothing, on disk when it resolves. */
  write(ops: readonly KvOp[]): Promise<void>
  /** Writes what holds keys of a range anew, without what was overwritten; takes up to seconds. Absent where nothing lies in files. */
  compact?(range: Pick<KvRange, 'from' | 'to'>): Promise<void>
}

export interface KvRange {
  /** First key, inclusive. */
  readonly from: Uint8Array
  /** End, exclusive. */
  readonly to: Uint8Array
  readonly reverse?: boolean
  /** Entries at the most. */
  readonly limit?: number
}

/** Append-only file. Bytes are durable only after `sync`. */
export interface LogFile {
  /** Everything that lies in the file, durable or not. Read once, at the start. */
  read(): Promise<Uint8Array>
  /** Queues bytes behind those appended before. */
  append(bytes: Uint8Array): void
  /** Resolves when everything appended before the call is on disk. */
  sync(): Promise<void>
  /** Atomically makes these bytes the file's whole content, durably (new file, sync, rename, directory sync). */
  replace(content: Uint8Array): Promise<void>
  /** Cuts the file to its first `length` bytes, durably. */
  truncate(length: number): Promise<void>
  close(): Promise<void>
}

export interface Clock {
  /** Wall-clock milliseconds since the Unix epoch. */
  now(): number
  /** Milliseconds that never go back, for durations. */
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
 * What kinds of messages travel between validators. `consensus`: ordered and coalesced, a stream a peer. `transactions`: gossip to
 * all. `request`: a question and one answer.
 */
export interface Transport {
  readonly self: PeerId
  /** Peers that are connected and admitted now. */
  peers(): readonly PeerId[]
  /**
   * Queues a message on the ordered stream to one peer. Never blocks: a peer that does not drain its bounded queue loses the
   * oldest messages (counted), because votes are rebroadcast.
   */
  send(to: PeerId, message: Uint8Array): void
  /**
   * Gossips a payload, without order. To `all` peers goes what begins at this node; to the `mesh`, the peers that pass gossip on to each other,
   * what others began. Never blocks: a peer that does not drain its bounded queue misses the payload (counted).
   */
  publish(payload: Uint8Array, to: 'all' | 'mesh'): void
  /** One question to one peer; rejects with TransportError on refusal, disconnect, oversize or abort. */
  request(to: PeerId, message: Uint8Array, signal: AbortSignal): Promise<Uint8Array>
  /** Sets who listens; called once, before `start`. */
  listen(handlers: TransportHandlers): void
  /** Who may stay connected from now on; others are dropped. */
  admit(nodes: readonly PeerAddress[]): void
  /** Lowers a peer's score; below the limit it is disconnected and banned for a while. What is reported during its ban counts for nothing. */
  penalise(peer: PeerId, offence: Offence): void
  /** The same for what a peer gossips: below the limit its gossip is not read for a while, and everything else goes on. */
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
   * A gossip payload: once from whoever brings it first, and again from a peer that brings it again. `accept` spreads it on, `ignore` drops
   * it, `reject` drops it and lowers the sender's score. While many of a peer's payloads have no answer yet, no more of them are read.
   */
  onGossip(from: PeerId, payload: Uint8Array): Promise<'accept' | 'ignore' | 'reject'>
  /** The answer to a question; undefined refuses it. */
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
