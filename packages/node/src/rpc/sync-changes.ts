import type { RpcBackend } from './backend.ts'
import { quantityHex } from './format.ts'
import type { Source } from './hub.ts'

/** How far the node must be behind: each new block puts it behind by one or two until it has arrived. */
const BEHIND_BLOCKS_MIN = 4

type Progress = NonNullable<ReturnType<RpcBackend['syncing']>>

/** Sync progress in the form of `eth_syncing`. */
export const formatProgress = ({ current, highest }: Progress) => ({
  startingBlock: '0x0',
  currentBlock: quantityHex(current),
  highestBlock: quantityHex(highest),
})

/** The numbered changes from and to the state of catching up, for the subscription `syncing`. Only the last one is kept. */
export class SyncChanges implements Source {
  readonly #syncing: RpcBackend['syncing']
  #isSyncing = false
  #last: unknown = false
  #next = 0

  constructor(syncing: RpcBackend['syncing']) {
    this.#syncing = syncing
  }

  /** Number of the next change. */
  get next(): number {
    return this.#next
  }

  /** Looks at the node's progress. Returns whether it has changed. */
  check(): boolean {
    const progress = this.#syncing()
    const behind = progress === undefined ? 0 : progress.highest - progress.current
    const isSyncing = behind >= BEHIND_BLOCKS_MIN || (this.#isSyncing && behind > 0)
    if (isSyncing === this.#isSyncing) return false
    this.#isSyncing = isSyncing
    this.#last = isSyncing ? { syncing: true, status: formatProgress(progress!) } : false
    this.#next++
    return true
  }

  /** The change with a number, as go-ethereum sends it; undefined if a later one has replaced it. */
  at(number: number): unknown {
    return number === this.#next - 1 ? this.#last : undefined
  }
}
