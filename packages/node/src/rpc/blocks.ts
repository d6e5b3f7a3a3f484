import { decodeTransaction, type Hash, type Height, type Hex, type SignedTransaction, unwrap } from '@quoin/protocol'
import type { StoredHeader } from '../store/types.ts'
import type { RpcBackend } from './backend.ts'
import { RpcError } from './errors.ts'
import { formatBlock, formatTransaction, type Position, quantityHex } from './format.ts'
import { JsonText, jsonList } from './json-text.ts'
import type { CallContext } from './method.ts'
import type { BlockReference } from './schema.ts'

/**
 * Height of a referenced block; undefined if it does not exist. All blocks are final: `safe` and `finalized` mean the latest block, and so
 * does `pending`, except in methods that include the pool.
 */
export function resolveHeight(backend: RpcBackend, reference: BlockReference): Height | undefined {
  const { number: latest } = backend.blocks.head.header
  if ('tag' in reference) return reference.tag === 'earliest' ? (0 as Height) : latest
  if ('hash' in reference) return backend.blocks.heightOf(reference.hash)
  return reference.height <= latest ? (reference.height as Height) : undefined
}

/** What an error about a missing block, range or transaction says of the head: a client can tell whether this node is behind another. */
export const headOf = ({ blocks }: Pick<RpcBackend, 'blocks'>): { readonly height: Hex } => ({
  height: quantityHex(blocks.head.header.number),
})

/** As `resolveHeight`, but throws RpcError if the block does not exist. */
export function requireHeight(backend: RpcBackend, reference: BlockReference): Height {
  const height = resolveHeight(backend, reference)
  if (height === undefined) throw new RpcError('block-not-found', 'block not found', headOf(backend))
  return height
}

/** A final block as stored on disk, not decoded. */
export interface RawBlock {
  readonly block: StoredHeader
  readonly bodies: readonly Uint8Array[]
  readonly senders: readonly { readonly hash: Hash; readonly sender: SignedTransaction['sender'] }[]
}

export function rawBlock({ blocks }: Pick<RpcBackend, 'blocks'>, height: Height): RawBlock | undefined {
  const block = blocks.header(height)
  const bodies = blocks.body(height)
  const senders = blocks.senders(height)
  return block === undefined || bodies === undefined || senders === undefined ? undefined : { block, bodies, senders }
}

/** Decodes one transaction of a block. Stored transactions were verified before their block became final. */
export function transactionOf(
  backend: Pick<RpcBackend, 'crypto' | 'chainId'>,
  { bodies, senders }: RawBlock,
  index: number,
): SignedTransaction {
  const { hash, sender } = senders[index]!
  const transaction = unwrap(decodeTransaction(backend.crypto, backend.chainId, bodies[index]!, hash))
  return { ...transaction, sender }
}

/** The JSON of a block. Yields to other work between transactions. */
export async function blockText(backend: RpcBackend, raw: RawBlock, full: boolean, call: CallContext): Promise<JsonText> {
  const { block, bodies, senders } = raw
  const height = block.header.number
  const { texts } = call.shared
  const textWith = (transactions: readonly { readonly hash: Hash }[]) =>
    JSON.stringify(formatBlock(backend.crypto, block, bodies, transactions))
  if (!full) return new JsonText([texts.of('block', height).item(0, () => textWith(senders))])
  const kept = texts.of('transactions', height)
  const transactions = await jsonList(
    bodies,
    (_, index) => kept.item(index, () => JSON.stringify(formatTransaction(transactionOf(backend, raw, index), { block, index }))),
    call,
  )
  // The list of transactions is the last field, and empty here: cut it off and write it piece by piece.
  const frame = textWith([])
  return new JsonText([frame.slice(0, -'[]}'.length), ...transactions.pieces, '}'])
}

/** A final transaction and its position. */
export interface PlacedTransaction extends Position {
  readonly transaction: SignedTransaction
}

/** Decodes the transaction at an index of a block. */
export function transactionAt(backend: RpcBackend, height: Height | undefined, index: number): PlacedTransaction | undefined {
  const raw = height === undefined ? undefined : rawBlock(backend, height)
  if (raw === undefined || index >= raw.bodies.length) return undefined
  return { block: raw.block, index, transaction: transactionOf(backend, raw, index) }
}

/** A final transaction, or one that waits in the pool. */
export type FoundTransaction =
  | { readonly kind: 'final'; readonly placed: PlacedTransaction }
  | { readonly kind: 'pending'; readonly transaction: SignedTransaction }

/**
 * Looks for a transaction in the chain, then in the pool, then in the chain again: the pool drops a transaction when it becomes final, and its
 * answer may be from after that.
 */
export async function findAnywhere(backend: RpcBackend, hash: Hash): Promise<FoundTransaction | undefined> {
  const before = findTransaction(backend, hash)
  if (before !== undefined) return { kind: 'final', placed: before }
  const transaction = await backend.pool.get(hash)
  if (transaction !== undefined) return { kind: 'pending', transaction }
  const after = findTransaction(backend, hash)
  return after === undefined ? undefined : { kind: 'final', placed: after }
}

export function findTransaction(backend: RpcBackend, hash: Hash): PlacedTransaction | undefined {
  const location = backend.blocks.locate(hash)
  // A block above the head may already be on disk, but this backend has not reached it yet.
  if (location === undefined || location.height > backend.blocks.head.header.number) return undefined
  return transactionAt(backend, location.height, location.index)
}
