import type { MessageStreamDirection } from '@libp2p/interface'
import type { PeerId } from '../powers.ts'

export interface TwoConnections {
  readonly self: PeerId
  readonly peer: PeerId
  /** Direction of the existing connection and of the new one; `outbound` means that this node dialled. */
  readonly existing: MessageStreamDirection
  readonly fresh: MessageStreamDirection
  /** Age of the existing connection. */
  readonly ageMs: number
  /** How long after a connection opens another one may open whose dial began earlier. */
  readonly crossingMsMax: number
}

/**
 * Decides which of two connections to a peer stays: true keeps the older one. If both sides dialled at once, the connection dialled by the
 * lesser id stays: both sides decide the same, in whatever order they see the two. Otherwise the newer stays: a peer dials only if it has
 * no connection, so a dial that cannot have crossed ours proves that the older one is dead.
 */
export function keepsExisting({ self, peer, existing, fresh, ageMs, crossingMsMax }: TwoConnections): boolean {
  if (existing === fresh || ageMs > crossingMsMax) return false
  return existing === (self < peer ? 'outbound' : 'inbound')
}
