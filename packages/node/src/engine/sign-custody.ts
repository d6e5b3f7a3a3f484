import { type CommitCertificate, Height, type Vote } from '@quoin/protocol'
import type { Logger } from '../logger.ts'
import { DamagedError } from '../store/damage.ts'
import type { BlockReader } from '../store/types.ts'
import { LastSignState, type MissingSignState, type SignOwner } from './last-sign-state.ts'
import { ENGINE_LIMITS } from './limits.ts'
import type { PrivateValidator } from './private-validator.ts'
import type { RecordFilePowers } from './record-file.ts'

/** The operator's settings for a missing or lost sign state. */
export interface SignStateOptions {
  /** What to do if the sign state is missing. Default: `refuse`. */
  readonly missing?: MissingSignState | undefined
  /** The operator vouches that the key has signed nothing from this height on. */
  readonly voteFrom?: Height | undefined
}

const NOTHING_SAID = Height(0)

/**
 * Opens the sign state of a key, and applies `voteFrom` if that height is not final yet.
 * @param head Height of the chain's head on this node.
 * @throws CorruptFileError if the file is damaged, belongs to another key or chain, or is missing and `missing` is not set.
 */
export async function openSignState(
  powers: RecordFilePowers,
  owner: SignOwner,
  { missing, voteFrom = NOTHING_SAID }: SignStateOptions,
  head: Height,
): Promise<LastSignState> {
  const state = await LastSignState.open(powers, owner, missing)
  // Once that height is final here, the operator's word no longer matters.
  if (voteFrom > head && (state.abstainTo === undefined || state.abstainTo >= voteFrom)) {
    state.settle(Height(voteFrom - 1))
    await state.sync()
  }
  return state
}

/**
 * Prevents a validator whose sign state was lost, or restored from a copy, from signing against its earlier votes. The signatures it may
 * have made end two heights above the highest height that peers prove with a certificate: at the next height, and at the one after if only
 * this validator knew that the next one is final. As long as the validator has signed nothing since, each block that a peer proves because
 * it was ahead moves that end.
 */
export class SignCustody {
  readonly #validator: PrivateValidator
  readonly #logger: Logger
  /** From this height on, the operator vouches for what was signed. */
  readonly #voteFrom: Height

  constructor(validator: PrivateValidator, logger: Logger, { voteFrom = NOTHING_SAID }: SignStateOptions) {
    this.#validator = validator
    this.#logger = logger
    this.#voteFrom = voteFrom
  }

  /** Handles a correctly signed vote of any validator. */
  heard(vote: Vote): void {
    // The operator knows that votes of this height may be lost.
    if (vote.height === this.#voteFrom && this.#validator.remember(vote)) return
    if (this.#validator.sawVote(vote)) this.#sayStale(vote.height)
  }

  /** Searches the newest blocks on the local disk for signatures that the sign state does not contain. */
  findIn(blocks: Pick<BlockReader, 'certificate'>, head: Height): void {
    for (let height = Math.max(1, head - ENGINE_LIMITS.ownBlocksLookedAt + 1); height <= head; height++) {
      const certificate = certificateOf(blocks, Height(height))
      if (certificate !== undefined && this.#validator.saw(certificate)) this.#sayStale(certificate.height)
    }
  }

  /**
   * Handles a final block. Its certificate may contain a signature of this validator that the sign state lacks. `isProven`: a peer that was
   * ahead had the certificate, so this validator may have signed later heights before its state was lost.
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
      'the sign state lacks a signature that this validator made: the state was restored from a copy, or another process ' +
        'signs with this key. The validator signs nothing until the chain is past every height that it may have signed',
    )
  }

  /** Peers have reported the height of the chain, and this node has committed up to it. */
  async rejoined(head: Height): Promise<void> {
    if (!this.#validator.isLost) return
    const upTo = this.#settle(head)
    await this.#validator.sync()
    this.#logger.warn({ upTo }, 'this validator will sign again above this height')
  }

  #settle(proven: Height): Height {
    const upTo = Height(proven + ENGINE_LIMITS.lostHeightsMax)
    this.#validator.settle(upTo)
    return upTo
  }

  /** Explains why nothing is signed at a height; undefined if the validator signs. */
  silence(height: Height): string | undefined {
    const upTo = this.#validator.abstainTo
    if (upTo === undefined)
      return 'it is not known what this validator has signed: it signs nothing until its peers have proved the height of the chain'
    if (height > upTo) return undefined
    return (
      `this validator signs nothing up to height ${upTo}, because it may have signed there before its sign state was lost. If the chain is stuck at height ${height} because ` +
      'more than a third of the voting power is silent, all operators must make sure that no node has this block, then start the silent validators with ' +
      `--vote-from ${height}`
    )
  }

  /** Called when a height begins: logs a warning if the validator is silent in it. */
  begins(height: Height): void {
    const why = this.silence(height)
    if (why !== undefined) this.#logger.warn({ height }, why)
  }
}

/** Undefined if it is damaged; the damage has already been reported for repair. */
function certificateOf(blocks: Pick<BlockReader, 'certificate'>, height: Height): CommitCertificate | undefined {
  try {
    return blocks.certificate(height)
  } catch (error) {
    if (error instanceof DamagedError) return undefined
    throw error
  }
}
