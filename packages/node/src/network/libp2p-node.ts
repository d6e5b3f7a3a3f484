import './compat.ts'
import { noise } from '@chainsafe/libp2p-noise'
import { yamux } from '@chainsafe/libp2p-yamux'
import type { Libp2p, PrivateKey } from '@libp2p/interface'
import { tcp } from '@libp2p/tcp'
import type { Multiaddr } from '@multiformats/multiaddr'
import { utf8ToBytes } from '@quoin/protocol'
import { createLibp2p } from 'libp2p'
import { coalescing } from './coalesce.ts'
import type { Gate } from './gate.ts'
import type { NetworkLimits } from './limits.ts'
import { libp2pLogger, type NetworkLogger } from './logger.ts'

export interface NodeOptions {
  readonly privateKey: PrivateKey
  readonly listen: readonly string[]
  readonly networkId: string
  readonly limits: NetworkLimits
  readonly gate: Pick<Gate, 'allowsPeer' | 'begins' | 'opened'>
  readonly logger: NetworkLogger
}

/**
 * Creates (but does not start) libp2p over TCP, noise and yamux with our limits. No identify and no discovery, because peers and protocols
 * are known.
 */
export function createNode({ privateKey, listen, networkId, limits, gate, logger }: NodeOptions): Promise<Libp2p> {
  return createLibp2p({
    start: false,
    privateKey: privateKey,
    addresses: { listen: [...listen] },
    transports: [tcp({ maxConnections: limits.connectionsCountMax + 2 * limits.handshakesCountMax })],
    // The prologue is hashed into the handshake: a handshake with a node of another chain fails.
    connectionEncrypters: [coalescing(noise({ prologueBytes: utf8ToBytes(`quoin:${networkId}`) }))],
    streamMuxers: [
      yamux({
        maxInboundStreams: 2 * limits.requestsServedCountMax + 8,
        maxOutboundStreams: 2 * limits.requestsSentCountMax + 8,
        streamOptions: { maxStreamWindowSize: limits.streamWindowBytesMax, maxReadBufferLength: 4 * limits.streamWindowBytesMax },
      }),
    ],
    connectionGater: {
      denyInboundConnection: (connection) => !gate.begins(connection, ipOf(connection.remoteAddr)),
      denyInboundEncryptedConnection: (peer) => !gate.allowsPeer(peer.toString()),
      denyOutboundEncryptedConnection: (peer) => !gate.allowsPeer(peer.toString()),
      denyInboundUpgradedConnection: (_peer, connection) => {
        gate.opened(connection)
        return false
      },
    },
    connectionManager: {
      maxConnections: limits.connectionsCountMax,
      inboundConnectionThreshold: limits.handshakesPerSecondMax,
      // Our gate limits these; libp2p's limit would let one address keep out all others.
      maxIncomingPendingConnections: Number.POSITIVE_INFINITY,
      inboundUpgradeTimeout: limits.handshakeMsMax,
      inboundStreamProtocolNegotiationTimeout: limits.handshakeMsMax,
      outboundStreamProtocolNegotiationTimeout: limits.handshakeMsMax,
      dialTimeout: limits.dialMsMax,
      addressDialTimeout: limits.dialMsMax,
      connectionCloseTimeout: limits.closeMsMax,
    },
    // Our heartbeats do that. The monitor aborts a connection where nothing catches the exception that yamux then throws.
    connectionMonitor: { enabled: false },
    logger: libp2pLogger(logger),
  })
}

/** The IP address in a multiaddress; undefined if it contains none. */
export const ipOf = (address: Multiaddr): string | undefined =>
  address.getComponents().find(({ name }) => name === 'ip4' || name === 'ip6')?.value
