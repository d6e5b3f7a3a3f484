/** A validator as a library: the same node that `quoin start` runs, on powers (database, network, clock ...) that the caller opens. */
export { createNode, type Node, type NodeOptions, type NodePowers } from './node.ts'
export type * from './powers.ts'
