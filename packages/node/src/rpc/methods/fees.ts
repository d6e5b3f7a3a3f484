import type { Header, Height } from '@quoin/protocol'
import { z } from 'zod'
import { effectiveTip } from '../../mempool/ordering.ts'
import type { RpcBackend } from '../backend.ts'
import { loadBlock, requireHeight } from '../blocks.ts'
import { invalidParams } from '../errors.ts'
import { quantityHex } from '../format.ts'
import { type Methods, method } from '../method.ts'
import { blockNumber, looseInteger } from '../schema.ts'

const percentiles = z.array(z.number().min(0).max(100)).max(100)

/** Tips at the percentiles of a block's gas, as EIP-1559 clients expect: one row a block, zeros for an empty one. */
function rewards(backend: RpcBackend, { number, baseFeePerGas, gasUsed }: Header, wanted: readonly number[]): readonly bigint[] {
  // Under `free`, which a base fee of 0 marks, no tip is charged: the block need not be read.
  const transactions = baseFeePerGas === 0n ? [] : (loadBlock(backend, number)?.transactions ?? [])
  const receipts = transactions.length === 0 ? [] : (backend.blocks.receipts(number) ?? [])
  const paid = transactions
    .map((transaction, i) => ({ tip: effectiveTip(transaction, baseFeePerGas), gas: receipts[i]!.gasUsed }))
    .sort((a, b) => (a.tip < b.tip ? -1 : a.tip > b.tip ? 1 : 0))
  return wanted.map((percentile) => {
    let gas = 0
    for (const entry of paid) {
      gas += entry.gas
      if (100 * gas >= percentile * gasUsed) return entry.tip
    }
    return 0n
  })
}

function feeHistory(backend: RpcBackend, count: number, newest: Height, wanted: readonly number[] | undefined) {
  const oldest = Math.max(0, newest - count + 1)
  const headers: Header[] = []
  for (let height = oldest; height <= newest; height++) headers.push(backend.blocks.header(height as Height)!.header)
  const following = backend.blocks.header((newest + 1) as Height)?.header.baseFeePerGas ?? backend.nextBaseFee()
  return {
    oldestBlock: quantityHex(oldest),
    baseFeePerGas: [...headers.map(({ baseFeePerGas }) => baseFeePerGas), following].map(quantityHex),
    gasUsedRatio: headers.map(({ gasUsed, gasLimit }) => gasUsed / gasLimit),
    ...(wanted === undefined ? {} : { reward: headers.map((header) => rewards(backend, header, wanted).map(quantityHex)) }),
  }
}

/** Tips are not charged under `free`, and one block a proposer fills rarely: no tip is needed to be included. */
export const feeMethods: Methods<RpcBackend> = {
  eth_gasPrice: method([], (backend: RpcBackend) => quantityHex(backend.nextBaseFee())),
  eth_maxPriorityFeePerGas: method([], () => '0x0'),
  eth_blobBaseFee: method([], () => '0x0'),
  eth_feeHistory: method(
    [looseInteger, blockNumber, percentiles.optional()],
    (backend: RpcBackend, [count, reference, wanted], { limits }) => {
      if (count < 1) throw invalidParams('block count must be at least 1')
      if (wanted?.some((percentile, i) => i > 0 && percentile < wanted[i - 1]!))
        throw invalidParams('reward percentiles must not decrease')
      return feeHistory(backend, Math.min(count, limits.feeHistoryBlocksMax), requireHeight(backend, reference), wanted)
    },
  ),
}
