import fc from 'fast-check'
import { Address, Hash, type UnsignedTransaction, Wei } from '../src/index.ts'

export const CHAIN_ID = 31_337

const bytesOf = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })
export const address = bytesOf(20).map((bytes) => Address(bytes))
const wei = fc.bigInt(0n, 2n ** 128n).map(Wei)
const accessList = fc.array(
  fc.record({
    address,
    storageKeys: fc.array(
      bytesOf(32).map((bytes) => Hash(bytes)),
      { maxLength: 2 },
    ),
  }),
  { maxLength: 2 },
)

/** Transactions of every type. */
export const transaction = fc
  .record({
    type: fc.constantFrom(0 as const, 1 as const, 2 as const),
    nonce: fc.nat(),
    maxFeePerGas: wei,
    maxPriorityFeePerGas: wei,
    gasLimit: fc.nat(),
    to: fc.option(address, { nil: undefined }),
    value: wei,
    data: fc.uint8Array({ maxLength: 100 }),
    accessList,
  })
  .map((fields): UnsignedTransaction => {
    const { type, maxFeePerGas, maxPriorityFeePerGas } = fields
    const tip = type === 2 ? (maxPriorityFeePerGas < maxFeePerGas ? maxPriorityFeePerGas : maxFeePerGas) : maxFeePerGas
    const list = type === 0 ? [] : fields.accessList
    return { ...fields, chainId: CHAIN_ID, maxPriorityFeePerGas: tip, accessList: list } as unknown as UnsignedTransaction
  })
