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
  const zeros = zerosIn(data)
  let gas: number = GAS.transaction + GAS.dataZeroByte * zeros + GAS.dataByte * (data.length - zeros)
  if (to === undefined) gas += GAS.creation + GAS.initcodeWord * Math.ceil(data.length / 32)
  for (const { storageKeys } of accessList) gas += GAS.accessListAddress + GAS.accessListKey * storageKeys.length
  return gas
}

/** Shorter data is counted byte by byte. */
const WORDS_BYTES_MIN = 256

/** Counts the zero bytes, four at a time: pool and executor do this for each transaction. */
function zerosIn(data: Uint8Array): number {
  let zeros = 0
  let i = 0
  if (data.length >= WORDS_BYTES_MIN) {
    const view = new DataView(data.buffer, data.byteOffset, data.byteLength)
    for (const end = data.length - 3; i < end; i += 4) {
      const word = view.getInt32(i)
      // The top bit of each byte is set unless the byte is zero: the addition carries no bit into the next byte.
      const tops = ((word & 0x7f7f_7f7f) + 0x7f7f_7f7f) | word
      zeros += Math.imul((~tops & 0x8080_8080) >>> 7, 0x0101_0101) >>> 24
    }
  }
  for (; i < data.length; i++) if (data[i] === 0) zeros++
  return zeros
}
