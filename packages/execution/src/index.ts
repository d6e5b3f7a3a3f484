export type * from './executor.ts'
export type { KvOp, KvReader } from './kv.ts'
