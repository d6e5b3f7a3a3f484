import fc from 'fast-check'
import { serializeTransaction, type TransactionSerializable, toRlp } from 'viem'
import { bytesToHex, concatBytes, type Hex, hexToBytes } from '../src/bytes.ts'
import type { Transaction } from '../src/transaction.ts'

export const CHAIN_ID = 31_337

/** A transaction for a wallet to sign, as viem describes it. */
export type Request = TransactionSerializable & { readonly type: 'legacy' | 'eip2930' | 'eip1559' }

const hexOf = (length: number) => fc.uint8Array({ minLength: length, maxLength: length }).map(bytesToHex)
const amount = fc.oneof(fc.bigInt(0n, 300n), fc.bigInt(0n, 2n ** 256n - 1n))
const small = fc.bigInt(0n, 2n ** 70n)

const common = {
  nonce: fc.oneof(fc.nat(200), fc.nat(2 ** 31 - 1)),
  gas: fc.oneof(fc.bigInt(0n, 21_000n), fc.bigInt(0n, 2n ** 53n - 1n)),
  to: fc.option(hexOf(20), { nil: undefined }),
  value: amount,
  data: fc.oneof(fc.uint8Array({ maxLength: 3 }), fc.uint8Array({ minLength: 50, maxLength: 60 })).map(bytesToHex),
}
const accessList = fc.array(fc.record({ address: hexOf(20), storageKeys: fc.array(hexOf(32), { maxLength: 3 }) }), {
  maxLength: 3,
})

/** Transactions of every supported type, in the form that viem and ethers accept. */
export const request = (chainId = CHAIN_ID): fc.Arbitrary<Request> =>
  fc.oneof(
    fc.record({ type: fc.constant('legacy' as const), chainId: fc.constant(chainId), gasPrice: small, ...common }),
    fc.record({ type: fc.constant('eip2930' as const), chainId: fc.constant(chainId), gasPrice: small, accessList, ...common }),
    fc
      .record({
        type: fc.constant('eip1559' as const),
        chainId: fc.constant(chainId),
        tip: small,
        rest: small,
        accessList,
        ...common,
      })
      .map(({ tip, rest, ...fields }) => ({ ...fields, maxPriorityFeePerGas: tip, maxFeePerGas: tip + rest })),
  ) as fc.Arbitrary<Request>

/** An integer's RLP payload: big-endian without leading zeros, empty for 0. */
export function quantity(value: number | bigint): Hex {
  const digits = BigInt(value).toString(16)
  if (digits === '0') return '0x'
  return `0x${digits.length % 2 === 0 ? '' : '0'}${digits}`
}

const trimmed = (bytes: Uint8Array): Hex => quantity(BigInt(bytesToHex(bytes)))

/** Encodes a decoded transaction by the field lists of EIP-155, EIP-2930 and EIP-1559, with viem's RLP. */
export function reencode(transaction: Transaction): Uint8Array {
  const { type, chainId, nonce, maxPriorityFeePerGas, maxFeePerGas, gasLimit, to, value, data, yParity, signature } = transaction
  const common = [quantity(gasLimit), to ?? '0x', quantity(value), bytesToHex(data)] as const
  const signed = [trimmed(signature.subarray(0, 32)), trimmed(signature.subarray(32))] as const
  if (type === 0) {
    return hexToBytes(
      toRlp([quantity(nonce), quantity(maxFeePerGas), ...common, quantity(35 + 2 * chainId + yParity), ...signed]),
    )
  }
  const accessList = transaction.accessList.map(({ address, storageKeys }) => [address as Hex, [...storageKeys]] as const)
  const prices = type === 1 ? [quantity(maxFeePerGas)] : [quantity(maxPriorityFeePerGas), quantity(maxFeePerGas)]
  const fields = [quantity(chainId), quantity(nonce), ...prices, ...common, accessList, quantity(yParity), ...signed]
  return concatBytes(Uint8Array.of(type), hexToBytes(toRlp(fields as never)))
}

/** As `reencode`, but with viem's serializer, which refuses a tip above the fee cap. */
export function serializeWithViem(transaction: Transaction): Uint8Array {
  const { type, chainId, nonce, maxPriorityFeePerGas, maxFeePerGas, gasLimit, value, data, accessList, yParity } = transaction
  const common = { chainId, nonce, gas: BigInt(gasLimit), to: transaction.to ?? null, value, data: bytesToHex(data) }
  const half = (from: number) => bytesToHex(transaction.signature.subarray(from, from + 32))
  const signature = { r: half(0), s: half(32), yParity, v: BigInt(27 + yParity) }
  if (type === 0) return hexToBytes(serializeTransaction({ type: 'legacy', gasPrice: maxFeePerGas, ...common }, signature))
  const listed = { ...common, accessList }
  return hexToBytes(
    type === 1
      ? serializeTransaction({ type: 'eip2930', gasPrice: maxFeePerGas, ...listed }, signature)
      : serializeTransaction({ type: 'eip1559', maxPriorityFeePerGas, maxFeePerGas, ...listed }, signature),
  )
}
