import type { Height } from '@quoin/protocol'
import type { Awaitable } from '../../awaitable.ts'
import type { StoredHeader } from '../../store/types.ts'
import type { RpcBackend } from '../backend.ts'
import type { BlockTexts, TextKind } from '../block-texts.ts'
import type { Turn } from '../turns.ts'
import type { Unit } from './position.ts'

/** The chain as one batch sees it. If a development chain goes back in the meantime, the batch still reads the blocks that it began with. */
export interface ChainView extends Pick<RpcBackend, 'blocks' | 'index' | 'crypto' | 'chainId'> {
  readonly head: StoredHeader
  readonly texts: BlockTexts
}

export function viewOf({ blocks, index, crypto, chainId }: RpcBackend, texts: BlockTexts): ChainView {
  return { blocks, index, crypto, chainId, texts, head: blocks.head }
}

/** An item of a stream: its index in the block, and its JSON. */
export interface StreamItem {
  readonly index: number
  readonly text: string
}

/** How far a search has come. */
export interface Sought {
  /** No block before it has an item. */
  readonly height: Height
  /** Whether this block may have one. */
  readonly mayMatch: boolean
}

/** The search of one batch. */
export interface Search {
  /** Looks for the next block with items from a height on, up to the head of the view. Ends after a bounded number of blocks. */
  seek(from: Height): Awaitable<Sought>
  /** The items of a block from an index on, ascending. */
  items(height: Height, from: number): Iterable<StreamItem>
}

/** What a stream delivers: a kind of items and a filter. Streams with equal keys deliver the same. */
export interface StreamSource {
  readonly key: string
  /** What an index within a block counts. Undefined if a block is one item. */
  readonly unit: Unit | undefined
  /** Number of addresses, topics and hashes that it holds in memory. */
  readonly terms: number
  search(view: ChainView, turn: Turn): Search
}

/** Blocks before the head whose texts are shared by streams, and by other calls. Older ones would evict them from the cache. */
const RECENT_BLOCKS = 64

export const isRecent = ({ head }: ChainView, height: Height): boolean => height + RECENT_BLOCKS > head.header.number

/** The text of an item, cached while its block is recent. */
export const itemText = (view: ChainView, kind: TextKind, height: Height, index: number, make: () => string): string =>
  isRecent(view, height) ? view.texts.of(kind, height).item(index, make) : make()

/** A search in which every block up to the head may match. */
export const seekEvery = (from: Height): Sought => ({ height: from, mayMatch: true })
