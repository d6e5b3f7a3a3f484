import type { Height } from '@quoin/protocol'
import { Lru } from '../lru.ts'

/** Kinds of cached JSON: `block` (with transaction hashes) and `header` are one text, the others have one text per item. */
export type TextKind = 'block' | 'header' | 'logs' | 'receipts' | 'transactions'

/** The cached texts of one kind of one block. */
export class BlockText {
  readonly #texts: (string | undefined)[] = []
  readonly #onGrowth: (bytes: number) => void

  constructor(onGrowth: (bytes: number) => void) {
    this.#onGrowth = onGrowth
  }

  /** Returns the text of an item, and makes it on first use. */
  item(index: number, make: () => string): string {
    const known = this.#texts[index]
    if (known !== undefined) return known
    const text = make()
    this.#texts[index] = text
    this.#onGrowth(text.length + TEXT_BYTES)
    return text
  }
}

/** Overhead of a text beyond its characters, and of a block's entry beyond its texts. */
const TEXT_BYTES = 32
const BLOCK_BYTES = 512

/**
 * Cache of JSON texts of recent blocks, item by item, so that clients that ask for the same block share the work. Final blocks never
 * change, so neither do their texts.
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
      // Do not add an entry again that was evicted in the meantime.
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
