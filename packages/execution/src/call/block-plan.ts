import {
  type Address,
  err,
  type Header,
  type Height,
  LIMITS,
  type Nonce,
  ok,
  type Result,
  type TimeMs,
  type Transaction,
  type Wei,
} from '@quoin/protocol'
import { CALL_LIMITS } from './limits.ts'
import type { BlockOverrides, StateOverrides } from './overrides.ts'

/** A transaction to simulate. It needs no signature. */
export interface SimulatedCall
  extends Pick<Transaction, 'type' | 'to' | 'data' | 'value' | 'accessList' | 'maxFeePerGas' | 'maxPriorityFeePerGas'> {
  /** Any account, also a contract. */
  readonly from: Address
  /** Gas limit; undefined for what is left in the block. */
  readonly gas: number | undefined
  /** Undefined for the account's next nonce. */
  readonly nonce: Nonce | undefined
}

/** Calls that are simulated in one block, and what is different there. */
export interface BlockCalls {
  readonly blockOverrides: BlockOverrides
  readonly stateOverrides: StateOverrides
  readonly calls: readonly SimulatedCall[]
}

/** A block of which everything is known that does not follow from its parent's result. */
export interface PlannedBlock extends Pick<BlockCalls, 'stateOverrides' | 'calls'> {
  readonly number: Height
  readonly timeMs: TimeMs
  readonly gasLimit: number
  readonly proposer: Address
  /** Undefined if it follows from the parent. */
  readonly baseFee: Wei | undefined
}

/** Why blocks cannot follow each other. */
export interface PlanRefusal {
  readonly code: 'block-number-order' | 'block-time-order' | 'limit-exceeded' | 'invalid-override'
  readonly message: string
}

const refusal = (code: PlanRefusal['code'], message: string): Result<never, PlanRefusal> => err({ code, message })

const NO_OVERRIDES: StateOverrides = new Map()

/**
 * Numbers and dates the blocks of a simulation as go-ethereum does (internal/ethapi/simulate.go): both must increase, a gap of numbers
 * is filled with empty blocks, and gas limit and proposer are those of the block before unless a block overrides them. Times are
 * whole seconds where they are given.
 */
export function planBlocks(base: Header, blocks: readonly BlockCalls[]): Result<readonly PlannedBlock[], PlanRefusal> {
  const { simulatedBlocksMax, simulatedBlockMs } = CALL_LIMITS
  const planned: PlannedBlock[] = []
  let last: Pick<PlannedBlock, 'number' | 'timeMs' | 'gasLimit' | 'proposer'> = { ...base, proposer: base.miner }
  for (const { blockOverrides, stateOverrides, calls } of blocks) {
    const number = blockOverrides.number ?? last.number + 1
    if (number <= last.number) return refusal('block-number-order', `block numbers must be in order: ${number} <= ${last.number}`)
    const count = number - base.number
    if (count > simulatedBlocksMax)
      return refusal('limit-exceeded', `too many blocks: ${count} are simulated, at most ${simulatedBlocksMax} are allowed`)
    while (last.number + 1 < number) {
      last = { ...last, number: (last.number + 1) as Height, timeMs: (last.timeMs + simulatedBlockMs) as TimeMs }
      planned.push({ ...last, baseFee: undefined, stateOverrides: NO_OVERRIDES, calls: [] })
    }
    const timeMs = blockOverrides.timeMs ?? ((last.timeMs + simulatedBlockMs) as TimeMs)
    if (timeMs <= last.timeMs)
      return refusal('block-time-order', `block timestamps must be in order: ${secondsOf(timeMs)} <= ${secondsOf(last.timeMs)}`)
    if (timeMs > LIMITS.timeMsMax)
      return refusal('invalid-override', `block timestamps must be at most ${secondsOf(LIMITS.timeMsMax)}: ${secondsOf(timeMs)}`)
    const { gasLimit = last.gasLimit, proposer = last.proposer, baseFee } = blockOverrides
    const block = { number: number as Height, timeMs, gasLimit, proposer, baseFee, stateOverrides, calls }
    planned.push(block)
    last = block
  }
  return ok(planned)
}

const secondsOf = (timeMs: number): number => Math.floor(timeMs / 1000)
