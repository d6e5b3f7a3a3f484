import type { CommitCertificate, Hash, Header } from '@quoin/protocol'
import type { CandidateBlock, ValidationError } from '../chain/types.ts'
import { EndingError } from '../health/ending-error.ts'
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
export const isHalting = (error: unknown): boolean =>
  error instanceof HaltError || error instanceof CorruptFileError || error instanceof EndingError

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

/** What every reason to halt knows: the proof that a block is final, and where this node stands. */
interface Final {
  readonly certificate: CommitCertificate
  readonly head: Hash
}

/** The reasons to halt. */
export const halts = {
  /** More than two thirds of the power committed bytes that are no list of transactions. */
  undecodable: (final: Final): HaltError =>
    new HaltError('the committed block contains a transaction that cannot be decoded', {
      ...final,
      block: undefined,
      transaction: undefined,
    }),

  /** The committed block is invalid here, or the interpreter failed on it. */
  invalid: (final: Final, block: CandidateBlock, error: ValidationError): HaltError => {
    const isFault = error.code === 'interpreter-fault'
    return new HaltError(`a committed block ${isFault ? 'cannot be executed' : 'is invalid'} on this node: ${error.message}`, {
      ...final,
      block,
      transaction: isFault ? error.transaction : undefined,
    })
  },

  /** A final block does not follow this node's head. */
  forked: (final: Final, { number, parentHash }: Header, hash: Hash): HaltError =>
    new HaltError(
      `block ${number} ${hash} is final and has parent ${parentHash}, but the head of this node is ${final.head}: the chain has forked`,
      { ...final, block: undefined, transaction: undefined },
    ),
}
