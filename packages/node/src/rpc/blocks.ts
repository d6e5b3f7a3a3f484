import { decodeTransaction, type Hash, type Height, type SignedTransaction, unwrap } from '@quoin/protocol'
import type { RpcBackend, RpcBlock } from './backend.ts'
import { RPC_CODE, RpcError } from './errors.ts'
import type { Position } from './format.ts'
import type { BlockReference } from './schema.ts'

/**
 * Height of a referenced block, or undefined when there is none. Final blocks are all there are: `safe` and `finalized` are the latest,
 * and so is `pending`, except where a method counts the pool.
 */
export function resolveHeight(backend: RpcBackend, reference: BlockReference): Height | undefined {
  const { number: latest } = backend.blocks.head.header
  if ('tag' in reference) return reference.tag === 'earliest' ? (0 as Height) : latest
  if ('hash' in reference) return backend.blocks.heightOf(reference.hash)
  return reference.height <= latest ? (reference.height as Height) : undefined
}

/** As `resolveHeight`, for methods that must have a block. */
export function requireHeight(backend: RpcBackend, reference: BlockReference): Height {
  const height = resolveHeight(backend, reference)
  if (height === undefined) throw new RpcError(RPC_CODE.notFound, 'block not found')
  return height
}

export function loadBlock(backend: RpcBackend, height: Height): RpcBlock | undefined {
  const stored = backend.blocks.header(height)
  const body = backend.blocks.body(height)
  const senders = backend.blocks.senders(height)
  if (stored === undefined || body === undefined || senders === undefined) return undefined
  return { ...stored, transactions: body.map((raw, i) => withSender(backend, raw, senders[i]!.sender)) }
}

/** Stored transactions were verified before their block became final. */
function withSender(backend: RpcBackend, raw: Uint8Array, sender: SignedTransaction['sender']): SignedTransaction {
  return { ...unwrap(decodeTransaction(backend.crypto, backend.chainId, raw)), sender }
}

/** A final transaction and where it stands. */
export interface PlacedTransaction extends Position {
  readonly transaction: SignedTransaction
}

/** The transaction at an index of a block, decoded alone. */
export function transactionAt(backend: RpcBackend, height: Height | undefined, index: number): PlacedTransaction | undefined {
  const block = height === undefined ? undefined : backend.blocks.header(height)
  if (height === undefined || block === undefined) return undefined
  const raw = backend.blocks.body(height)?.[index]
  const sender = backend.blocks.senders(height)?.[index]?.sender
  if (raw === undefined || sender === undefined) return undefined
  return { block, index, transaction: withSender(backend, raw, sender) }
}

export function findTransaction(backend: RpcBackend, hash: Hash): PlacedTransaction | undefined {
  const location = backend.blocks.locate(hash)
  return location === undefined ? undefined : transactionAt(backend, location.height, location.index)
}
