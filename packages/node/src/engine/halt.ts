import type { CommitCertificate, Hash, Header } from '@quoin/protocol'

export interface HaltDump {
  /** Proof that the block is final. */
  readonly certificate: CommitCertificate
  /** Undefined when this node does not have the block. */
  readonly header: Header | undefined
  /** The last block that this node executed. */
  readonly head: Hash
}

/**
 * The others went on with a block that this node cannot follow: more than a third of the power is faulty, or this node is. Nothing that it
 * could do by itself is safe. Its operator compares the state with another node's, and syncs anew if this one differs.
 */
export class HaltError extends Error {
  readonly dump: HaltDump

  constructor(message: string, dump: HaltDump) {
    super(message)
    this.dump = dump
  }
}
