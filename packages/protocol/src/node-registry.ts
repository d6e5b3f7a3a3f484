import * as codec from './codec.ts'
import { LIMITS } from './limits.ts'

/** A machine that the network admits: its libp2p identity and its addresses. */
export interface RegisteredNode {
  /** The libp2p peer id as a string. */
  readonly peerId: string
  /** Multiaddrs without the /p2p part, such as /ip4/10.0.0.1/tcp/26656. */
  readonly addresses: readonly string[]
}

const registeredNode: codec.Codec<RegisteredNode> = codec.struct({
  peerId: codec.ascii(LIMITS.peerIdCharsMax),
  addresses: codec.list(codec.ascii(LIMITS.nodeAddressCharsMax), LIMITS.nodeAddressesMax),
})

/** A list of nodes, sorted by peer id, without duplicates. */
export const nodeRegistryCodec: codec.Codec<readonly RegisteredNode[]> = codec.checked(
  codec.list(registeredNode, LIMITS.nodesMax),
  (nodes) => {
    for (let i = 1; i < nodes.length; i++) {
      if (nodes[i - 1]!.peerId >= nodes[i]!.peerId) return 'nodes must be sorted by peer id, without duplicates'
    }
    return undefined
  },
)
