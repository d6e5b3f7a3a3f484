import type { TimeoutParameters } from '@quoin/consensus'
import type { ChainParameters } from '@quoin/protocol'
import { ENGINE_LIMITS } from './limits.ts'

/**
 * The driver's timeouts, from the chain's parameters. They grow up to the engine's limit, or to the chain's base value if that is higher.
 */
export function timeoutsOf(parameters: ChainParameters): TimeoutParameters {
  const { timeoutProposeMs, timeoutPrevoteMs, timeoutPrecommitMs, timeoutDeltaMs } = parameters
  return {
    proposeBaseMs: timeoutProposeMs,
    proposeDeltaMs: timeoutDeltaMs,
    prevoteBaseMs: timeoutPrevoteMs,
    prevoteDeltaMs: timeoutDeltaMs,
    precommitBaseMs: timeoutPrecommitMs,
    precommitDeltaMs: timeoutDeltaMs,
    timeoutMaxMs: Math.max(ENGINE_LIMITS.timeoutMsMax, timeoutProposeMs, timeoutPrevoteMs, timeoutPrecommitMs),
  }
}
