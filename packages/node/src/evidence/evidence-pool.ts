import {
  type Address,
  type Crypto,
  codec,
  EVIDENCE_HEIGHTS_MAX,
  type Evidence,
  evidenceCodec,
  Hash,
  type Height,
  offenceOf,
} from '@quoin/protocol'
import { Sequencer } from '../lifecycle.ts'
import type { Kv } from '../powers.ts'
import { readEvidence, writeEvidence } from '../store/evidence-store.ts'
import { EVIDENCE_LIMITS } from './limits.ts'

/** Evidence with the hash by which it is known. */
export interface Known {
  readonly hash: Hash
  readonly evidence: Evidence
}

/** keccak256 of the encoding, as on the chain. */
export const evidenceHash = (crypto: Crypto, evidence: Evidence): Hash =>
  Hash(crypto.keccak256(codec.encode(evidenceCodec, evidence)))

/**
 * Verified evidence of equivocation that is not on the chain yet, one piece for each place where a validator contradicted itself. Kept in the
 * database, bounded in number and age. A change takes effect at once and is written soon after: what a crash loses peers send again.
 */
export class EvidencePool {
  readonly #crypto: Crypto
  readonly #kv: Pick<Kv, 'scan' | 'write'>
  readonly #writes = new Sequencer()
  readonly #onFailure: (error: unknown) => void
  readonly #byPlace = new Map<string, Known>()

  /** Reads what earlier processes have kept. `onFailure` is called if the database cannot be written. */
  static async open(
    kv: Pick<Kv, 'scan' | 'write'>,
    crypto: Crypto,
    onFailure: (error: unknown) => void = () => {},
  ): Promise<EvidencePool> {
    const pool = new EvidencePool(kv, crypto, onFailure)
    for (const evidence of await readEvidence(kv))
      pool.#byPlace.set(placeOf(evidence), { evidence, hash: evidenceHash(crypto, evidence) })
    return pool
  }

  private constructor(kv: Pick<Kv, 'scan' | 'write'>, crypto: Crypto, onFailure: (error: unknown) => void) {
    this.#kv = kv
    this.#crypto = crypto
    this.#onFailure = onFailure
  }

  get size(): number {
    return this.#byPlace.size
  }

  /** Oldest heights first. */
  list(): readonly Known[] {
    return [...this.#byPlace.values()].sort(
      (a, b) => a.evidence.first.height - b.evidence.first.height || (a.hash < b.hash ? -1 : 1),
    )
  }

  /** Whether there is evidence of the same contradiction. */
  has(evidence: Evidence): boolean {
    return this.#byPlace.has(placeOf(evidence))
  }

  /** Whether the key that signed may fill no more places. */
  isFull(evidence: Evidence): boolean {
    const key = keyOf(evidence)
    const count = [...this.#byPlace.values()].filter((known) => keyOf(known.evidence) === key).length
    return count >= EVIDENCE_LIMITS.perKeyCountMax
  }

  /** Adds verified evidence. Undefined if it is known, or its key may fill no more places. */
  add(evidence: Evidence): Known | undefined {
    if (this.has(evidence) || this.isFull(evidence)) return undefined
    const known = { evidence, hash: evidenceHash(this.#crypto, evidence) }
    this.#byPlace.set(placeOf(evidence), known)
    const surplus = this.list().slice(0, Math.max(0, this.size - EVIDENCE_LIMITS.countMax))
    this.#change([known], surplus)
    return this.has(evidence) ? known : undefined
  }

  /** Drops what is too old to be judged in the block after `head`, and what `isSettled`. */
  prune(head: Height, isSettled: (evidence: Evidence) => boolean): void {
    const oldest = head + 1 - EVIDENCE_HEIGHTS_MAX
    const dropped = [...this.#byPlace.values()].filter(({ evidence }) => evidence.first.height < oldest || isSettled(evidence))
    if (dropped.length > 0) this.#change([], dropped)
  }

  /** Resolves when everything is on disk. */
  close(): Promise<void> {
    return this.#writes.idle()
  }

  #change(added: readonly Known[], dropped: readonly Known[]): void {
    const changes = new Map<Hash, Evidence | undefined>(added.map(({ hash, evidence }) => [hash, evidence]))
    for (const { hash, evidence } of dropped) {
      this.#byPlace.delete(placeOf(evidence))
      changes.set(hash, undefined)
    }
    this.#writes.run(() => writeEvidence(this.#kv, changes)).catch(this.#onFailure)
  }
}

/** The key that signed. */
export const keyOf = (evidence: Evidence): Address => offenceOf(evidence).validator

function placeOf(evidence: Evidence): string {
  const { validator, height, round, kind } = offenceOf(evidence)
  return `${validator}/${height}/${round}/${kind}`
}
