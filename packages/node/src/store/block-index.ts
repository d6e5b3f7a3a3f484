import { type Address, codec, type Height, unwrap } from '@quoin/protocol'
import type { Kv } from '../powers.ts'
import { type AccountBlock, type AccountRange, accountBlocks, accountPositions } from './account-index.ts'
import { type LogIndexEntry, type LogTerm, logIndexEntries } from './log-index.ts'
import { creationCodec, creationKey } from './schema.ts'
import type { ContractCreation } from './types.ts'

/** Read access to the indexes of logs, accounts and contracts. They may be ahead of the caller's head: pass ranges up to it. */
export interface IndexReader {
  /**
   * The records of a term's group in a range of blocks (inclusive), ascending. Blocks that are not yielded, or do not match, have no log
   * with the term. At most one record per block.
   */
  logEntries(term: LogTerm, from: Height, to: Height): AsyncIterable<LogIndexEntry>
  /** The blocks with transactions that an account sent or received, or that created it. */
  accountBlocks(account: Address, range: AccountRange): AsyncIterable<AccountBlock>
  /** The positions of these transactions in one block, ascending. Costs one read. */
  accountPositions(account: Address, height: Height): readonly number[]
  /** Undefined if no transaction created a contract at this address. Its height may be above the caller's head. */
  creation(contract: Address): ContractCreation | undefined
}

/** The indexes in a database. The database checks each record, so one that does not decode is a bug, and not damage. */
export class BlockIndex implements IndexReader {
  readonly #kv: Pick<Kv, 'get' | 'scan'>

  constructor(kv: Pick<Kv, 'get' | 'scan'>) {
    this.#kv = kv
  }

  logEntries(term: LogTerm, from: Height, to: Height): AsyncIterable<LogIndexEntry> {
    return logIndexEntries(this.#kv, term, from, to)
  }

  accountBlocks(account: Address, range: AccountRange): AsyncIterable<AccountBlock> {
    return accountBlocks(this.#kv, account, range)
  }

  accountPositions(account: Address, height: Height): readonly number[] {
    return accountPositions(this.#kv, account, height)
  }

  creation(contract: Address): ContractCreation | undefined {
    const bytes = this.#kv.get(creationKey(contract))
    return bytes === undefined ? undefined : unwrap(codec.decode(creationCodec, bytes))
  }
}
