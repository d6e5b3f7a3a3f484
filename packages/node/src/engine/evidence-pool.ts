import type { Address, Evidence, Height } from '@quoin/protocol'
import { ENGINE_LIMITS } from './limits.ts'

/**
 * Proofs of equivocation that this node has seen and that are not on the chain yet. Bounded in number and age; the oldest is dropped first.
 */
export class EvidencePool {
  readonly #onEvidence: (evidence: Evidence, offender: Address) => void
  readonly #byKey = new Map<string, Evidence>()

  /** @param onEvidence Called once for each new proof. */
  constructor(onEvidence: (evidence: Evidence, offender: Address) => void) {
    this.#onEvidence = onEvidence
  }

  get size(): number {
    return this.#byKey.size
  }

  add(evidence: Evidence): void {
    const key = evidenceKey(evidence)
    if (this.#byKey.has(key)) return
    this.#byKey.set(key, evidence)
    for (const oldest of this.#byKey.keys()) {
      if (this.#byKey.size <= ENGINE_LIMITS.evidenceCountMax) break
      this.#byKey.delete(oldest)
    }
    this.#onEvidence(evidence, evidenceOffender(evidence))
  }

  list(): readonly Evidence[] {
    return [...this.#byKey.values()]
  }

  /** Drops evidence that is too old to be judged at `height`. */
  prune(height: Height): void {
    for (const [key, { first }] of this.#byKey) {
      if (first.height < height - ENGINE_LIMITS.evidenceHeightsMax) this.#byKey.delete(key)
    }
  }
}

/** Address of the validator that equivocated. */
export const evidenceOffender = (evidence: Evidence): Address =>
  evidence.kind === 'votes' ? evidence.first.validator : evidence.first.proposer

/** One proof of each kind per validator and height is enough. */
const evidenceKey = (evidence: Evidence): string => `${evidence.kind}/${evidenceOffender(evidence)}/${evidence.first.height}`
