export type { KvOp, KvReader } from './kv.ts'
