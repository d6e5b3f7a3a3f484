import type { Evidence } from '@quoin/protocol'
import type { PeerId } from '../powers.ts'

/** Where the engine passes evidence of equivocation. */
export interface EvidenceSink {
  /** The driver met two verified messages that contradict each other. */
  found(evidence: Evidence): void
  /** A peer sent evidence. Nothing about it is verified. */
  received(from: PeerId, evidence: Evidence): void
}
