import type { Height } from '@quoin/protocol'
import { Lru } from '../lru.ts'

/** What of a block is kept as JSON: the block with its transactions' hashes (one text), or a text for each of its items. */
export type TextKind = 'block' | 'logs' | 'receipts' | 'transactions'

/** The texts of one block. */
export class BlockText {
  readonly #texts: (string | undefined)[] = []
  readonly #onGrowth: (bytes: number) => void

  constructor(onGrowth: (bytes: number) => void) {
    this.#onGrowth = onGrowth
  }

  /** The text of an item, made where nobody has asked for it yet. */
  item(index: number, make: () => string): string {
    const known = this.#texts[index]
    if (known !== undefined) return known
    const text = make()
    this.#texts[index] = text
    this.#onGrowth(text.length + TEXT_BYTES)
    return text
  }
}

/** What a text takes beside its characters, and a block's entry beside its texts. */
const TEXT_BYTES = 32
const BLOCK_BYTES = 512

/**
 * The JSON of what stands in recent blocks, item by item, so that many who ask for the same block share the work. A block's texts never
 * change.
 */
export class BlockTexts {
  readonly #blocks: Lru<string, { readonly text: BlockText; bytes: number }>

  constructor(bytesMax: number) {
    this.#blocks = new Lru(bytesMax)
  }

  of(kind: TextKind, height: Height): BlockText {
    const key = `${kind}:${height}`
    const known = this.#blocks.get(key)
    if (known !== undefined) return known.text
    const grow = (bytes: number): void => {
      entry.bytes += bytes
      // One that was dropped meanwhile stays so.
      if (this.#blocks.get(key) === entry) this.#blocks.set(key, entry, entry.bytes)
    }
    const entry = { text: new BlockText(grow), bytes: BLOCK_BYTES }
    this.#blocks.set(key, entry, entry.bytes)
    return entry.text
  }

  clear(): void {
    this.#blocks.clear()
  }
}
