import { discovery, rpcMethods } from '@quoin/node/rpc'
import { accountMethods } from './accounts.ts'
import { callMethods } from './calls.ts'
import { infoMethods } from './info.ts'
import { miningMethods } from './mining.ts'
import type { DevMethods } from './naming.ts'
import { snapshotMethods } from './snapshots.ts'
import { stateMethods } from './state.ts'
import { timeMethods } from './time.ts'
import { sendingMethods } from './transactions.ts'
import { unsupportedMethods } from './unsupported.ts'

/** Methods of a development node: all methods of a node, and the methods of anvil and Hardhat that set state and time. */
export const devMethods: DevMethods = {
  ...rpcMethods,
  ...unsupportedMethods,
  ...infoMethods,
  ...accountMethods,
  ...callMethods,
  ...sendingMethods,
  ...stateMethods,
  ...miningMethods,
  ...timeMethods,
  ...snapshotMethods,
  'rpc.discover': discovery(() => devMethods),
}
