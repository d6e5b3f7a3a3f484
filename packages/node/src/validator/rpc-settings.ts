import { availableParallelism } from 'node:os'
import type { Config } from '../config/index.ts'
import { checkRpcLimits, DEFAULT_RPC_LIMITS } from '../rpc/limits.ts'
import { proxiesRefusal } from '../rpc/server/access.ts'
import type { RpcSettings } from '../rpc/server/server.ts'
import { CommandError } from './failure.ts'

/**
 * Derives the RPC server's settings from the configuration.
 *
 * @throws {CommandError} If a trusted proxy is not an IP address or range.
 */
export function rpcSettingsOf({ rpc }: Pick<Config, 'rpc'>): RpcSettings {
  const refusal = proxiesRefusal(rpc['trusted-proxies'])
  if (refusal !== undefined) throw new CommandError(`rpc.trusted-proxies: ${refusal}`)
  const perMinute = rpc['requests-per-minute']
  const connectionsMax = rpc.connections
  return {
    corsOrigins: rpc['cors-origins'],
    allowedHosts: rpc['allowed-hosts'],
    trustedProxies: rpc['trusted-proxies'],
    unitsPerSecond: perMinute / 60,
    // A call that costs more takes the whole bucket (`allowance.ts`).
    unitsBurst: perMinute,
    limits: checkRpcLimits({
      ...DEFAULT_RPC_LIMITS,
      bodyBytesMax: rpc['body-bytes'],
      parseAtOnceBytesMax: Math.min(DEFAULT_RPC_LIMITS.parseAtOnceBytesMax, rpc['body-bytes']),
      // There must be room for two requests of the largest size.
      heldBytesMax: Math.max(DEFAULT_RPC_LIMITS.heldBytesMax, 2 * (rpc['body-bytes'] + DEFAULT_RPC_LIMITS.responseBytesMax)),
      batchItemsMax: rpc['batch-items'],
      connectionsMax,
      connectionsPerRemoteMax: Math.min(connectionsMax, rpc['connections-per-address']),
      callGasMax: rpc['call-gas'],
    }),
  }
}

/** From this number of cores on, a third thread runs calls. */
const MANY_CORES = 8

/** Number of threads for `eth_call`. At least two by default, because no client may occupy the last free one alone. */
export const callWorkersOf = ({ rpc }: Pick<Config, 'rpc'>): number =>
  rpc['call-workers'] > 0 ? rpc['call-workers'] : availableParallelism() >= MANY_CORES ? 3 : 2
