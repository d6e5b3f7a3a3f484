import type { Transaction } from '@quoin/protocol'

/** Intrinsic gas: what a transaction costs before anything runs. Part of the execution version. */
export const GAS = {
  /** Yellow paper, appendix G: G_transaction. */
  transaction: 21_000,
  /** G_txdatazero. */
  dataZeroByte: 4,
  /** EIP-2028. */
  dataByte: 16,
  /** EIP-2: additional gas of a creation. */
  creation: 32_000,
  /** EIP-3860, per 32 bytes of creation data. */
  initcodeWord: 2,
  /** EIP-2930. */
  accessListAddress: 2_400,
  accessListKey: 1_900,
} as const

/** Intrinsic gas of a transaction: what its data, access list and creation cost before anything runs. */
export function intrinsicGas({ to, data, accessList }: Pick<Transaction, 'to' | 'data' | 'accessList'>): number {
  let gas: number = GAS.transaction
  for (let i = 0; i < data.length; i++) gas += data[i] === 0 ? GAS.dataZeroByte : GAS.dataByte
  if (to === undefined) gas += GAS.creation + GAS.initcodeWord * Math.ceil(data.length / 32)
  for (const { storageKeys } of accessList) gas += GAS.accessListAddress + GAS.accessListKey * storageKeys.length
  return gas
}
