import * as codec from './codec.ts'
import { LIMITS } from './limits.ts'
import type { Gas, Wei } from './numbers.ts'

/**
 * How transactions are charged.
 *
 * - `free`: the base fee is 0 and nothing is charged, whatever the tip.
 * - `burn`: EIP-1559. The base fee is destroyed.
 * - `to-proposer`: prices of EIP-1559. Base fee and tip go to the block's fee address.
 *
 * The position in the list is the encoding.
 */
export const FEE_POLICIES = ['free', 'burn', 'to-proposer'] as const
export type FeePolicy = (typeof FEE_POLICIES)[number]

/**
 * Rules that a running chain can change. They are part of the state, and a change takes effect with the next block. `PARAMETER_RANGES` has the
 * allowed values. Times are in milliseconds.
 */
export interface ChainParameters {
  readonly feePolicy: FeePolicy
  /** Gas limit of a block. */
  readonly blockGasMax: Gas
  /** Gas limit of a transaction; at most half of `blockGasMax`, so that it fits into a block that others have begun to fill. */
  readonly transactionGasMax: Gas
  /** Base fee of the first block under a fee policy with a base fee; at least 1 wei. */
  readonly initialBaseFee: Wei
  /** Minimum difference between the times of two consecutive blocks. */
  readonly blockIntervalMs: number
  /** An idle chain produces an empty block after this time; at least `blockIntervalMs`. */
  readonly heartbeatIntervalMs: number
  /** Proposer-based timestamps: maximum difference between the clocks of honest validators. */
  readonly clockPrecisionMs: number
  /** Proposer-based timestamps: maximum time to build and deliver a proposal of round 0. Later rounds allow more. */
  readonly messageDelayMs: number
  /** Consensus timeouts of round 0. Each further round adds `timeoutDeltaMs`. */
  readonly timeoutProposeMs: number
  readonly timeoutPrevoteMs: number
  readonly timeoutPrecommitMs: number
  readonly timeoutDeltaMs: number
  /** The validator set never becomes smaller than this; a validator that is to leave then stays. */
  readonly validatorsMin: number
  /** The validator set never becomes larger than this. At least `validatorsMin`. */
  readonly validatorsMax: number
}

export const DEFAULT_PARAMETERS: ChainParameters = {
  feePolicy: 'free',
  blockGasMax: 72_000_000 as Gas,
  transactionGasMax: 36_000_000 as Gas,
  initialBaseFee: 1_000_000_000n as Wei,
  blockIntervalMs: 500,
  heartbeatIntervalMs: 5_000,
  clockPrecisionMs: 500,
  messageDelayMs: 2_000,
  timeoutProposeMs: 1_500,
  timeoutPrevoteMs: 500,
  timeoutPrecommitMs: 500,
  timeoutDeltaMs: 500,
  validatorsMin: 1,
  validatorsMax: LIMITS.validatorsMax,
}

const feePolicy: codec.Codec<FeePolicy> = {
  bytesMax: 1,
  write: (writer, value) => writer.u8(FEE_POLICIES.indexOf(value)),
  read(reader) {
    const index = reader.u8()
    return FEE_POLICIES[index] ?? reader.fail(`unknown fee policy ${index}`)
  },
}

const HOUR_MS = 3_600_000

/** Allowed range of each numeric parameter, ends included. */
export const PARAMETER_RANGES = {
  blockGasMax: [1_000_000, LIMITS.blockGasMax],
  transactionGasMax: [21_000, LIMITS.blockGasMax / 2],
  blockIntervalMs: [100, HOUR_MS],
  heartbeatIntervalMs: [100, HOUR_MS],
  clockPrecisionMs: [1, HOUR_MS],
  messageDelayMs: [1, HOUR_MS],
  timeoutProposeMs: [50, HOUR_MS],
  timeoutPrevoteMs: [10, HOUR_MS],
  timeoutPrecommitMs: [10, HOUR_MS],
  timeoutDeltaMs: [10, HOUR_MS],
  validatorsMin: [1, LIMITS.validatorsMax],
  validatorsMax: [1, LIMITS.validatorsMax],
} as const satisfies Partial<Record<keyof ChainParameters, readonly [number, number]>>

/**
 * Checks the ranges of parameters and the rules between them.
 *
 * @returns an error message that names the parameter and the allowed values, or undefined if all are valid.
 */
export function parametersProblem(parameters: ChainParameters): string | undefined {
  for (const [name, [min, max]] of Object.entries(PARAMETER_RANGES)) {
    const value = parameters[name as keyof typeof PARAMETER_RANGES]
    if (!(Number.isSafeInteger(value) && value >= min && value <= max))
      return `${name} is ${value}, must be an integer from ${min} to ${max}`
  }
  // A base fee of 0 in a header means that gas was free in that block.
  if (parameters.initialBaseFee === 0n) return 'initialBaseFee is 0, must be at least 1 wei'
  if (2 * parameters.transactionGasMax > parameters.blockGasMax) return 'transactionGasMax is above half of blockGasMax'
  if (parameters.heartbeatIntervalMs < parameters.blockIntervalMs) return 'heartbeatIntervalMs is below blockIntervalMs'
  if (parameters.validatorsMax < parameters.validatorsMin) return 'validatorsMax is below validatorsMin'
  return undefined
}

export const parametersCodec: codec.Codec<ChainParameters> = codec.checked(
  codec.struct({
    feePolicy,
    blockGasMax: codec.u64<Gas>(),
    transactionGasMax: codec.u64<Gas>(),
    initialBaseFee: codec.u256<Wei>(),
    blockIntervalMs: codec.u32(),
    heartbeatIntervalMs: codec.u32(),
    clockPrecisionMs: codec.u32(),
    messageDelayMs: codec.u32(),
    timeoutProposeMs: codec.u32(),
    timeoutPrevoteMs: codec.u32(),
    timeoutPrecommitMs: codec.u32(),
    timeoutDeltaMs: codec.u32(),
    validatorsMin: codec.u32(),
    validatorsMax: codec.u32(),
  }),
  parametersProblem,
)
