import type { SimulatedBlock, SimulatedCall, SimulatedResult, SimulationRequest } from '@quoin/execution'
import { bytesToHex } from '@quoin/protocol'
import type { RpcBackend } from './backend.ts'
import { RPC_CODE } from './errors.ts'
import { formatBlock, formatLog, formatTransaction, quantityHex, type ShownTransaction } from './format.ts'
import { JsonText, jsonList } from './json-text.ts'
import type { CallContext } from './method.ts'
import { revertMessage } from './reverts.ts'

type Backend = Pick<RpcBackend, 'crypto' | 'chainId'>

export interface Simulated {
  readonly request: Pick<SimulationRequest, 'blocks'>
  readonly blocks: readonly SimulatedBlock[]
  /** Whether to show whole transactions instead of their hashes. */
  readonly full: boolean
}

/** The JSON of simulated blocks (`EthSimulateResult` of execution-apis). Yields to other work between transactions and between calls. */
export async function simulatedText(
  backend: Backend,
  { request, blocks, full }: Simulated,
  call: CallContext,
): Promise<JsonText> {
  // Blocks that fill gaps have no calls, so the calls of the request are those of the blocks, in order.
  const calls = request.blocks.flatMap((block) => block.calls)
  const pieces: string[] = []
  let start = 0
  for (const block of blocks) {
    if (call.isSliceOver()) await call.nextTurn()
    const end = start + block.results.length
    const shown = full ? calls.slice(start, end) : undefined
    pieces.push(pieces.length === 0 ? '[' : ',', ...(await blockPieces(backend, block, shown, call)))
    start = end
  }
  return new JsonText([...pieces, ']'])
}

/** @param calls - The calls of the block, if whole transactions are to be shown. */
async function blockPieces(
  { crypto, chainId }: Backend,
  block: SimulatedBlock,
  calls: readonly SimulatedCall[] | undefined,
  call: CallContext,
): Promise<readonly string[]> {
  const { results } = block
  // The list of transactions is the last field, and empty here: cut it off and write it piece by piece.
  const sizes = results.map(({ transaction: { bytes } }) => ({ length: bytes }))
  const frame = JSON.stringify(formatBlock(crypto, block, sizes, []))
  const transactions = await jsonList(
    results,
    ({ transaction }, index) => {
      const shown = calls?.[index]
      if (shown === undefined) return `"${transaction.hash}"`
      return JSON.stringify(
        formatTransaction({ ...shown, ...transaction, ...UNSIGNED, chainId, sender: shown.from }, { block, index }),
      )
    },
    call,
  )
  let logIndex = 0
  const ends = await jsonList(
    results,
    (result, index) => {
      const text = JSON.stringify(formatResult(block, result, index, logIndex))
      logIndex += result.logs.length
      return text
    },
    call,
  )
  return [frame.slice(0, -'[]}'.length), ...transactions.pieces, ',"calls":', ...ends.pieces, '}']
}

/** r and s are 0. */
const UNSIGNED: Pick<ShownTransaction, 'signature' | 'yParity'> = { signature: new Uint8Array(64), yParity: 0 }

/** @param firstLogIndex - Within the block. Transfers that are shown as logs count too, as in go-ethereum. */
function formatResult(
  block: SimulatedBlock,
  { transaction, outcome, logs }: SimulatedResult,
  index: number,
  firstLogIndex: number,
) {
  const gasUsed = quantityHex(outcome.gasUsed)
  const transactionHash = transaction.hash
  return {
    returnData: outcome.kind === 'returned' ? bytesToHex(outcome.data) : '0x',
    logs: logs.map((log, i) => formatLog(log, { block, transactionHash, transactionIndex: index, logIndex: firstLogIndex + i })),
    // Nothing is refunded on this chain.
    ...{ gasUsed, maxUsedGas: gasUsed },
    ...(outcome.kind === 'returned' ? { status: '0x1' } : { status: '0x0', error: formatError(outcome) }),
  }
}

function formatError(outcome: Exclude<SimulatedResult['outcome'], { kind: 'returned' }>) {
  if (outcome.kind === 'reverted')
    return { code: RPC_CODE.reverted, message: revertMessage(outcome), data: bytesToHex(outcome.data) }
  const detail = outcome.detail === undefined ? '' : `: ${outcome.detail}`
  return { code: RPC_CODE.callFailed, message: `vm execution error: out of gas${detail}` }
}
