import { type Height, U64_SAFE_MAX, ZERO_HASH } from '@quoin/protocol'
import { SYSTEM_RECORDS } from '../../../state/system-records.ts'
import { bytesOf, type ChainState, chainAction, idOf } from './chain-state.ts'
import { mustGovern } from './governing.ts'

const { schedule: SCHEDULE } = SYSTEM_RECORDS

/** Blocks between a decision and its height at least, so that every node knows it before it works on that height. */
export const SCHEDULE_AHEAD_MIN = 2

/** A height to come; undefined for 0, which cancels. */
function heightOf(chain: ChainState, given: bigint): Height | undefined {
  if (given === 0n) return undefined
  const least = chain.block.number + SCHEDULE_AHEAD_MIN
  if (given < BigInt(least) || given > BigInt(U64_SAFE_MAX))
    chain.refuse('Invalid', 'height', `is ${given}, must be 0 to cancel, or at least ${least}`)
  return Number(given) as Height
}

/** What happens at heights to come: upgrades, and a halt of the whole chain. */
export const SCHEDULING = {
  scheduleUpgrade: chainAction((chain, height: bigint, version: Uint8Array) => {
    mustGovern(chain)
    const at = heightOf(chain, height)
    const executionVersion = idOf(version)
    if (at !== undefined && executionVersion === ZERO_HASH) chain.refuse('Invalid', 'executionVersion', 'must not be zero')
    chain.setRecord(SCHEDULE, {
      ...chain.record(SCHEDULE),
      upgrade: at === undefined ? undefined : { height: at, executionVersion },
    })
    chain.emit('UpgradeScheduled', height, version)
  }),
  setHaltHeight: chainAction((chain, height: bigint) => {
    mustGovern(chain)
    chain.setRecord(SCHEDULE, { ...chain.record(SCHEDULE), haltHeight: heightOf(chain, height) })
    chain.emit('HaltScheduled', height)
  }),
  schedule: chainAction((chain) => {
    const { haltHeight = 0, upgrade } = chain.record(SCHEDULE)
    return [BigInt(haltHeight), BigInt(upgrade?.height ?? 0), bytesOf(upgrade?.executionVersion ?? ZERO_HASH)]
  }),
}
