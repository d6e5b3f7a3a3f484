import { join } from 'node:path'

/** Paths of the files and directories of a data directory. */
export interface DataDir {
  readonly root: string
  readonly config: string
  readonly genesis: string
  /** Secret key of the validator: signs its votes. */
  readonly validatorKey: string
  /** Secret key of the node's libp2p identity. */
  readonly nodeKey: string
  readonly database: string
  readonly wal: string
  /** Record of the last signed messages. Never restore it from a backup: an old one permits double signing. */
  readonly signState: string
  /** Report of a halt at a decided block. Exists only after a halt. */
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
