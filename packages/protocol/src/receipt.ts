import type { Address, Hash } from './bytes.ts'
import * as codec from './codec.ts'
import type { Crypto } from './crypto.ts'
import { LIMITS } from './limits.ts'
import { merkleRoot } from './merkle.ts'
import type { Gas } from './numbers.ts'

/** An event of a contract. */
export interface Log {
  readonly address: Address
  readonly topics: readonly Hash[]
  readonly data: Uint8Array
}

/**
 * The result of a transaction. `receiptsRoot` of the header commits to it. Gas price, bloom and positions of logs are not part of it, because they
 * can be derived.
 */
export interface Receipt {
  /** 1 for success, 0 for failure (EIP-658). */
  readonly status: 0 | 1
  readonly gasUsed: Gas
  readonly cumulativeGasUsed: Gas
  readonly logs: readonly Log[]
  /** The data that a failed call returned, cut to `LIMITS.errorDataBytesMax`. Empty on success. */
  readonly errorData: Uint8Array
  /** Address of the contract that the transaction created. */
  readonly contractAddress: Address | undefined
  /** The account that paid the fee: the sender or a sponsor. */
  readonly payer: Address
}

export const logCodec: codec.Codec<Log> = codec.struct({
  address: codec.address,
  topics: codec.list(codec.hash, LIMITS.logTopicsMax),
  data: codec.bytes(LIMITS.logDataBytesMax),
})

export const receiptCodec: codec.Codec<Receipt> = codec.struct({
  status: codec.u8<0 | 1>(1),
  gasUsed: codec.u64<Gas>(),
  cumulativeGasUsed: codec.u64<Gas>(),
  logs: codec.list(logCodec, LIMITS.logsPerReceiptMax),
  errorData: codec.bytes(LIMITS.errorDataBytesMax),
  contractAddress: codec.optional(codec.address),
  payer: codec.address,
})

export const receiptsCodec: codec.Codec<readonly Receipt[]> = codec.list(receiptCodec, LIMITS.blockTransactionsMax)

/** `receiptsRoot` of a header: the Merkle root over the encoded receipts of a block. */
export const receiptsRoot = (crypto: Crypto, receipts: readonly Receipt[]): Uint8Array =>
  merkleRoot(
    crypto,
    receipts.map((receipt) => codec.encode(receiptCodec, receipt)),
  )
