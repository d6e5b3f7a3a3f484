import {
  type Address,
  addToBloom,
  type Crypto,
  codec,
  decodeTransaction,
  emptyBloom,
  Gas,
  Hash,
  Height,
  headerHash,
  type Receipt,
  receiptsCodec,
  receiptsRoot,
  type TimeMs,
  transactionsRoot,
  unwrap,
} from '@quoin/protocol'
import type { Feed } from '../src/feed/types.ts'
import type { BlockStore } from '../src/store/block-store.ts'
import type { StoredHeader } from '../src/store/types.ts'
import { testAccounts } from './chain.ts'

/** A final transaction: its bytes, and the fields of its receipt that differ from those of a plain transfer. */
export interface TestTransaction extends Partial<Pick<Receipt, 'status' | 'logs' | 'errorData' | 'contractAddress'>> {
  readonly raw: Uint8Array
}

const sender = testAccounts[0]!.address.toLowerCase() as Address

/** Appends a final block with these receipts to a store, without executing its transactions, and wakes the feed. */
export async function appendBlock(
  { store, feed }: { readonly store: BlockStore; readonly feed: Feed },
  crypto: Crypto,
  given: readonly TestTransaction[],
): Promise<StoredHeader> {
  const { header: parent, hash: parentHash } = store.head
  const transactions = given.map(({ raw }) => ({ ...unwrap(decodeTransaction(crypto, 31_337, raw)), sender }))
  const receipts = given.map(
    ({ status = 1, logs = [], errorData = new Uint8Array(0), contractAddress }, i): Receipt => ({
      ...{ status, logs, errorData, contractAddress, payer: sender },
      gasUsed: Gas(21_000),
      cumulativeGasUsed: Gas(21_000 * (i + 1)),
    }),
  )
  const logsBloom = emptyBloom()
  for (const { logs } of receipts) addToBloom(crypto, logsBloom, logs)
  const header = {
    ...parent,
    ...{ parentHash, logsBloom, genesisDigest: undefined },
    number: Height(parent.number + 1),
    timeMs: (parent.timeMs + 500) as TimeMs,
    gasUsed: Gas(21_000 * receipts.length),
    transactionsRoot: Hash(
      transactionsRoot(
        crypto,
        transactions.map(({ hash }) => hash),
      ),
    ),
    receiptsRoot: Hash(receiptsRoot(crypto, receipts)),
  }
  const hash = headerHash(crypto, header)
  const creations = receipts.flatMap(({ contractAddress: contract }, index) =>
    contract === undefined ? [] : [{ index, contract, creator: sender }],
  )
  await store.append({
    ...{ header, hash, transactions, creations, certificate: undefined, validators: [], ops: [] },
    receipts: codec.encode(receiptsCodec, receipts),
  })
  feed.publish()
  return { header, hash }
}
