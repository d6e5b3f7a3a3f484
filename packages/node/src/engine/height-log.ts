import type { Height } from '@quoin/protocol'
import type { Logger } from '../logger.ts'
import type { PrivateValidator } from './private-validator.ts'
import type { LoggedInput, Wal, WalContent } from './wal.ts'

/**
 * Compares the log of a height with the sign state. A validator whose log of a height is lost, or went back in time, no longer knows its
 * lock. It signs nothing until that height is final, because its vote could fork the chain.
 */
export class HeightLog {
  readonly #wal: Pick<Wal, 'checkpoint'>
  readonly #validator: PrivateValidator | undefined
  readonly #logger: Logger
  /**
   * Last signed height for which the incomplete log was reported. Without it, every block that is fetched again would repeat the report.
   */
  #saidOf: number | undefined

  constructor(wal: Pick<Wal, 'checkpoint'>, validator: PrivateValidator | undefined, logger: Logger) {
    this.#wal = wal
    this.#validator = validator
    this.#logger = logger
  }

  /** Starts the log of a height. If this validator already signed in the height, an earlier log is missing. */
  async start(height: Height): Promise<void> {
    const signed = this.#validator?.lastSigned
    const isWhole = signed === undefined || signed.height < height
    if (!isWhole) this.#abstain(height)
    await this.#wal.checkpoint(height, isWhole)
    await this.#validator?.compact()
  }

  /** Checks a log that is about to be replayed; returns its inputs. */
  resume({ height, isWhole, entries }: WalContent): readonly LoggedInput[] {
    const inputs = entries.filter((entry) => entry.kind !== 'body')
    if (!isWhole || !this.#holdsLastSigned(height, inputs)) this.#abstain(height)
    return inputs
  }

  /** The log is made durable before the sign state. So a step that only the sign state knows means that the log went back in time. */
  #holdsLastSigned(height: Height, inputs: readonly LoggedInput[]): boolean {
    const last = this.#validator?.lastSigned
    if (last === undefined || last.height < height) return true
    const self = this.#validator?.address
    return inputs.some((input) => {
      if (input.kind === 'proposal')
        return last.step === 'proposal' && input.proposal.proposer === self && input.proposal.round === last.round
      return (
        input.kind === 'vote' && input.vote.kind === last.step && input.vote.validator === self && input.vote.round === last.round
      )
    })
  }

  #abstain(height: Height): void {
    const signed = this.#validator?.lastSigned?.height
    if (this.#saidOf !== signed)
      this.#logger.error(
        { height, signed },
        'the write-ahead log is incomplete for a height in which this validator signed: the validator signs nothing until that height is final',
      )
    this.#saidOf = signed
    this.#validator?.abstain()
  }
}
