/** The data directory of a validator: its keys, its genesis, its lock. */
export {
  createNodeKey,
  type DataDir,
  dataDir,
  describeKeys,
  type GenesisOptions,
  type InitOptions,
  init,
  loadNodeKey,
  lockDirectory,
  makeGenesis,
  readGenesisFile,
} from '@quoin/node/directory'
