import { FEE_POLICIES, type Gas, type Height, type Wei } from '@quoin/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { effectiveGasPrice, eip1559BaseFee, feeOf, maximumCost, nextBaseFee } from './fees.ts'

describe('eip1559BaseFee', () => {
  it.each([
    // go-ethereum, consensus/misc/eip1559: TestCalcBaseFee
    [1_000_000_000n, 10_000_000, 20_000_000, 1_000_000_000n],
    [1_000_000_000n, 9_000_000, 20_000_000, 987_500_000n],
    [1_000_000_000n, 11_000_000, 20_000_000, 1_012_500_000n],
    // Ethereum mainnet: block 12,965,000, the first one with a base fee, and the next block.
    [1_000_000_000n, 30_025_257, 30_029_122, 1_124_967_822n],
    // Bounds: an empty and a full block change it by an eighth; it rises by at least 1; below 8 it does not fall.
    [800n, 0, 20_000_000, 700n],
    [800n, 20_000_000, 20_000_000, 900n],
    [1n, 10_000_001, 20_000_000, 2n],
    [0n, 20_000_000, 20_000_000, 1n],
    [7n, 0, 20_000_000, 7n],
  ])('after base fee %s with %s of %s gas it is %s', (baseFee, gasUsed, gasLimit, expected) => {
    expect(eip1559BaseFee(baseFee, gasUsed, gasLimit)).toBe(expected)
  })
})

describe('nextBaseFee', () => {
  const parent = { number: 5 as Height, gasUsed: 0 as Gas, gasLimit: 1_000_000 as Gas, baseFeePerGas: 800n as Wei }
  const initialBaseFee = 5_000n as Wei

  it('is 0 on a free chain, whatever came before', () => {
    expect(nextBaseFee(parent, { feePolicy: 'free', initialBaseFee })).toBe(0n)
  })

  it.each(['burn', 'to-proposer'] as const)('follows EIP-1559 under %s', (feePolicy) => {
    expect(nextBaseFee(parent, { feePolicy, initialBaseFee })).toBe(700n)
  })

  it('begins with the initial one, in the first block and when a chain leaves `free`', () => {
    const parameters = { feePolicy: 'burn', initialBaseFee } as const
    expect(nextBaseFee({ ...parent, number: 0 as Height, baseFeePerGas: initialBaseFee }, parameters)).toBe(5_000n)
    expect(nextBaseFee({ ...parent, baseFeePerGas: 0n as Wei }, parameters)).toBe(5_000n)
  })
})

describe('charges', () => {
  const amount = fc.bigInt(0n, 10n ** 20n)

  it('take what EIP-1559 says, and never more than the bid', () => {
    expect(effectiveGasPrice('burn', 100n, { maxFeePerGas: 150n as Wei, maxPriorityFeePerGas: 20n as Wei })).toBe(120n)
    expect(effectiveGasPrice('burn', 140n, { maxFeePerGas: 150n as Wei, maxPriorityFeePerGas: 20n as Wei })).toBe(150n)
    expect(effectiveGasPrice('to-proposer', 140n, { maxFeePerGas: 150n as Wei, maxPriorityFeePerGas: 20n as Wei })).toBe(150n)
    expect(effectiveGasPrice('free', 0n, { maxFeePerGas: 150n as Wei, maxPriorityFeePerGas: 20n as Wei })).toBe(0n)
  })

  it('split into burned and paid without a remainder, within the cost that was checked', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...FEE_POLICIES),
        amount,
        amount,
        amount,
        fc.integer({ min: 21_000, max: 10 ** 9 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (policy, base, headroom, tip, gasLimit, share) => {
          const baseFee = policy === 'free' ? 0n : base
          const transaction = {
            maxFeePerGas: (baseFee + headroom) as Wei,
            maxPriorityFeePerGas: tip as Wei,
            gasLimit: gasLimit as Gas,
            value: 5n,
          }
          const fee = feeOf(policy, baseFee, Math.floor(gasLimit * share), effectiveGasPrice(policy, baseFee, transaction))
          expect(fee.toProposer + fee.burned).toBe(fee.charged)
          expect(fee.toProposer >= 0n && fee.burned >= 0n).toBe(true)
          expect(fee.charged + transaction.value <= maximumCost(policy, transaction)).toBe(true)
          if (policy === 'free') expect(fee.charged).toBe(0n)
          if (policy === 'to-proposer') expect(fee.burned).toBe(0n)
        },
      ),
    )
  })
})
