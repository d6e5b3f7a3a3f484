/** Store, pool, feed and chain over one database, for whoever decides on blocks: a node by consensus, `quoin dev` by itself. */
export { createInlineCalls } from '../executor/inline-calls.ts'
export type { Cursor, Feed, FeedItem, Projection } from '../feed/types.ts'
export type { Probes } from '../health/probes.ts'
export type { PoolRefusal } from '../mempool/types.ts'
export { type Ledger, type LedgerOptions, openLedger } from './ledger.ts'
export type { CandidateBlock, Chain, Head } from './types.ts'
