/** Store, pool, feed and chain over one database, for a block producer: a node with consensus, or `quoin dev`. */
export { createInlineCalls } from '../executor/inline-calls.ts'
export { createInlineProofs } from '../executor/proof-runner.ts'
export type { Cursor, Feed, FeedItem, Projection } from '../feed/types.ts'
export type { Probes } from '../health/probes.ts'
export type { PoolRefusal } from '../mempool/types.ts'
export { type Ledger, type LedgerOptions, openLedger } from './ledger.ts'
export type { CandidateBlock, Chain, Head } from './types.ts'
