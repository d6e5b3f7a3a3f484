import { QuoinError } from '../errors.ts'

/**
 * Why a store failed. `closed`: by its user. `damaged`: a file has unexpected content. `full`: there is no more room. `unavailable`: the disk or
 * database failed; what was being committed may or may not be there.
 */
export type StoreReason = 'closed' | 'damaged' | 'full' | 'unavailable'

/** A store that could not do what it was asked. */
export class StoreError extends QuoinError {
  override name = 'StoreError'
  readonly reason: StoreReason

  constructor(reason: StoreReason, message: string, cause?: unknown) {
    super(message, cause instanceof Error ? { cause } : {})
    this.reason = reason
  }
}
