import type { Height } from '@quoin/protocol'
import type { Clock } from '../powers.ts'
import type { BlockSync, SyncedBlock } from '../sync/types.ts'
import { ENGINE_LIMITS } from './limits.ts'

export interface CatchUpPowers {
  readonly sync: Pick<BlockSync, 'behind' | 'onBehind' | 'next'>
  readonly clock: Pick<Clock, 'after'>
  readonly headHeight: () => Height
  readonly spawn: (name: string, task: (closing: AbortSignal) => Promise<void>) => void
  /** Called when a bug made work for a peer fail. Throws if the error must stop the engine. */
  readonly onFailure: (task: string, error: unknown) => void
}

/**
 * Fetches final blocks while peers are ahead, one at a time: the next one is requested after the engine has committed the last. A peer is
 * often one height ahead for a moment, so a claim must outlive a short grace period before anything is fetched.
 */
export class CatchUp {
  readonly #powers: CatchUpPowers
  readonly #onBlock: (synced: SyncedBlock) => void
  readonly #unsubscribe: () => void
  #cancelGrace: (() => void) | undefined
  /** A block is being fetched, or was handed over and is not processed yet. */
  #busy = false

  /** @param onBlock Called with each block. The receiver must call `resume` afterwards, whether it used the block or not. */
  constructor(powers: CatchUpPowers, onBlock: (synced: SyncedBlock) => void) {
    this.#powers = powers
    this.#onBlock = onBlock
    this.#unsubscribe = powers.sync.onBehind(() => this.#wait())
  }

  /** Call this when the block handed over was committed or dropped. */
  resume(): void {
    this.#busy = false
    if (this.#powers.sync.behind) this.#pull()
  }

  close(): void {
    this.#unsubscribe()
    this.#cancelGrace?.()
  }

  #wait(): void {
    if (this.#cancelGrace !== undefined || this.#busy) return
    const { clock, sync, headHeight } = this.#powers
    const before = headHeight()
    this.#cancelGrace = clock.after(ENGINE_LIMITS.catchUpGraceMs, () => {
      this.#cancelGrace = undefined
      if (!sync.behind) return
      if (headHeight() === before) this.#pull()
      else this.#wait()
    })
  }

  #pull(): void {
    if (this.#busy) return
    this.#busy = true
    this.#powers.spawn('catch up', async (signal) => {
      const synced = await this.#next(signal)
      if (signal.aborted) return
      if (synced !== undefined) this.#onBlock(synced)
      else {
        this.#busy = false
        if (this.#powers.sync.behind) this.#wait()
      }
    })
  }

  async #next(signal: AbortSignal): Promise<SyncedBlock | undefined> {
    try {
      return await this.#powers.sync.next(signal)
    } catch (error) {
      if (signal.aborted) return undefined
      this.#powers.onFailure('catch up', error)
      return undefined
    }
  }
}
