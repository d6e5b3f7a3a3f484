import type { Hash } from './bytes.ts'
import * as codec from './codec.ts'
import { LIMITS } from './limits.ts'
import { idProblem } from './short-name.ts'

/** What a node is for: it votes for a validator, or follows the chain without voting. */
export const NODE_KINDS = ['validator', 'observer'] as const
export type NodeKind = (typeof NODE_KINDS)[number]

/** A machine that the network admits. */
export interface NodeEntry {
  /** The libp2p peer id as a string. */
  readonly peerId: string
  readonly kind: NodeKind
  readonly organisation: Hash
}

/** A node with the addresses at which others reach it. */
export interface RegisteredNode extends NodeEntry {
  /** Multiaddrs without the /p2p part, such as /ip4/10.0.0.1/tcp/26656. */
  readonly addresses: readonly string[]
}

const nodeEntry = {
  peerId: codec.ascii(LIMITS.peerIdCharsMax),
  kind: codec.eitherOf('validator', 'observer'),
  organisation: codec.checked(codec.hash, idProblem),
}

const addresses: codec.Codec<readonly string[]> = codec.list(codec.ascii(LIMITS.nodeAddressCharsMax), LIMITS.nodeAddressesMax)

/** One node without its peer id, as the state has it under that. A change of its addresses does not touch the list of nodes. */
export const nodeDetailsCodec: codec.Codec<Omit<RegisteredNode, 'peerId'>> = codec.struct({
  kind: nodeEntry.kind,
  organisation: nodeEntry.organisation,
  addresses,
})

const sortedByPeerId = <T extends NodeEntry>(item: codec.Codec<T>): codec.Codec<readonly T[]> =>
  codec.checked(codec.list(item, LIMITS.nodesMax), (nodes) => {
    for (let i = 1; i < nodes.length; i++) {
      if (nodes[i - 1]!.peerId >= nodes[i]!.peerId) return 'nodes must be sorted by peer id, without duplicates'
    }
    return undefined
  })

/** The list of nodes as in the state: sorted by peer id, without duplicates and without addresses. */
export const nodeEntriesCodec: codec.Codec<readonly NodeEntry[]> = sortedByPeerId(codec.struct(nodeEntry))

/** The list of nodes with addresses, as in genesis. */
export const nodeRegistryCodec: codec.Codec<readonly RegisteredNode[]> = sortedByPeerId(codec.struct({ ...nodeEntry, addresses }))
