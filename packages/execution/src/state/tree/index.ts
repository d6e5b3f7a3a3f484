export type { TreeChange } from './changes.ts'
export { TREE_LIMITS } from './limits.ts'
export { TreeCorruption } from './records.ts'
export {
  type HashCounts,
  openTree,
  type PreparedTree,
  type StateTree,
  type TreeHead,
  type TreeKv,
  type TreeOptions,
  type TreeRefusal,
} from './tree.ts'
export { oldestProvable, type ProofRefusal, TreeReader } from './tree-reader.ts'
