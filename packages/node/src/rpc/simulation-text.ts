import type { CallHost, SimulatedBlock, SimulatedCall, SimulatedResult } from '@quoin/execution'
import { bytesToHex } from '@quoin/protocol'
import { RPC_CODE } from './error-codes.ts'
import { formatBlock, formatLog, formatTransaction, quantityHex, type ShownTransaction } from './format.ts'
import { JsonPieces } from './json-text.ts'
import { revertMessage } from './reverts.ts'

export interface Simulated {
  readonly blocks: readonly SimulatedBlock[]
  /** The calls of the request, to show whole transactions instead of their hashes. */
  readonly calls: readonly SimulatedCall[] | undefined
}

type Chain = Pick<CallHost['contracts'], 'crypto' | 'chainId'>

/** The JSON of simulated blocks (`EthSimulateResult` of execution-apis) in pieces; undefined if it would be longer than `charsMax`. */
export function simulationText(chain: Chain, simulated: Simulated, charsMax: number): readonly string[] | undefined {
  const pieces = new JsonPieces()
  for (const text of textsOf(chain, simulated)) {
    pieces.add(text)
    if (pieces.length > charsMax) return undefined
  }
  return pieces.end()
}

function* textsOf(chain: Chain, { blocks, calls }: Simulated): Generator<string> {
  let start = 0
  for (const [i, block] of blocks.entries()) {
    yield i === 0 ? '[' : ','
    // Blocks that fill gaps have no calls, so the calls of the request are those of the blocks, in order.
    const end = start + block.results.length
    yield* blockTexts(chain, block, calls?.slice(start, end))
    start = end
  }
  yield blocks.length === 0 ? '[]' : ']'
}

/** @param calls - The calls of the block, if whole transactions are to be shown. */
function* blockTexts({ crypto, chainId }: Chain, block: SimulatedBlock, calls: readonly SimulatedCall[] | undefined) {
  const { results } = block
  // The list of transactions is the last field, and empty here: cut it off and write it one by one.
  const sizes = results.map(({ transaction: { bytes } }) => ({ length: bytes }))
  yield JSON.stringify(formatBlock(crypto, block, sizes, [])).slice(0, -']}'.length)
  for (const [index, { transaction }] of results.entries()) {
    if (index > 0) yield ','
    const shown = calls?.[index]
    if (shown === undefined) yield `"${transaction.hash}"`
    else
      yield JSON.stringify(
        formatTransaction({ ...shown, ...transaction, ...UNSIGNED, chainId, sender: shown.from }, { block, index }),
      )
  }
  yield '],"calls":['
  let logIndex = 0
  for (const [index, result] of results.entries()) {
    if (index > 0) yield ','
    yield JSON.stringify(formatResult(block, result, index, logIndex))
    logIndex += result.logs.length
  }
  yield ']}'
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
