export type { TreeChange } from './changes.ts'
export { TREE_LIMITS } from './limits.ts'
export type { ProofRefusal } from './prover.ts'
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
  type TreeView,
} from './tree.ts'
