/** Network totals since the start, for metrics. Bytes count payloads, without framing. */
export interface NetworkCounters {
  /** Ordered streams. `writes`: batches in which `framesOut` were sent. `dropped`: messages lost to a full queue or an absent peer. */
  framesIn: number
  framesOut: number
  bytesIn: number
  bytesOut: number
  writes: number
  dropped: number
  /** Gossip payloads. `gossipDropped`: not validated because too many were pending, or not sent because a peer does not read. */
  gossipIn: number
  gossipOut: number
  gossipBytesIn: number
  gossipBytesOut: number
  gossipDropped: number
  gossipRejected: number
  /** Requests answered, refused and sent; `requestsFailed` is a part of those sent. */
  requestsIn: number
  requestsRefused: number
  requestsOut: number
  requestsFailed: number
  /**
   * Peers. `refusedByIp` counts before the handshake, `refusedById` after it. `handshakesRefused`: no slot was free; `handshakesCut`:
   * aborted to free its slot.
   */
  dials: number
  dialsFailed: number
  connects: number
  disconnects: number
  refusedByIp: number
  refusedById: number
  handshakesRefused: number
  handshakesCut: number
  penalties: number
  bans: number
  /** Bans that concern gossip alone. */
  gossipBans: number
  /** Exceptions thrown by the transport's handlers: bugs. */
  handlerFaults: number
}

/** Counters that all start at 0. */
export const createCounters = (): NetworkCounters => ({
  framesIn: 0,
  framesOut: 0,
  bytesIn: 0,
  bytesOut: 0,
  writes: 0,
  dropped: 0,
  gossipIn: 0,
  gossipOut: 0,
  gossipBytesIn: 0,
  gossipBytesOut: 0,
  gossipDropped: 0,
  gossipRejected: 0,
  requestsIn: 0,
  requestsRefused: 0,
  requestsOut: 0,
  requestsFailed: 0,
  dials: 0,
  dialsFailed: 0,
  connects: 0,
  disconnects: 0,
  refusedByIp: 0,
  refusedById: 0,
  handshakesRefused: 0,
  handshakesCut: 0,
  penalties: 0,
  bans: 0,
  gossipBans: 0,
  handlerFaults: 0,
})
