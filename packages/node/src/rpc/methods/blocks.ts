import type { Height } from '@quoin/protocol'
import { z } from 'zod'
import type { RpcBackend, RpcBlock } from '../backend.ts'
import { loadBlock, resolveHeight } from '../blocks.ts'
import { formatBlock, quantityHex } from '../format.ts'
import { type Methods, method } from '../method.ts'
import { receiptsOf } from '../receipts.ts'
import { type BlockReference, blockNumber, blockReference, hash, quantity } from '../schema.ts'

const find = (backend: RpcBackend, reference: BlockReference): RpcBlock | undefined => {
  const height = resolveHeight(backend, reference)
  return height === undefined ? undefined : loadBlock(backend, height)
}

const countOf = (backend: RpcBackend, height: Height | undefined) => {
  const senders = height === undefined ? undefined : backend.blocks.senders(height)
  return senders === undefined ? null : quantityHex(senders.length)
}

/** Blocks, whole. Uncles do not exist here. */
export const blockMethods: Methods<RpcBackend> = {
  eth_getBlockByNumber: method([blockNumber, z.boolean().default(false)], (backend: RpcBackend, [reference, full]) => {
    const block = find(backend, reference)
    return block === undefined ? null : formatBlock(block, full)
  }),
  eth_getBlockByHash: method([hash, z.boolean().default(false)], (backend: RpcBackend, [blockHash, full]) => {
    const block = find(backend, { hash: blockHash })
    return block === undefined ? null : formatBlock(block, full)
  }),
  eth_getBlockReceipts: method([blockReference], (backend: RpcBackend, [reference]) => {
    const block = find(backend, reference)
    return block === undefined ? null : receiptsOf(backend, block)
  }),
  eth_getBlockTransactionCountByNumber: method([blockNumber], (backend: RpcBackend, [reference]) =>
    countOf(backend, resolveHeight(backend, reference)),
  ),
  eth_getBlockTransactionCountByHash: method([hash], (backend: RpcBackend, [blockHash]) =>
    countOf(backend, backend.blocks.heightOf(blockHash)),
  ),
  eth_getUncleCountByBlockNumber: method([blockNumber], () => '0x0'),
  eth_getUncleCountByBlockHash: method([hash], () => '0x0'),
  eth_getUncleByBlockNumberAndIndex: method([blockNumber, quantity], () => null),
  eth_getUncleByBlockHashAndIndex: method([hash, quantity], () => null),
}
