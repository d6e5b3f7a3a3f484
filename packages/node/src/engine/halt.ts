import type { CommitCertificate, Hash } from '@quoin/protocol'
import type { CandidateBlock } from '../chain/types.ts'
import { CorruptFileError } from './record-file.ts'

/** What the report of a halt contains. */
export interface HaltDump {
  /** Proof that the block is final. */
  readonly certificate: CommitCertificate
  /** Undefined if this node does not have the block. */
  readonly block: CandidateBlock | undefined
  /** The last block that this node executed. */
  readonly head: Hash
  /** The transaction on which the contract interpreter failed, if that is the cause. */
  readonly transaction: Hash | undefined
}

/**
 * Whether an error must stop the engine wherever it occurs: the node cannot follow its chain, or cannot trust its files. In the loop itself
 * and in a commit every error stops the engine, because the disk failed or an invariant is broken. Any other failure of work done for a
 * peer is logged and counted, and the work is dropped.
 */
export const isHalting = (error: unknown): boolean => error instanceof HaltError || error instanceof CorruptFileError

/**
 * The network committed a block that this node cannot follow: either more than a third of the voting power is faulty, or this node is. The
 * node has no safe way to continue. Its operator must compare the state with another node, and sync from scratch if this node's state
 * differs.
 */
export class HaltError extends Error {
  // Not an own property, because a logger would print it in full.
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
