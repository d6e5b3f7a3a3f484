/** Data directories: what `quoin init`, `keys` and `genesis` do, and what a network on one machine is made of. */
export { type DataDir, dataDir } from '../keys/data-dir.ts'
export { createNodeKey, loadNodeKey } from '../network/node-key.ts'
export { lockDirectory } from '../store/lock.ts'
export { type GenesisOptions, makeGenesis } from './genesis.ts'
export { readGenesisFile } from './genesis-file.ts'
export { describeKeys, type InitOptions, init } from './init.ts'
