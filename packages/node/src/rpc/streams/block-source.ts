import type { Height } from '@quoin/protocol'
import { formatHeader } from '../format.ts'
import { storedPart } from '../stored-part.ts'
import { type ChainView, itemText, type StreamItem, type StreamSource, seekEvery } from './source.ts'

function* headerItem(view: ChainView, height: Height, from: number): Iterable<StreamItem> {
  if (from > 0) return
  const make = () => JSON.stringify(formatHeader(view.crypto, storedPart(view.blocks, 'header', height)))
  yield { index: 0, text: itemText(view, 'header', height, 0, make) }
}

/** Every block, as `newHeads` sends it. */
export const blockSource: StreamSource = {
  key: 'blocks',
  unit: undefined,
  terms: 0,
  search: (view) => ({ seek: seekEvery, items: (height, from) => headerItem(view, height, from) }),
}
