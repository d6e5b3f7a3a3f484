import type { Address, Hash, Height } from '@quoin/protocol'
import { z } from 'zod'
import { accountPage, type Page, type PageStart, transactionBySenderAndNonce } from '../account-history.ts'
import type { RpcBackend } from '../backend.ts'
import { type RawBlock, rawBlock, resolveHeight, transactionOf } from '../blocks.ts'
import { invalidParams, RpcError } from '../errors.ts'
import { formatBlock, formatHeader, formatReceipt, formatTransaction, paidGasPrice, quantityHex } from '../format.ts'
import * as forms from '../forms/index.ts'
import { JsonText, jsonList } from '../json-text.ts'
import { type CallContext, type Methods, method } from '../method.ts'
import { singleReceiptText } from '../receipts.ts'
import { address, type BlockNumber, blockReference, hash, looseBlockNumber, looseInteger } from '../schema.ts'
import { weightOfPageBlock } from '../weights.ts'
import { stateOf } from './state.ts'

/** Version of the interface that Otterscan checks (docs/custom-jsonrpc.md of otterscan/otterscan). */
const API_LEVEL = 8

/** Contracts and validators are paid by fees alone: nothing is issued. */
const ISSUANCE = { blockReward: '0x0', uncleReward: '0x0', issuance: '0x0' } as const

/** Length of `0x` and a selector. */
const SELECTOR_CHARS = 10

const find = (backend: RpcBackend, reference: BlockNumber | { readonly hash: Hash }): RawBlock | undefined => {
  const height = resolveHeight(backend, reference)
  return height === undefined ? undefined : rawBlock(backend, height)
}

/** Fees that the senders of a block paid, the burnt part included. */
async function totalFees(backend: RpcBackend, raw: RawBlock, call: CallContext): Promise<bigint> {
  const { baseFeePerGas, number } = raw.block.header
  // A base fee of 0 marks the fee policy `free`: the block need not be read.
  if (baseFeePerGas === 0n) return 0n
  let sum = 0n
  for (const [index, { gasUsed, payer }] of (backend.blocks.receipts(number) ?? []).entries()) {
    if (call.isSliceOver()) await call.nextTurn()
    sum += BigInt(gasUsed) * paidGasPrice(transactionOf(backend, raw, index), payer, baseFeePerGas)
  }
  return sum
}

/** A block without its transactions and its bloom filter, as Otterscan expects it. */
function slimBlock(backend: RpcBackend, { block, bodies, senders }: RawBlock) {
  const { transactions: _transactions, ...rest } = formatBlock(backend.crypto, block, bodies, [])
  return { ...rest, logsBloom: null, transactionCount: senders.length }
}

async function blockDetails(backend: RpcBackend, raw: RawBlock | undefined, call: CallContext) {
  if (raw === undefined) return null
  const fees = await totalFees(backend, raw, call)
  return { block: slimBlock(backend, raw), issuance: ISSUANCE, totalFees: quantityHex(fees) }
}

/** The positions of a page of a block's transactions. Page 0 has the last ones. */
function pagePositions(count: number, page: number, size: number): readonly number[] {
  const end = Math.max(0, count - page * size)
  const start = Math.max(0, end - size)
  return Array.from({ length: end - start }, (_, i) => start + i)
}

async function blockTransactions(backend: RpcBackend, raw: RawBlock | undefined, page: number, size: number, call: CallContext) {
  if (raw === undefined) return null
  requirePageSize(size, call)
  const { block } = raw
  const receipts = backend.blocks.singleReceipts(block.header.number)!
  const positions = pagePositions(raw.senders.length, page, size)
  const transactions = await jsonList(
    positions,
    (index) => {
      const formatted = formatTransaction(transactionOf(backend, raw, index), { block, index })
      return JSON.stringify({ ...formatted, input: String(formatted['input']).slice(0, SELECTOR_CHARS) })
    },
    call,
  )
  const slimReceipts = await jsonList(
    positions,
    (index) => {
      const context = { block, index, transaction: transactionOf(backend, raw, index), crypto: backend.crypto, firstLogIndex: 0 }
      const { receipt } = receipts.at(index)
      return JSON.stringify({ ...formatReceipt({ ...receipt, logs: [] }, context), logs: null, logsBloom: null })
    },
    call,
  )
  const frame = JSON.stringify(slimBlock(backend, raw))
  return new JsonText([
    ...[`{"fullblock":${frame.slice(0, -1)},"transactions":`, ...transactions.pieces],
    ...['},"receipts":', ...slimReceipts.pieces, '}'],
  ])
}

function requirePageSize(size: number, { limits: { pageTransactionsMax } }: CallContext): void {
  // The message of Erigon.
  if (size > pageTransactionsMax) throw invalidParams(`max allowed page size: ${pageTransactionsMax}`)
  if (size === 0) throw invalidParams('page size must be at least 1')
}

/** Transactions and receipts of a page, newest first, as JSON. Throws RpcError if they are too large for a response. */
async function pageText(backend: RpcBackend, { blocks }: Page, call: CallContext): Promise<readonly [JsonText, JsonText]> {
  const { responseBytesMax } = call.limits
  const transactions: string[] = []
  const receipts: string[] = []
  let chars = 0
  for (const { height, positions } of blocks) {
    if (call.isSliceOver()) await call.nextTurn()
    const raw = rawBlock(backend, height)!
    call.charge(weightOfPageBlock(raw.bodies.length))
    const singles = backend.blocks.singleReceipts(height)!
    const { block } = raw
    const { timeMs } = block.header
    for (const index of positions) {
      if (call.isSliceOver()) await call.nextTurn()
      const placed = { block, index, transaction: transactionOf(backend, raw, index) }
      const transaction = JSON.stringify(formatTransaction(placed.transaction, placed))
      const receipt = singleReceiptText(backend, singles, placed, call)
      // Otterscan's receipts have the time of their block, as a number.
      receipts.push(`${receipt.slice(0, -1)},"timestamp":${Math.floor(timeMs / 1_000)}}`)
      transactions.push(transaction)
      call.hold(transaction.length + receipt.length)
      chars += transaction.length + receipt.length
      if (chars > responseBytesMax)
        throw new RpcError(
          'answer-too-large',
          `response too large: block ${height} has ${positions.length} transactions of this account, and the page exceeds ` +
            `${responseBytesMax} bytes. Ask for fewer transactions, or continue behind this block`,
        )
    }
  }
  return [jsonArray(transactions), jsonArray(receipts)]
}

const jsonArray = (items: readonly string[]): JsonText =>
  new JsonText(['[', ...items.flatMap((item, i) => (i === 0 ? [item] : [',', item])), ']'])

async function searchTransactions(backend: RpcBackend, account: Address, start: PageStart, call: CallContext) {
  requirePageSize(start.size, call)
  const page = await accountPage(backend, account, start)
  const { newestFirst, from } = start
  const newest = page.blocks.map(({ height, positions }) => ({ height, positions: positions.toReversed() }))
  const [txs, receipts] = await pageText(backend, { ...page, blocks: newestFirst ? newest : newest.toReversed() }, call)
  const isAtStart = from === undefined
  const [firstPage, lastPage] = newestFirst ? [isAtStart, !page.hasMore] : [!page.hasMore, isAtStart]
  return new JsonText([
    ...['{"txs":', ...txs.pieces, ',"receipts":', ...receipts.pieces],
    `,"firstPage":${firstPage},"lastPage":${lastPage}}`,
  ])
}

/** Transactions of blocks before `block`; 0 means from the latest one on. */
const before = (block: number, size: number): PageStart => ({
  from: block === 0 ? undefined : ((block - 1) as Height),
  newestFirst: true,
  size,
})

/** Transactions of blocks after `block`; 0 means from genesis on. */
const after = (block: number, size: number): PageStart => ({
  from: block === 0 ? undefined : ((block + 1) as Height),
  newestFirst: false,
  size,
})

function contractCreator(backend: RpcBackend, contract: Address) {
  const creation = backend.index.creation(contract)
  if (creation === undefined || creation.height > backend.blocks.head.header.number) return null
  const { hash: transaction } = backend.blocks.senders(creation.height)![creation.index]!
  return { hash: transaction, creator: creation.creator }
}

/**
 * The methods that the block explorer Otterscan needs in addition to Ethereum's, except those that trace a transaction
 * (docs/custom-jsonrpc.md of otterscan/otterscan, and Erigon for what that leaves open).
 */
export const otterscanMethods: Methods<RpcBackend> = {
  erigon_getHeaderByNumber: method(
    { summary: 'The header of a block, or null.', params: ['block'], result: forms.orNull(forms.header) },
    [looseBlockNumber],
    (backend: RpcBackend, [reference]) => {
      const height = resolveHeight(backend, reference)
      return height === undefined ? null : formatHeader(backend.crypto, backend.blocks.header(height)!)
    },
  ),
  ots_getApiLevel: method(
    { summary: "The version of Otterscan's methods.", params: [], result: forms.whole },
    [],
    () => API_LEVEL,
  ),
  ots_hasCode: method(
    { summary: 'Whether an address has code.', params: ['address', 'block'], result: forms.flag },
    [address, z.union([looseBlockNumber, blockReference])],
    async (backend: RpcBackend, [account, reference]) => (await stateOf(backend, reference).code(account)) !== undefined,
  ),
  ots_getBlockDetails: method(
    {
      summary: 'A block without its transactions, its fees and what it issued, or null.',
      params: ['block'],
      result: forms.orNull(forms.blockDetails),
    },
    [looseBlockNumber],
    (backend: RpcBackend, [reference], call) => blockDetails(backend, find(backend, reference), call),
  ),
  ots_getBlockDetailsByHash: method(
    {
      summary: 'A block without its transactions, its fees and what it issued, or null.',
      params: ['hash'],
      result: forms.orNull(forms.blockDetails),
    },
    [hash],
    (backend: RpcBackend, [blockHash], call) => blockDetails(backend, find(backend, { hash: blockHash }), call),
  ),
  ots_getBlockTransactions: method(
    {
      summary: 'A page of the transactions of a block, or null.',
      params: ['block', 'page', 'pageSize'],
      result: forms.orNull(forms.blockTransactions),
    },
    [looseBlockNumber, looseInteger, looseInteger],
    (backend: RpcBackend, [reference, page, size], call) =>
      blockTransactions(backend, find(backend, reference), page, size, call),
  ),
  ots_searchTransactionsBefore: method(
    {
      summary: 'A page of the transactions of an account before a block; before 0: the newest ones.',
      params: ['address', 'block', 'pageSize'],
      result: forms.accountPage,
    },
    [address, looseInteger, looseInteger],
    (backend: RpcBackend, [account, block, size], call) => searchTransactions(backend, account, before(block, size), call),
  ),
  ots_searchTransactionsAfter: method(
    {
      summary: 'A page of the transactions of an account after a block; after 0: the oldest ones.',
      params: ['address', 'block', 'pageSize'],
      result: forms.accountPage,
    },
    [address, looseInteger, looseInteger],
    (backend: RpcBackend, [account, block, size], call) => searchTransactions(backend, account, after(block, size), call),
  ),
  ots_getTransactionBySenderAndNonce: method(
    {
      summary: 'The hash of the final transaction of a sender with a nonce, or null.',
      params: ['sender', 'nonce'],
      result: forms.orNull(forms.hash),
    },
    [address, looseInteger],
    async (backend: RpcBackend, [sender, nonce], call) =>
      (await transactionBySenderAndNonce(backend, sender, nonce, call)) ?? null,
  ),
  ots_getContractCreator: method(
    {
      summary: 'Who created a contract, and in which transaction; or null.',
      params: ['address'],
      result: forms.orNull(forms.contractCreator),
    },
    [address],
    (backend: RpcBackend, [contract]) => contractCreator(backend, contract),
  ),
}
