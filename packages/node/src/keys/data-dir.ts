import { join } from 'node:path'

/** Where a node keeps what. */
export interface DataDir {
  readonly root: string
  readonly config: string
  readonly genesis: string
  /** Secret key that votes. */
  readonly validatorKey: string
  /** Secret key of the node in the network. */
  readonly nodeKey: string
  readonly database: string
  readonly wal: string
  /** What was signed last: never restore it from a backup. */
  readonly signState: string
  /** Why the node halted at a decided block; there only after it did. */
  readonly haltReport: string
}

export const dataDir = (root: string): DataDir => ({
  root,
  config: join(root, 'config.toml'),
  genesis: join(root, 'genesis.json'),
  validatorKey: join(root, 'validator-key.json'),
  nodeKey: join(root, 'node-key.json'),
  database: join(root, 'db'),
  wal: join(root, 'wal'),
  signState: join(root, 'sign-state'),
  haltReport: join(root, 'halt.json'),
})
