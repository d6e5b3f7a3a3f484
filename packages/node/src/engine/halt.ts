import type { CommitCertificate, Hash } from '@quoin/protocol'
import type { CandidateBlock } from '../chain/types.ts'
import { CorruptFileError } from './record-file.ts'

export interface HaltDump {
  /** Proof that the block is final. */
  readonly certificate: CommitCertificate
  /** Undefined when this node does not have the block. */
  readonly block: CandidateBlock | undefined
  /** The last block that this node executed. */
  readonly head: Hash
  /** On which the contract interpreter failed, where that is why. */
  readonly transaction: Hash | undefined
}

/**
 * Whether an error ends the engine wherever it comes up: it cannot follow its chain, or cannot trust its files. In the loop itself and in a commit
 * every error does, for then the disk failed or a promise of ours is broken. All else that fails while work is done for a
 * peer is a refusal: it is logged and counted, and the work is given up.
 */
export const isHalting = (error: unknown): boolean => error instanceof HaltError || error instanceof CorruptFileError

/**
 * The others went on with a block that this node cannot follow: more than a third of the power is faulty, or this node is. Nothing that it
 * could do by itself is safe. Its operator compares the state with another node's, and syncs anew if this one differs.
 */
export class HaltError extends Error {
  // No own property, which a logger would write out in full.
  readonly #dump: HaltDump

  constructor(message: string, dump: HaltDump) {
    super(message)
    this.name = 'HaltError'
    this.#dump = dump
  }

  get dump(): HaltDump {
    return this.#dump
  }
}
