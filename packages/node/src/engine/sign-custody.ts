import { type CommitCertificate, Height, type Vote } from '@quoin/protocol'
import type { Logger } from '../logger.ts'
import { DamagedError } from '../store/damage.ts'
import type { BlockReader } from '../store/types.ts'
import { LastSignState, type MissingSignState, type SignOwner } from './last-sign-state.ts'
import { ENGINE_LIMITS } from './limits.ts'
import type { PrivateValidator } from './private-validator.ts'
import type { RecordFilePowers } from './record-file.ts'

export interface SignStateOptions {
  /** What to do where there is none; `refuse` is the default. */
  readonly missing?: MissingSignState | undefined
  /** The operator's word that the key has signed nothing from this height on. */
  readonly voteFrom?: Height | undefined
}

const NOTHING_SAID = Height(0)

/** The sign state of a key, where so much of the chain is known. Throws CorruptFileError: damaged, another's, or missing without a word of what to do. */
export async function openSignState(
  powers: RecordFilePowers,
  owner: SignOwner,
  { missing, voteFrom = NOTHING_SAID }: SignStateOptions,
  head: Height,
): Promise<LastSignState> {
  const state = await LastSignState.open(powers, owner, missing)
  // Of a height that is final here, the operator's word has been used.
  if (voteFrom > head && (state.abstainTo === undefined || state.abstainTo >= voteFrom)) {
    state.settle(Height(voteFrom - 1))
    await state.sync()
  }
  return state
}

/**
 * Keeps a validator from signing the opposite of what it signed before its sign state was lost, or before the copy was made that it was restored
 * from. What it may have signed ends two heights above the highest one that peers prove by a certificate: at the next height, and at
 * the one after, if this validator alone knew the next to be final. As long as it has signed nothing since, each block that a peer proves,
 * because it was ahead, moves that end.
 */
export class SignCustody {
  readonly #validator: PrivateValidator
  readonly #logger: Logger
  /** From this height on the operator answers for what was signed. */
  readonly #voteFrom: Height

  constructor(validator: PrivateValidator, logger: Logger, { voteFrom = NOTHING_SAID }: SignStateOptions) {
    this.#validator = validator
    this.#logger = logger
    this.#voteFrom = voteFrom
  }

  /** A vote with a good signature, of anybody. */
  heard(vote: Vote): void {
    // The operator knows that votes of this height may be lost.
    if (vote.height === this.#voteFrom && this.#validator.remember(vote)) return
    if (this.#validator.sawVote(vote)) this.#sayStale(vote.height)
  }

  /** Looks at the newest blocks on this disk, which may know of signatures that the sign state does not. */
  findIn(blocks: Pick<BlockReader, 'certificate'>, head: Height): void {
    for (let height = Math.max(1, head - ENGINE_LIMITS.ownBlocksLookedAt + 1); height <= head; height++) {
      const certificate = certificateOf(blocks, Height(height))
      if (certificate !== undefined && this.#validator.saw(certificate)) this.#sayStale(certificate.height)
    }
  }

  /**
   * A block is final. Its certificate may have a signature of ours that the sign state does not know. `isProven`: a peer that was ahead had it; and so
   * this validator may have signed the next ones before its state was lost.
   */
  async committed(certificate: CommitCertificate, isRejoining: boolean, isProven: boolean): Promise<void> {
    const { height } = certificate
    if (this.#validator.saw(certificate)) this.#sayStale(height)
    if (this.#validator.isLost && !isRejoining) await this.rejoined(height)
    else if (isProven && this.#validator.isOnProbation && height >= this.#voteFrom) this.#settle(height)
    await this.#validator.sync()
  }

  #sayStale(height: Height): void {
    this.#logger.error(
      { height, signed: this.#validator.lastSigned?.height },
      'there is a signature of this validator that its sign state does not know: the state was restored from a copy, or another process ' +
        'signs with this key. It keeps silent until the chain is past what it may have signed',
    )
  }

  /** Peers have said how far the chain is, and all of that is committed here. */
  async rejoined(head: Height): Promise<void> {
    if (!this.#validator.isLost) return
    const upTo = this.#settle(head)
    await this.#validator.sync()
    this.#logger.warn({ upTo }, 'this validator signs again above this height')
  }

  #settle(proven: Height): Height {
    const upTo = Height(proven + ENGINE_LIMITS.lostHeightsMax)
    this.#validator.settle(upTo)
    return upTo
  }

  /** Why nothing is signed at a height, in words; undefined when it is. */
  silence(height: Height): string | undefined {
    const upTo = this.#validator.abstainTo
    if (upTo === undefined)
      return 'what this validator has signed is not known: it keeps silent until its peers have proved how far the chain is'
    if (height > upTo) return undefined
    return (
      `this validator keeps silent up to height ${upTo}, where it may have signed before its sign state was lost. If the chain stands still at height ${height} because ` +
      'more than a third of the power is silent, let all operators make sure that nobody has this block, and start the silent ones with ' +
      `--vote-from ${height}`
    )
  }

  /** A height begins: says so where this validator is silent. */
  begins(height: Height): void {
    const why = this.silence(height)
    if (why !== undefined) this.#logger.warn({ height }, why)
  }
}

/** Undefined where it is damaged, which was told to whoever mends it. */
function certificateOf(blocks: Pick<BlockReader, 'certificate'>, height: Height): CommitCertificate | undefined {
  try {
    return blocks.certificate(height)
  } catch (error) {
    if (error instanceof DamagedError) return undefined
    throw error
  }
}
