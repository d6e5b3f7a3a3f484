import type { Address, Hash, Height } from '@quoin/protocol'
import type { RpcBackend } from './backend.ts'
import { type PlacedTransaction, transactionAt } from './blocks.ts'
import type { CallContext } from './method.ts'

/** Where a page of an account's history begins. */
export interface PageStart {
  /** First block of the page, inclusive; undefined if the page begins at the end of the chain. */
  readonly from: Height | undefined
  readonly newestFirst: boolean
  /** Transactions after which the page ends. The last block is whole, so a page may have more. */
  readonly size: number
}

/** A page of an account's history. */
export interface Page {
  /** Blocks in the direction of the page, with the positions of the account's transactions, ascending. */
  readonly blocks: readonly { readonly height: Height; readonly positions: readonly number[] }[]
  /** Whether the account has transactions behind the page. */
  readonly hasMore: boolean
}

/** Reads a page: at most one record of the index per transaction, and one more. */
export async function accountPage(
  { index, blocks }: Pick<RpcBackend, 'index' | 'blocks'>,
  account: Address,
  { from, newestFirst, size }: PageStart,
): Promise<Page> {
  const head = blocks.head.header.number
  const start = from ?? (newestFirst ? head : (0 as Height))
  const [first, last] = newestFirst ? [0 as Height, Math.min(start, head) as Height] : [start, head]
  const found: Page['blocks'][number][] = []
  if (first > last) return { blocks: found, hasMore: false }
  let count = 0
  for await (const block of index.accountBlocks(account, { from: first, to: last, newestFirst, limit: size + 1 })) {
    if (count >= size) return { blocks: found, hasMore: true }
    found.push(block)
    count += block.positions.length
  }
  return { blocks: found, hasMore: false }
}

/**
 * Finds a sender's transaction by its nonce. The history of the account tells the block, because each transaction of a sender counts its
 * nonce: the number of reads grows with the logarithm of the chain's length, whatever the account has sent.
 */
export async function transactionBySenderAndNonce(
  backend: RpcBackend,
  sender: Address,
  nonce: number,
  call: CallContext,
): Promise<Hash | undefined> {
  const nonceAt = async (height: number): Promise<number | undefined> =>
    (await backend.stateAt(height as Height)?.account(sender))?.nonce
  let high: number = backend.blocks.head.header.number
  let low = 0
  // The nonce after block `high` is above the wanted one, that after the block before `low` is not.
  if (((await nonceAt(high)) ?? 0) <= nonce) return undefined
  while (low < high) {
    if (call.isSliceOver()) await call.nextTurn()
    const middle = Math.floor((low + high) / 2)
    const found = await nonceAt(middle)
    if (found !== undefined && found > nonce) high = middle
    else low = middle + 1
  }
  return sentIn(backend, low as Height, sender, nonce, call)
}

/** The sender's transaction with a nonce in a block: its transactions are in the order of their nonces. */
async function sentIn(
  backend: RpcBackend,
  height: Height,
  sender: Address,
  nonce: number,
  call: CallContext,
): Promise<Hash | undefined> {
  const own = (backend.blocks.senders(height) ?? []).flatMap((one, index) => (one.sender === sender ? [index] : []))
  const at = (i: number): PlacedTransaction | undefined => transactionAt(backend, height, own[i]!)
  const first = own.length === 0 ? undefined : at(0)
  if (first === undefined) return undefined
  if (call.isSliceOver()) await call.nextTurn()
  const offset = nonce - first.transaction.nonce
  const found = offset >= 0 && offset < own.length ? at(offset)?.transaction : undefined
  return found?.nonce === nonce ? found.hash : undefined
}
