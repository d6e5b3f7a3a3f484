import type { TimeoutParameters } from '@quoin/consensus'
import type { ChainParameters } from '@quoin/protocol'
import { ENGINE_LIMITS } from './limits.ts'

/** The driver's timeouts by the chain's parameters. Growth ends at the limit, or where the chain itself begins above it. */
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
