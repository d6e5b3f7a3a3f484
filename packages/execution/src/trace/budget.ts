import { ITEM_BYTES, TRACE_LIMITS } from './limits.ts'

/** Bounds what one trace request records. After it is exceeded nothing more is recorded, but the run goes on unchanged. */
export class TraceBudget {
  #framesLeft: number = TRACE_LIMITS.framesMax
  #bytesLeft: number = TRACE_LIMITS.bytesMax

  get isExceeded(): boolean {
    return this.#framesLeft < 0 || this.#bytesLeft < 0
  }

  /** Counts a call frame. Returns whether it may be recorded. */
  takeFrame(bytes: number): boolean {
    this.#framesLeft--
    return this.take(bytes)
  }

  /** Counts a log, an account, an entry or an output. Returns whether it may be recorded. */
  take(bytes: number): boolean {
    this.#bytesLeft -= ITEM_BYTES + bytes
    return !this.isExceeded
  }
}
