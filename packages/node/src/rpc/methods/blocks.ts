import type { Height } from '@quoin/protocol'
import { z } from 'zod'
import type { RpcBackend } from '../backend.ts'
import { blockText, type RawBlock, rawBlock, resolveHeight } from '../blocks.ts'
import { quantityHex } from '../format.ts'
import * as forms from '../forms/index.ts'
import { type CallContext, type Methods, method } from '../method.ts'
import { receiptsText } from '../receipts.ts'
import { type BlockReference, blockNumber, blockReference, hash, quantity } from '../schema.ts'

const find = (backend: RpcBackend, reference: BlockReference): RawBlock | undefined => {
  const height = resolveHeight(backend, reference)
  return height === undefined ? undefined : rawBlock(backend, height)
}

const textOf = (backend: RpcBackend, raw: RawBlock | undefined, full: boolean, call: CallContext) =>
  raw === undefined ? null : blockText(backend, raw, full, call)

const countOf = (backend: RpcBackend, height: Height | undefined) => {
  const senders = height === undefined ? undefined : backend.blocks.senders(height)
  return senders === undefined ? null : quantityHex(senders.length)
}

/** Methods that return whole blocks. This chain has no uncles. */
export const blockMethods: Methods<RpcBackend> = {
  eth_getBlockByNumber: method(
    { summary: 'The block with a number or tag, or null.', params: ['block', 'full'], result: forms.orNull(forms.block) },
    [blockNumber, z.boolean().default(false)],
    (backend: RpcBackend, [reference, full], call) => textOf(backend, find(backend, reference), full, call),
  ),
  eth_getBlockByHash: method(
    { summary: 'The block with a hash, or null.', params: ['hash', 'full'], result: forms.orNull(forms.block) },
    [hash, z.boolean().default(false)],
    (backend: RpcBackend, [blockHash, full], call) => textOf(backend, find(backend, { hash: blockHash }), full, call),
  ),
  eth_getBlockReceipts: method(
    {
      summary: 'The receipts of all transactions of a block, or null.',
      params: ['block'],
      result: forms.orNull(forms.list(forms.receipt)),
    },
    [blockReference],
    (backend: RpcBackend, [reference], call) => {
      const raw = find(backend, reference)
      return raw === undefined ? null : receiptsText(backend, raw, call)
    },
  ),
  eth_getBlockTransactionCountByNumber: method(
    { summary: 'The number of transactions of a block, or null.', params: ['block'], result: forms.orNull(forms.quantity) },
    [blockNumber],
    (backend: RpcBackend, [reference]) => countOf(backend, resolveHeight(backend, reference)),
  ),
  eth_getBlockTransactionCountByHash: method(
    { summary: 'The number of transactions of a block, or null.', params: ['hash'], result: forms.orNull(forms.quantity) },
    [hash],
    (backend: RpcBackend, [blockHash]) => countOf(backend, backend.blocks.heightOf(blockHash)),
  ),
  eth_getUncleCountByBlockNumber: method(
    { summary: 'Zero: there are no uncles.', params: ['block'], result: forms.quantity },
    [blockNumber],
    () => '0x0',
  ),
  eth_getUncleCountByBlockHash: method(
    { summary: 'Zero: there are no uncles.', params: ['hash'], result: forms.quantity },
    [hash],
    () => '0x0',
  ),
  eth_getUncleByBlockNumberAndIndex: method(
    { summary: 'Null: there are no uncles.', params: ['block', 'index'], result: forms.nothing },
    [blockNumber, quantity],
    () => null,
  ),
  eth_getUncleByBlockHashAndIndex: method(
    { summary: 'Null: there are no uncles.', params: ['hash', 'index'], result: forms.nothing },
    [hash, quantity],
    () => null,
  ),
}
