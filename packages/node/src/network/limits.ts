/** Every bound of the network folder. Units stand last. Sizes are of payloads, without framing. */
export interface NetworkLimits {
  /** Largest message of the ordered stream. */
  readonly messageBytesMax: number
  /** What may wait for one peer that does not read; beyond it the oldest messages are dropped. */
  readonly sendQueueBytesMax: number
  readonly sendQueueCountMax: number
  /** Messages are written together up to this size. */
  readonly sendBatchBytesMax: number
  /** Bytes handed to a stream that it has not yet passed to the multiplexer. */
  readonly streamWriteBytesMax: number
  /** A sign of life is sent this often on the ordered stream; a peer of whom nothing came for longer than silenceMsMax is gone. */
  readonly heartbeatMs: number
  readonly silenceMsMax: number
  /** Signs of life that a peer may send in one heartbeatMs. */
  readonly heartbeatsCountMax: number
  /** Receive window of a stream: what a peer may send before it is read. */
  readonly streamWindowBytesMax: number
  /** Largest gossip payload. */
  readonly gossipBytesMax: number
  /** Largest frame of gossip, and the most messages in one: a payload and what surrounds it, or control. */
  readonly gossipFrameBytesMax: number
  readonly gossipFrameMessagesMax: number
  /** Gossip that waits for one peer; beyond it further messages for it are dropped. Control has so much more room. */
  readonly gossipSendBytesMax: number
  readonly gossipControlBytesMax: number
  /** Gossip handed to a stream that it has not yet passed to the multiplexer. */
  readonly gossipWriteBytesMax: number
  /** Payloads of one peer in validation at once, and their bytes: reading pauses there. One frame may bring some more. */
  readonly gossipPendingCountMax: number
  readonly gossipPendingBytesMax: number
  /** Gossip of one peer that is read, whatever it is: beyond it reading pauses. A frame and each message in it count some bytes more. */
  readonly gossipReadBytesPerSecond: number
  readonly gossipReadBurstBytes: number
  readonly gossipReadOverheadBytes: number
  /** Gossip streams that a peer may open at once, and how long it takes until it may open one more. An honest one opens another when one was reset. */
  readonly gossipStreamsBurstMax: number
  readonly gossipStreamMsMin: number
  /** How long gossipsub knows a payload again that comes by another way. */
  readonly gossipSeenMs: number
  readonly requestBytesMax: number
  readonly responseBytesMax: number
  /** Questions of one peer answered at once; more are refused. */
  readonly requestsServedCountMax: number
  /** Questions to one peer under way at once, and waiting for their turn. */
  readonly requestsSentCountMax: number
  readonly requestsWaitingCountMax: number
  readonly requestReadMsMax: number
  readonly responseWriteMsMax: number
  /** New inbound connections per second from one IP. */
  readonly handshakesPerSecondMax: number
  /**
   * Inbound connections in handshake from one address, and from all: so many of addresses of listed nodes, and so many of others. IPv6 addresses of one /64 count
   * as one.
   */
  readonly handshakesPerAddressMax: number
  readonly handshakesCountMax: number
  /** How long a handshake may take; and after how long it loses its place to one that has none. */
  readonly handshakeMsMax: number
  readonly handshakeYieldMs: number
  /** Connections that a peer may begin at once, and how long it takes until it may begin one more. */
  readonly sessionsBurstMax: number
  readonly sessionMsMin: number
  readonly connectionsCountMax: number
  readonly dialMsMax: number
  /** First and last wait between two dials to a peer that is down. */
  readonly redialMsMin: number
  readonly redialMsMax: number
  /** How long the peer with the greater id leaves dialling to the other, so that two dials seldom cross. */
  readonly dialHeadStartMs: number
  readonly addressesPerPeerCountMax: number
  /** Names of nodes that the filter by address resolves, addresses of one, lookups under way at once, how long one may take, and how often. */
  readonly namesCountMax: number
  readonly nameAddressesMax: number
  readonly nameLookupsMax: number
  readonly nameMsMax: number
  readonly nameRefreshMs: number
  /** Score at which a peer is banned, how long it then stays away, and in what time a score halves. */
  readonly scoreMin: number
  readonly banMs: number
  readonly scoreHalfLifeMs: number
  /** How long an orderly stop waits for a peer to take what was written. */
  readonly closeMsMax: number
}

const KiB = 1024
const MiB = 1024 * KiB

export const NETWORK_LIMITS: NetworkLimits = {
  messageBytesMax: MiB,
  sendQueueBytesMax: 16 * MiB,
  sendQueueCountMax: 16_384,
  sendBatchBytesMax: 64 * KiB,
  streamWriteBytesMax: 256 * KiB,
  heartbeatMs: 2_000,
  silenceMsMax: 8_000,
  heartbeatsCountMax: 16,
  streamWindowBytesMax: 256 * KiB,
  gossipBytesMax: 512 * KiB,
  gossipFrameBytesMax: 768 * KiB,
  gossipFrameMessagesMax: 64,
  gossipSendBytesMax: 2 * MiB,
  gossipControlBytesMax: 512 * KiB,
  gossipWriteBytesMax: 64 * KiB,
  gossipPendingCountMax: 64,
  gossipPendingBytesMax: MiB,
  gossipReadBytesPerSecond: 4 * MiB,
  gossipReadBurstBytes: 8 * MiB,
  gossipReadOverheadBytes: KiB,
  gossipStreamsBurstMax: 16,
  gossipStreamMsMin: 2_000,
  gossipSeenMs: 30_000,
  requestBytesMax: MiB,
  responseBytesMax: 16 * MiB,
  requestsServedCountMax: 4,
  requestsSentCountMax: 4,
  requestsWaitingCountMax: 256,
  requestReadMsMax: 5_000,
  responseWriteMsMax: 30_000,
  handshakesPerSecondMax: 20,
  handshakesPerAddressMax: 8,
  handshakesCountMax: 64,
  handshakeMsMax: 5_000,
  handshakeYieldMs: 1_000,
  sessionsBurstMax: 16,
  sessionMsMin: 2_000,
  connectionsCountMax: 256,
  dialMsMax: 3_000,
  redialMsMin: 250,
  redialMsMax: 5_000,
  dialHeadStartMs: 400,
  addressesPerPeerCountMax: 8,
  namesCountMax: 1_024,
  nameAddressesMax: 16,
  nameLookupsMax: 2,
  nameMsMax: 5_000,
  nameRefreshMs: 30_000,
  scoreMin: -100,
  banMs: 60_000,
  scoreHalfLifeMs: 60_000,
  closeMsMax: 1_000,
}

/** Throws RangeError when limits contradict each other: that is a bug of whoever changed them. */
export function checkLimits(limits: NetworkLimits): NetworkLimits {
  const relations: readonly (readonly [boolean, string])[] = [
    [limits.sendQueueBytesMax >= limits.messageBytesMax, 'sendQueueBytesMax must hold one message'],
    [limits.gossipFrameBytesMax >= limits.gossipBytesMax + 256 * KiB, 'gossipFrameBytesMax must hold a payload and control'],
    [limits.gossipSendBytesMax >= 2 * limits.gossipFrameBytesMax, 'gossipSendBytesMax must hold two frames'],
    [limits.gossipPendingBytesMax >= limits.gossipBytesMax, 'gossipPendingBytesMax must hold one payload'],
    [
      limits.gossipReadBurstBytes >= 2 * (limits.gossipSendBytesMax + limits.gossipControlBytesMax),
      'what an honest peer has queued is read at once',
    ],
    [limits.streamWindowBytesMax >= 256 * KiB, 'streamWindowBytesMax is at least the initial window of yamux, 256 KiB'],
    [limits.silenceMsMax >= 2 * limits.heartbeatMs, 'silenceMsMax must hold two heartbeats'],
    [limits.redialMsMin > 0 && limits.redialMsMin <= limits.redialMsMax, 'redialMsMin is from 1 to redialMsMax'],
    [limits.requestsSentCountMax <= limits.requestsServedCountMax, 'a peer must serve as many requests as one may send it'],
    [limits.handshakesPerAddressMax < limits.handshakesCountMax, 'one address must not take all places for handshakes'],
    [limits.handshakeYieldMs <= limits.handshakeMsMax, 'a handshake yields before it is over'],
    [limits.scoreMin < 0, 'scoreMin is negative'],
  ]
  for (const [holds, rule] of relations) if (!holds) throw new RangeError(rule)
  return limits
}
