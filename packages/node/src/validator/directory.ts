/** Data directories: the work behind `quoin init`, `keys` and `genesis`, also used to set up a network on one machine. */
export { type DataDir, dataDir } from '../keys/data-dir.ts'
export { createNodeKey, loadNodeKey } from '../network/node-key.ts'
export { lockDirectory } from '../store/lock.ts'
export { type GenesisOptions, makeGenesis } from './genesis.ts'
export { readGenesisFile } from './genesis-file.ts'
export { describeKeys, type InitOptions, init } from './init.ts'
