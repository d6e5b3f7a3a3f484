import type { CallRequest } from '@quoin/execution'
import type { Header } from '@quoin/protocol'

/** What contracts see of a block. */
export const blockContextOf = (header: Header): CallRequest['block'] => ({
  number: header.number,
  timeMs: header.timeMs,
  proposer: header.miner,
  gasLimit: header.gasLimit,
  baseFee: header.baseFeePerGas,
})
