import type { MessageStreamDirection } from '@libp2p/interface'
import type { PeerId } from '../powers.ts'

export interface TwoConnections {
  readonly self: PeerId
  readonly peer: PeerId
  /** Who dialled the connection that exists, and the one that just opened: `outbound` is ourselves. */
  readonly existing: MessageStreamDirection
  readonly fresh: MessageStreamDirection
  /** Age of the existing connection. */
  readonly ageMs: number
  /** How long after a connection another may still open whose dial began before it. */
  readonly crossingMsMax: number
}

/**
 * Whether, of two connections to a peer, the older stays. When both sides dialled at once, the one that the lesser id dialled stays: both
 * come to the same answer, in whatever order they see the two. Otherwise the newer stays: a peer dials only when it has no connection,
 * so a dial that cannot have crossed ours says that the older one is dead.
 */
export function keepsExisting({ self, peer, existing, fresh, ageMs, crossingMsMax }: TwoConnections): boolean {
  if (existing === fresh || ageMs > crossingMsMax) return false
  return existing === (self < peer ? 'outbound' : 'inbound')
}
