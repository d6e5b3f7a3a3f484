import type { KvOp } from '@quoin/execution'
import type { Address, Height } from '@quoin/protocol'
import type { Kv } from '../powers.ts'
import { ACCOUNT_INDEX_KEY_BYTES, accountIndexKey, indexedHeight } from './schema.ts'
import type { BlockRecord } from './types.ts'

/*
 * The index of transactions by account. For each block and each account that sent, received or was created by one of its transactions
 * there is one record: the positions of these transactions, ascending, 2 bytes each. So an account with many transactions in a block costs
 * one record, and a page of its history reads as many records as it has blocks.
 */
const POSITION_BYTES = 2

/** The records of a block. */
export function accountIndexOps({ header, transactions, creations }: AccountUses): readonly KvOp[] {
  const byAccount = new Map<Address, number[]>()
  const add = (account: Address, index: number): void => {
    const positions = byAccount.get(account)
    if (positions === undefined) byAccount.set(account, [index])
    else if (positions.at(-1) !== index) positions.push(index)
  }
  let next = 0
  for (const [index, { sender, to }] of transactions.entries()) {
    add(sender, index)
    if (to !== undefined) add(to, index)
    while (next < creations.length && creations[next]!.index === index) add(creations[next++]!.contract, index)
  }
  return recordsOf(byAccount, header.number)
}

/** Keys and values share one buffer: thousands of small ones are slow (`Journal` of the execution package says why). */
function recordsOf(byAccount: ReadonlyMap<Address, readonly number[]>, height: Height): readonly KvOp[] {
  let bytes = ACCOUNT_INDEX_KEY_BYTES * byAccount.size
  for (const { length } of byAccount.values()) bytes += POSITION_BYTES * length
  const buffer = new Uint8Array(bytes)
  let at = 0
  const take = (length: number): Uint8Array => {
    at += length
    return buffer.subarray(at - length, at)
  }
  return Array.from(byAccount, ([account, positions]) => {
    const key = accountIndexKey(account, height, take(ACCOUNT_INDEX_KEY_BYTES))
    const value = take(POSITION_BYTES * positions.length)
    for (let i = 0; i < positions.length; i++) {
      value[POSITION_BYTES * i] = positions[i]! >>> 8
      value[POSITION_BYTES * i + 1] = positions[i]!
    }
    return { key, value }
  })
}

type AccountUses = Pick<BlockRecord, 'creations'> & {
  readonly header: { readonly number: Height }
  readonly transactions: readonly Pick<BlockRecord['transactions'][number], 'sender' | 'to'>[]
}

function decodePositions(bytes: Uint8Array): readonly number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return Array.from({ length: bytes.length / POSITION_BYTES }, (_, i) => view.getUint16(POSITION_BYTES * i))
}

/** The transactions of an account in one block. */
export interface AccountBlock {
  readonly height: Height
  /** Positions in the block, ascending. Never empty. */
  readonly positions: readonly number[]
}

/** A range of blocks of an account's history, and the end at which to begin. */
export interface AccountRange {
  /** First and last block, inclusive. */
  readonly from: Height
  readonly to: Height
  readonly newestFirst: boolean
  /** Maximum number of blocks. */
  readonly limit: number
}

/** The blocks with transactions of an account. */
export async function* accountBlocks(
  kv: Pick<Kv, 'scan'>,
  account: Address,
  { from, to, newestFirst, limit }: AccountRange,
): AsyncIterable<AccountBlock> {
  const range = { from: accountIndexKey(account, from), to: accountIndexKey(account, (to + 1) as Height) }
  for await (const [key, value] of kv.scan({ ...range, reverse: newestFirst, limit }))
    yield { height: indexedHeight(key), positions: decodePositions(value) }
}

/** The positions of an account's transactions in one block, ascending. */
export function accountPositions(kv: Pick<Kv, 'get'>, account: Address, height: Height): readonly number[] {
  const value = kv.get(accountIndexKey(account, height))
  return value === undefined ? [] : decodePositions(value)
}
