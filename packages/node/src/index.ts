/** A validator as a library: the same node that `quoin start` runs, over powers that the caller opens. */
export { createNode, type Node, type NodeOptions, type NodePowers } from './node.ts'
export type * from './powers.ts'
