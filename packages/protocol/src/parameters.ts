import * as codec from './codec.ts'
import { LIMITS } from './limits.ts'
import type { Gas, Wei } from './numbers.ts'

/**
 * What becomes of fees. `free`: base fee 0 and the charged price 0 whatever the tip. `burn`: EIP-1559, the base fee is destroyed.
 * `to-proposer`: EIP-1559 prices, base fee and tip go to the block's fee address.
 */
export const FEE_POLICIES = ['free', 'burn', 'to-proposer'] as const
export type FeePolicy = (typeof FEE_POLICIES)[number]

/** Rules that the chain itself can change; they stand in the state and bind from the next block. Times in milliseconds. */
export interface ChainParameters {
  readonly feePolicy: FeePolicy
  /** Gas of one block. */
  readonly blockGasMax: Gas
  /** Gas of one transaction; at most a quarter of the block's. */
  readonly transactionGasMax: Gas
  /** Base fee of the first block under a fee policy that has one. */
  readonly initialBaseFee: Wei
  /** Least time between the times of two blocks. */
  readonly blockIntervalMs: number
  /** An idle chain makes an empty block after this. */
  readonly heartbeatIntervalMs: number
  /** Proposer-based time: how far honest clocks may differ. */
  readonly clockPrecisionMs: number
  /** Proposer-based time: longest building and transfer of a round-0 proposal; grows with the round. */
  readonly messageDelayMs: number
  /** Timeouts of round 0, and what each further round adds. */
  readonly timeoutProposeMs: number
  readonly timeoutPrevoteMs: number
  readonly timeoutPrecommitMs: number
  readonly timeoutDeltaMs: number
}

export const DEFAULT_PARAMETERS: ChainParameters = {
  feePolicy: 'free',
  blockGasMax: 72_000_000 as Gas,
  transactionGasMax: 18_000_000 as Gas,
  initialBaseFee: 1_000_000_000n as Wei,
  blockIntervalMs: 500,
  heartbeatIntervalMs: 5_000,
  clockPrecisionMs: 500,
  messageDelayMs: 2_000,
  timeoutProposeMs: 1_500,
  timeoutPrevoteMs: 500,
  timeoutPrecommitMs: 500,
  timeoutDeltaMs: 500,
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
  transactionGasMax: [21_000, LIMITS.blockGasMax / 4],
  blockIntervalMs: [100, HOUR_MS],
  heartbeatIntervalMs: [100, HOUR_MS],
  clockPrecisionMs: [1, HOUR_MS],
  messageDelayMs: [1, HOUR_MS],
  timeoutProposeMs: [50, HOUR_MS],
  timeoutPrevoteMs: [10, HOUR_MS],
  timeoutPrecommitMs: [10, HOUR_MS],
  timeoutDeltaMs: [10, HOUR_MS],
} as const satisfies Partial<Record<keyof ChainParameters, readonly [number, number]>>

/** What is wrong with a set of parameters, naming the parameter and what is allowed; undefined when all is well. */
export function parametersProblem(parameters: ChainParameters): string | undefined {
  for (const [name, [min, max]] of Object.entries(PARAMETER_RANGES)) {
    const value = parameters[name as keyof typeof PARAMETER_RANGES]
    if (!(Number.isSafeInteger(value) && value >= min && value <= max))
      return `${name} is ${value}, allowed is an integer from ${min} to ${max}`
  }
  // A base fee of 0 marks a block whose gas was free.
  if (parameters.initialBaseFee === 0n) return 'initialBaseFee is 0, allowed is at least 1 wei'
  if (4 * parameters.transactionGasMax > parameters.blockGasMax) return 'transactionGasMax is above a quarter of blockGasMax'
  if (parameters.heartbeatIntervalMs < parameters.blockIntervalMs) return 'heartbeatIntervalMs is below blockIntervalMs'
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
  }),
  parametersProblem,
)
