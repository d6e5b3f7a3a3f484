import type { RpcBackend } from '../backend.ts'
import type { Methods } from '../method.ts'
import { discovery } from '../openrpc.ts'
import { blockMethods } from './blocks.ts'
import { callMethods } from './calls.ts'
import { chainMethods } from './chain.ts'
import { evidenceMethods } from './evidence.ts'
import { feeMethods } from './fees.ts'
import { filterMethods } from './filters.ts'
import { logMethods } from './logs.ts'
import { otterscanMethods } from './otterscan.ts'
import { otterscanTraceMethods } from './otterscan-traces.ts'
import { proofMethods } from './proofs.ts'
import { rawMethods } from './raw.ts'
import { registryMethods } from './registry.ts'
import { simulationMethods } from './simulate.ts'
import { stateMethods } from './state.ts'
import { streamMethods } from './streams.ts'
import { subscriptionMethods } from './subscriptions.ts'
import { traceMethods } from './traces.ts'
import { transactionMethods } from './transactions.ts'
import { txpoolMethods } from './txpool.ts'

/** Every method that the node serves, one file per family. */
export const rpcMethods: Methods<RpcBackend> = {
  ...chainMethods,
  ...blockMethods,
  ...transactionMethods,
  ...rawMethods,
  ...txpoolMethods,
  ...stateMethods,
  ...proofMethods,
  ...registryMethods,
  ...callMethods,
  ...simulationMethods,
  ...traceMethods,
  ...otterscanTraceMethods,
  ...feeMethods,
  ...logMethods,
  ...filterMethods,
  ...subscriptionMethods,
  ...streamMethods,
  ...otterscanMethods,
  ...evidenceMethods,
  'rpc.discover': discovery(() => rpcMethods),
}
