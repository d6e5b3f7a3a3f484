import type { KvOp, PlacedCreation } from '@quoin/execution'
import { type Crypto, codec, decodeTransaction, equalBytes, Height, receiptsCodec, unwrap } from '@quoin/protocol'
import type { Kv } from '../powers.ts'
import { accountIndexOps } from '../store/account-index.ts'
import { logIndexOps } from '../store/log-index.ts'
import { contractOfKey, creationCodec, describeKey, indexRange } from '../store/schema.ts'
import type { BlockReader, ContractCreation } from '../store/types.ts'
import type { IndexReport } from './index-fault.ts'

interface Checked {
  readonly kv: Kv
  readonly blocks: BlockReader
  readonly crypto: Crypto
  readonly chainId: number
}

/**
 * Checks the indexes of logs and accounts against the blocks, in both directions: each block has the records that follow from it, and there are
 * no others. The creations of contracts follow from execution alone; those of a transaction itself must agree with its receipt.
 */
export async function queryIndexFault({ kv, blocks, crypto, chainId }: Checked): Promise<IndexReport> {
  const creations = await creationsOf(kv)
  let entries = [...creations.values()].reduce((sum, { length }) => sum + length, 0)
  const found = (finding: string): IndexReport => ({ entries, finding })
  const head = blocks.head.header.number
  for (let height = Height(0); height <= head; height = Height(height + 1)) {
    const created = creations.get(height) ?? []
    creations.delete(height)
    const senders = blocks.senders(height)!
    const receipts = blocks.receipts(height)!
    const missing = receipts.findIndex(
      ({ contractAddress: contract }, index) =>
        contract !== undefined && !created.some((one) => one.contract === contract && one.index === index),
    )
    if (missing >= 0)
      return found(
        `the index has no creation of contract ${receipts[missing]!.contractAddress} by transaction ${missing} of block ${height}`,
      )
    const transactions = blocks
      .body(height)!
      .map((raw, index) => ({ sender: senders[index]!.sender, to: unwrap(decodeTransaction(crypto, chainId, raw)).to }))
    const expected: readonly KvOp[] = [
      ...logIndexOps(height, codec.encode(receiptsCodec, receipts)),
      ...accountIndexOps({ header: { number: height }, transactions, creations: created }),
    ]
    for (const { key, value } of expected) {
      const stored = kv.get(key)
      if (stored === undefined || !equalBytes(stored, value!))
        return found(`the ${describeKey(key)} does not follow from block ${height}`)
    }
    entries += expected.length
  }
  const [stranger] = creations.keys()
  if (stranger !== undefined) return found(`the index has the creation of a contract at block ${stranger}, which does not exist`)
  const stored = (await countOf(kv, 'logIndex')) + (await countOf(kv, 'accountIndex')) + (await countOf(kv, 'creation'))
  return stored === entries ? { entries, finding: undefined } : found(`the indexes have ${stored} records, not ${entries}`)
}

/** All creations of contracts, by block, in the order of their transactions. */
async function creationsOf(kv: Kv): Promise<Map<Height, readonly PlacedCreation[]>> {
  const byHeight = new Map<Height, PlacedCreation[]>()
  for await (const [key, value] of kv.scan(indexRange('creation'))) {
    const { height, index, creator }: ContractCreation = unwrap(codec.decode(creationCodec, value))
    const created = byHeight.get(height) ?? []
    created.push({ index, creator, contract: contractOfKey(key) })
    byHeight.set(height, created)
  }
  for (const created of byHeight.values()) created.sort((a, b) => a.index - b.index)
  return byHeight
}

async function countOf(kv: Kv, space: 'logIndex' | 'accountIndex' | 'creation'): Promise<number> {
  let count = 0
  for await (const _ of kv.scan(indexRange(space))) count++
  return count
}
