import * as codec from './codec.ts'
import { LIMITS } from './limits.ts'

/** A machine that may stay connected: its libp2p identity and where it listens. */
export interface RegisteredNode {
  /** Text form of the peer id. */
  readonly peerId: string
  /** Multiaddresses without the /p2p part, such as /ip4/10.0.0.1/tcp/26656. */
  readonly addresses: readonly string[]
}

const registeredNode: codec.Codec<RegisteredNode> = codec.struct({
  peerId: codec.ascii(LIMITS.peerIdCharsMax),
  addresses: codec.list(codec.ascii(LIMITS.nodeAddressCharsMax), LIMITS.nodeAddressesMax),
})

/** Sorted by peer id, each once. */
export const nodeRegistryCodec: codec.Codec<readonly RegisteredNode[]> = codec.checked(
  codec.list(registeredNode, LIMITS.nodesMax),
  (nodes) => {
    for (let i = 1; i < nodes.length; i++) {
      if (nodes[i - 1]!.peerId >= nodes[i]!.peerId) return 'nodes are not sorted by peer id, each once'
    }
    return undefined
  },
)
