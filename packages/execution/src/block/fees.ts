import type { ChainParameters, FeePolicy, Gas, Header, Transaction, Wei } from '@quoin/protocol'

/** EIP-1559's constants. Part of the execution version. */
export const FEE_CONSTANTS = {
  /** The base fee rises when a block uses more than gasLimit / elasticityMultiplier. */
  elasticityMultiplier: 2,
  /** It changes by at most 1/8 per block. */
  baseFeeChangeDenominator: 8,
} as const

/** EIP-1559: the base fee after a block that used `gasUsed` of `gasLimit` at `baseFee`. */
export function eip1559BaseFee(baseFee: bigint, gasUsed: number, gasLimit: number): bigint {
  const target = BigInt(Math.floor(gasLimit / FEE_CONSTANTS.elasticityMultiplier))
  const denominator = BigInt(FEE_CONSTANTS.baseFeeChangeDenominator)
  const distance = BigInt(gasUsed) - target
  if (distance === 0n) return baseFee
  const change = (baseFee * (distance < 0n ? -distance : distance)) / target / denominator
  if (distance < 0n) return baseFee - change
  return baseFee + (change > 0n ? change : 1n)
}

/**
 * Base fee of the block after `parent`, under the parameters of the parent's state. The first block takes `initialBaseFee`, and
 * so does a chain that leaves the policy `free`: only then is the parent's base fee 0, since EIP-1559 never lowers it below 1.
 */
export function nextBaseFee(
  parent: Pick<Header, 'number' | 'gasUsed' | 'gasLimit' | 'baseFeePerGas'>,
  parameters: Pick<ChainParameters, 'feePolicy' | 'initialBaseFee'>,
): Wei {
  if (parameters.feePolicy === 'free') return 0n as Wei
  if (parent.number === 0) return parameters.initialBaseFee
  const next = eip1559BaseFee(parent.baseFeePerGas, parent.gasUsed, parent.gasLimit)
  return (parent.baseFeePerGas === 0n && next < parameters.initialBaseFee ? parameters.initialBaseFee : next) as Wei
}

type FeeFields = Pick<Transaction, 'maxFeePerGas' | 'maxPriorityFeePerGas'>

/** Price per gas that the sender pays: `effectiveGasPrice` of receipts. Under the policy `free` it is 0, whatever the tip. */
export function effectiveGasPrice(policy: FeePolicy, baseFee: bigint, { maxFeePerGas, maxPriorityFeePerGas }: FeeFields): bigint {
  if (policy === 'free') return 0n
  const bid = baseFee + maxPriorityFeePerGas
  return bid < maxFeePerGas ? bid : maxFeePerGas
}

/** Maximum that a transaction can take from its sender, in wei. The sender's balance must cover it. */
export const maximumCost = (
  policy: FeePolicy,
  transaction: FeeFields & { readonly gasLimit: Gas; readonly value: bigint },
): bigint => transaction.value + (policy === 'free' ? 0n : BigInt(transaction.gasLimit) * transaction.maxFeePerGas)

/** How a transaction's fee is split. `charged` = `toProposer` + `burned`. */
export interface Fee {
  readonly charged: bigint
  readonly toProposer: bigint
  readonly burned: bigint
}

/**
 * Splits the fee of a transaction.
 *
 * @param price per gas in wei, from `effectiveGasPrice`
 * @returns amounts in wei; under the policy `burn` the base fee is burned, otherwise the proposer gets everything
 */
export function feeOf(policy: FeePolicy, baseFee: bigint, gasUsed: number, price: bigint): Fee {
  const gas = BigInt(gasUsed)
  const charged = gas * price
  const burned = policy === 'burn' ? gas * baseFee : 0n
  return { charged, toProposer: charged - burned, burned }
}
