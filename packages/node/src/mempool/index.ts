export { POOL_LIMITS } from './limits.ts'
export { effectiveTip } from './ordering.ts'
export { type PoolOptions, type PoolState, TransactionPool } from './pool.ts'
export type { Mempool, Origin, PoolRefusal } from './types.ts'
