/** Limits of the network. Each name ends with its unit. Sizes count payloads, without framing. */
export interface NetworkLimits {
  /** Largest message of the ordered stream. */
  readonly messageBytesMax: number
  /** Queue limits for one peer that does not read; beyond them the oldest messages are dropped. */
  readonly sendQueueBytesMax: number
  readonly sendQueueCountMax: number
  /** Messages are written together up to this size. */
  readonly sendBatchBytesMax: number
  /** Bytes handed to a stream that it has not yet passed to the multiplexer. */
  readonly streamWriteBytesMax: number
  /** Interval of heartbeats on the ordered stream. A peer that has been silent for longer than silenceMsMax is disconnected. */
  readonly heartbeatMs: number
  readonly silenceMsMax: number
  /** Heartbeats that a peer may send in one heartbeatMs. */
  readonly heartbeatsCountMax: number
  /** Receive window of a stream: bytes that a peer may send before they are read. */
  readonly streamWindowBytesMax: number
  /** Largest gossip payload. */
  readonly gossipBytesMax: number
  /** Largest gossip frame, and the most messages in one: a payload with its envelope, or control. */
  readonly gossipFrameBytesMax: number
  readonly gossipFrameMessagesMax: number
  /** Gossip queued for one peer; beyond it further messages for the peer are dropped. Control has gossipControlBytesMax of extra room. */
  readonly gossipSendBytesMax: number
  readonly gossipControlBytesMax: number
  /** Gossip handed to a stream that it has not yet passed to the multiplexer. */
  readonly gossipWriteBytesMax: number
  /** Payloads of one peer in validation, by count and bytes: reading pauses at this limit. One frame may exceed it. */
  readonly gossipPendingCountMax: number
  readonly gossipPendingBytesMax: number
  /**
   * Read rate for gossip of one peer, whatever its content; beyond it reading pauses. Each frame and each message in it counts
   * gossipReadOverheadBytes extra.
   */
  readonly gossipReadBytesPerSecond: number
  readonly gossipReadBurstBytes: number
  readonly gossipReadOverheadBytes: number
  /**
   * Gossip streams that a peer may open at once, and the time until it may open one more. An honest peer opens another one only after a
   * reset.
   */
  readonly gossipStreamsBurstMax: number
  readonly gossipStreamMsMin: number
  /** How long gossipsub recognises a payload that arrives again from another peer. */
  readonly gossipSeenMs: number
  readonly requestBytesMax: number
  readonly responseBytesMax: number
  /** Requests of one peer answered at the same time; more are refused. */
  readonly requestsServedCountMax: number
  /** Requests to one peer that are running, and that are queued. */
  readonly requestsSentCountMax: number
  readonly requestsWaitingCountMax: number
  readonly requestReadMsMax: number
  readonly responseWriteMsMax: number
  /** New inbound connections per second from one IP. */
  readonly handshakesPerSecondMax: number
  /**
   * Inbound handshakes from one address, and in total. Addresses of listed nodes and other addresses each have this many. IPv6 addresses of
   * one /64 count as one.
   */
  readonly handshakesPerAddressMax: number
  readonly handshakesCountMax: number
  /** Time limit of a handshake, and the age at which it loses its slot to one that finds none. */
  readonly handshakeMsMax: number
  readonly handshakeYieldMs: number
  /** Connections that a peer may begin at once, and the time until it may begin one more. */
  readonly sessionsBurstMax: number
  readonly sessionMsMin: number
  readonly connectionsCountMax: number
  readonly dialMsMax: number
  /** First and last wait between two dials to a peer that is down. */
  readonly redialMsMin: number
  readonly redialMsMax: number
  /** How long the peer with the greater id leaves dialling to the other one, so that two dials rarely cross. */
  readonly dialHeadStartMs: number
  readonly addressesPerPeerCountMax: number
  /**
   * Limits for host names that the address filter resolves: names, addresses per name, lookups running at once, time per lookup, refresh
   * interval.
   */
  readonly namesCountMax: number
  readonly nameAddressesMax: number
  readonly nameLookupsMax: number
  readonly nameMsMax: number
  readonly nameRefreshMs: number
  /** Score at which a peer is banned, how long a ban lasts, and the time in which a score halves. */
  readonly scoreMin: number
  readonly banMs: number
  readonly scoreHalfLifeMs: number
  /** How long a clean stop waits for a peer to take what was written. */
  readonly closeMsMax: number
}

const KiB = 1024
const MiB = 1024 * KiB

/** Default limits; `checkLimits` asserts how they relate. */
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

/** @throws RangeError if limits contradict each other, which is a bug in the code that changed them */
export function checkLimits(limits: NetworkLimits): NetworkLimits {
  const relations: readonly (readonly [boolean, string])[] = [
    [limits.sendQueueBytesMax >= limits.messageBytesMax, 'sendQueueBytesMax must hold one message'],
    [limits.gossipFrameBytesMax >= limits.gossipBytesMax + 256 * KiB, 'gossipFrameBytesMax must hold a payload and control'],
    [limits.gossipSendBytesMax >= 2 * limits.gossipFrameBytesMax, 'gossipSendBytesMax must hold two frames'],
    [limits.gossipPendingBytesMax >= limits.gossipBytesMax, 'gossipPendingBytesMax must hold one payload'],
    [
      limits.gossipReadBurstBytes >= 2 * (limits.gossipSendBytesMax + limits.gossipControlBytesMax),
      'gossipReadBurstBytes must hold twice what an honest peer can queue',
    ],
    [limits.streamWindowBytesMax >= 256 * KiB, 'streamWindowBytesMax must be at least 256 KiB, the initial window of yamux'],
    [limits.silenceMsMax >= 2 * limits.heartbeatMs, 'silenceMsMax must hold two heartbeats'],
    [limits.redialMsMin > 0 && limits.redialMsMin <= limits.redialMsMax, 'redialMsMin must be from 1 to redialMsMax'],
    [
      limits.requestsSentCountMax <= limits.requestsServedCountMax,
      'requestsServedCountMax must be at least requestsSentCountMax',
    ],
    [
      limits.handshakesPerAddressMax < limits.handshakesCountMax,
      'handshakesPerAddressMax must be less than handshakesCountMax, so that one address cannot take all slots',
    ],
    [limits.handshakeYieldMs <= limits.handshakeMsMax, 'handshakeYieldMs must be at most handshakeMsMax'],
    [limits.scoreMin < 0, 'scoreMin must be negative'],
  ]
  for (const [holds, rule] of relations) if (!holds) throw new RangeError(rule)
  return limits
}
