import { availableParallelism } from 'node:os'
import type { Config } from '../config/index.ts'
import { patternsProblem } from '../rpc/identity/permissions.ts'
import type { IdentitySettings } from '../rpc/identity/settings.ts'
import { readTokenKeys } from '../rpc/identity/token-keys.ts'
import { checkRpcLimits, DEFAULT_RPC_LIMITS } from '../rpc/limits.ts'
import { proxiesRefusal } from '../rpc/server/access.ts'
import type { RpcSettings } from '../rpc/server/server.ts'
import { tlsProblem } from '../rpc/server/tls.ts'
import { CommandError } from './failure.ts'
import type { RpcFiles } from './rpc-files.ts'

/**
 * Derives the RPC server's settings from the configuration.
 *
 * @param files - The files that the configuration names.
 * @throws {CommandError} If a trusted proxy is not an IP address or range, a rule is invalid, or a file cannot be used.
 */
export function rpcSettingsOf({ rpc }: Pick<Config, 'rpc'>, files: RpcFiles): RpcSettings {
  const refusal = proxiesRefusal(rpc['trusted-proxies'])
  if (refusal !== undefined) throw new CommandError(`rpc.trusted-proxies: ${refusal}`)
  const perMinute = rpc['requests-per-minute']
  const connectionsMax = rpc.connections
  return {
    corsOrigins: rpc['cors-origins'],
    allowedHosts: rpc['allowed-hosts'],
    trustedProxies: rpc['trusted-proxies'],
    identity: identityOf(rpc, files),
    tls: tlsOf(rpc, files),
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

function identityOf(rpc: Config['rpc'], { secret, keys }: RpcFiles): IdentitySettings {
  const tokens =
    secret === undefined && keys.length === 0
      ? undefined
      : {
          ...{ secret, keys },
          issuer: rpc['token-issuer'] === '' ? undefined : rpc['token-issuer'],
          audience: rpc['token-audience'] === '' ? undefined : rpc['token-audience'],
          lifetimeS: rpc['token-lifetime-seconds'],
        }
  const settings = { tokens, openMethods: rpc['open-methods'], methodRules: rpc.methods }
  const unread = tokens && readTokenKeys(tokens)
  const problem = patternsProblem(settings) ?? (unread?.ok === false ? unread.error : undefined)
  if (problem !== undefined) throw new CommandError(problem)
  return settings
}

function tlsOf(rpc: Config['rpc'], { tls }: RpcFiles): RpcSettings['tls'] {
  if (tls === undefined) return undefined
  const problem = tlsProblem(tls)
  if (problem !== undefined)
    throw new CommandError(`rpc.tls-cert ${rpc['tls-cert']} and rpc.tls-key ${rpc['tls-key']}: ${problem}`)
  return tls
}

/** From this number of cores on, a third thread runs calls. */
const MANY_CORES = 8

/** Number of threads for `eth_call`. At least two by default, because no client may occupy the last free one alone. */
export const callWorkersOf = ({ rpc }: Pick<Config, 'rpc'>): number =>
  rpc['call-workers'] > 0 ? rpc['call-workers'] : availableParallelism() >= MANY_CORES ? 3 : 2
