import { bytesToHex, type Hash, type Hex, headerRlp } from '@quoin/protocol'
import type { RpcBackend } from '../backend.ts'
import { findAnywhere, type RawBlock, rawBlock, requireHeight, resolveHeight, transactionOf } from '../blocks.ts'
import { encodeEthereumBlock, encodeEthereumReceipt } from '../ethereum-rlp.ts'
import * as forms from '../forms/index.ts'
import { JsonText, jsonList } from '../json-text.ts'
import { type CallContext, type Methods, method } from '../method.ts'
import { type BlockReference, blockNumber, blockReference, hash, quantity } from '../schema.ts'

/** Throws RpcError if the block does not exist. */
function requireBlock(backend: RpcBackend, reference: BlockReference): RawBlock {
  const height = requireHeight(backend, reference)
  const raw = rawBlock(backend, height)
  if (raw === undefined) throw new Error(`the database is damaged: block ${height} is not complete`)
  return raw
}

/** The network encoding of a final or pending transaction. */
async function rawTransaction(backend: RpcBackend, transactionHash: Hash): Promise<Hex | null> {
  const found = await findAnywhere(backend, transactionHash)
  if (found === undefined) return null
  const { raw } = found.kind === 'final' ? found.placed.transaction : found.transaction
  return bytesToHex(raw)
}

function rawAt(backend: RpcBackend, reference: BlockReference, index: number): Hex | null {
  const height = resolveHeight(backend, reference)
  const body = height === undefined ? undefined : backend.blocks.body(height)?.[index]
  return body === undefined ? null : bytesToHex(body)
}

/** Bytes of a block that are written as hex between two checks of the time slice. */
const PIECE_BYTES = 64 * 1024

/** A block may have 4 MiB, so its hex is made in pieces. */
async function blockHex(backend: RpcBackend, reference: BlockReference, call: CallContext): Promise<JsonText> {
  const { block, bodies } = requireBlock(backend, reference)
  const bytes = encodeEthereumBlock(backend.crypto, block, bodies)
  const pieces = ['"0x']
  for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
    if (call.isSliceOver()) await call.nextTurn()
    pieces.push(bytesToHex(bytes.subarray(at, at + PIECE_BYTES)).slice(2))
  }
  return new JsonText([...pieces, '"'])
}

function receiptsHex(backend: RpcBackend, reference: BlockReference, call: CallContext): Promise<JsonText> {
  const raw = requireBlock(backend, reference)
  return jsonList(
    backend.blocks.receipts(raw.block.header.number) ?? [],
    (receipt, index) => `"${bytesToHex(encodeEthereumReceipt(backend.crypto, transactionOf(backend, raw, index), receipt))}"`,
    call,
  )
}

const rawByHash = method(
  { summary: 'The encoding of a transaction, or null.', params: ['hash'], result: forms.orNull(forms.bytes) },
  [hash],
  (backend: RpcBackend, [transactionHash]) => rawTransaction(backend, transactionHash),
)

/** Blocks, receipts and transactions in Ethereum's binary forms. */
export const rawMethods: Methods<RpcBackend> = {
  eth_getRawTransactionByHash: rawByHash,
  eth_getRawTransactionByBlockHashAndIndex: method(
    {
      summary: 'The encoding of a transaction of a block, or null.',
      params: ['hash', 'index'],
      result: forms.orNull(forms.bytes),
    },
    [hash, quantity],
    (backend: RpcBackend, [blockHash, index]) => rawAt(backend, { hash: blockHash }, index),
  ),
  eth_getRawTransactionByBlockNumberAndIndex: method(
    {
      summary: 'The encoding of a transaction of a block, or null.',
      params: ['block', 'index'],
      result: forms.orNull(forms.bytes),
    },
    [blockNumber, quantity],
    (backend: RpcBackend, [reference, index]) => rawAt(backend, reference, index),
  ),
  debug_getRawTransaction: rawByHash,
  debug_getRawHeader: method(
    { summary: 'The RLP of a header.', params: ['block'], result: forms.bytes },
    [blockReference],
    (backend: RpcBackend, [reference]) =>
      bytesToHex(headerRlp(backend.crypto, backend.blocks.header(requireHeight(backend, reference))!.header)),
  ),
  debug_getRawBlock: method(
    { summary: 'The RLP of a block.', params: ['block'], result: forms.bytes },
    [blockReference],
    (backend: RpcBackend, [reference], call) => blockHex(backend, reference, call),
  ),
  debug_getRawReceipts: method(
    { summary: 'The encodings of the receipts of a block.', params: ['block'], result: forms.list(forms.bytes) },
    [blockReference],
    (backend: RpcBackend, [reference], call) => receiptsHex(backend, reference, call),
  ),
}
