import type { Header, Height } from '@quoin/protocol'
import { z } from 'zod'
import { effectiveTip } from '../../mempool/ordering.ts'
import type { RpcBackend } from '../backend.ts'
import { rawBlock, requireHeight, transactionOf } from '../blocks.ts'
import { invalidParams } from '../errors.ts'
import { quantityHex } from '../format.ts'
import * as forms from '../forms/index.ts'
import { JsonText, jsonList } from '../json-text.ts'
import { type CallContext, type Methods, method } from '../method.ts'
import { by, reader, readList } from '../reader.ts'
import { blockNumber, looseCount } from '../schema.ts'

const PERCENTILES_MAX = 100
const percentile = by(z.number().min(0).max(100))

const PERCENTILES: forms.Schema = {
  ...forms.list({ type: 'number', minimum: 0, maximum: 100 }),
  maxItems: PERCENTILES_MAX,
}
const percentiles = reader(PERCENTILES, (value) =>
  value === undefined ? undefined : readList(value, PERCENTILES_MAX, 'percentiles', percentile),
)

interface PaidTip {
  readonly tip: bigint
  readonly gas: number
}

/** Tip and gas of each transaction of a block, lowest tip first. */
async function tipsOf(backend: RpcBackend, { number, baseFeePerGas }: Header, call: CallContext): Promise<readonly PaidTip[]> {
  // A base fee of 0 marks the fee policy `free`, which charges no tips: the block need not be read.
  const raw = baseFeePerGas === 0n ? undefined : rawBlock(backend, number)
  if (raw === undefined || raw.bodies.length === 0) return []
  const receipts = backend.blocks.receipts(number) ?? []
  const paid: PaidTip[] = []
  for (const [index, { gasUsed: gas }] of receipts.entries()) {
    if (call.isSliceOver()) await call.nextTurn()
    paid.push({ tip: effectiveTip(transactionOf(backend, raw, index), baseFeePerGas), gas })
  }
  return paid.sort((a, b) => (a.tip < b.tip ? -1 : a.tip > b.tip ? 1 : 0))
}

/** Tips at the given percentiles of a block's gas: one row per block, zeros for an empty block (as in go-ethereum's `eth_feeHistory`). */
function rewards(paid: readonly PaidTip[], gasUsed: number, wanted: readonly number[]): readonly bigint[] {
  let gas = 0
  let at = 0
  return wanted.map((percentile) => {
    while (at < paid.length && 100 * (gas + paid[at]!.gas) < percentile * gasUsed) gas += paid[at++]!.gas
    return paid[at]?.tip ?? 0n
  })
}

async function feeHistory(
  backend: RpcBackend,
  { count, newest, wanted }: { readonly count: number; readonly newest: Height; readonly wanted: readonly number[] | undefined },
  call: CallContext,
) {
  const oldest = Math.max(0, newest - count + 1)
  const headers: Header[] = []
  const reward: string[][] = []
  for (let height = oldest; height <= newest; height++) {
    if (call.isSliceOver()) await call.nextTurn()
    const { header } = backend.blocks.header(height as Height)!
    headers.push(header)
    if (wanted !== undefined) reward.push(rewards(await tipsOf(backend, header, call), header.gasUsed, wanted).map(quantityHex))
  }
  const following = backend.blocks.header((newest + 1) as Height)?.header.baseFeePerGas ?? backend.nextBaseFee()
  const rows = wanted === undefined ? undefined : await jsonList(reward, (row) => JSON.stringify(row), call)
  const frame = JSON.stringify({
    oldestBlock: quantityHex(oldest),
    baseFeePerGas: [...headers.map(({ baseFeePerGas }) => baseFeePerGas), following].map(quantityHex),
    gasUsedRatio: headers.map(({ gasUsed, gasLimit }) => gasUsed / gasLimit),
  })
  return new JsonText(rows === undefined ? [frame] : [frame.slice(0, -1), ',"reward":', ...rows.pieces, '}'])
}

/** The suggested tip is 0: the policy `free` charges no tips, and blocks are rarely full, so inclusion needs no tip. */
export const feeMethods: Methods<RpcBackend> = {
  eth_baseFee: method(
    { summary: 'The base fee of the next block, per gas.', params: [], result: forms.quantity },
    [],
    (backend: RpcBackend) => quantityHex(backend.nextBaseFee()),
  ),
  eth_gasPrice: method(
    { summary: 'The base fee of the next block, per gas.', params: [], result: forms.quantity },
    [],
    (backend: RpcBackend) => quantityHex(backend.nextBaseFee()),
  ),
  eth_maxPriorityFeePerGas: method({ summary: 'The suggested tip: zero.', params: [], result: forms.quantity }, [], () => '0x0'),
  eth_blobBaseFee: method({ summary: 'Zero: there are no blobs.', params: [], result: forms.quantity }, [], () => '0x0'),
  eth_feeHistory: method(
    {
      summary: 'Base fees, used gas and tips of blocks up to one.',
      params: ['blockCount', 'newestBlock', 'rewardPercentiles'],
      result: forms.feeHistory,
    },
    [looseCount, blockNumber, percentiles],
    (backend: RpcBackend, [count, reference, wanted], call) => {
      if (count < 1) throw invalidParams('block count must be at least 1')
      if (wanted?.some((percentile, i) => i > 0 && percentile < wanted[i - 1]!))
        throw invalidParams('reward percentiles must not decrease')
      const range = { count: Math.min(count, call.limits.feeHistoryBlocksMax), newest: requireHeight(backend, reference), wanted }
      return feeHistory(backend, range, call)
    },
  ),
}
