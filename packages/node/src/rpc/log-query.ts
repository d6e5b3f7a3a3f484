import type { Address, Crypto, Hash, Height } from '@quoin/protocol'
import { z } from 'zod'
import type { RpcBackend } from './backend.ts'
import { requireHeight } from './blocks.ts'
import { invalidParams } from './errors.ts'
import type { RpcLimits } from './limits.ts'
import { type LogCriteria, LogMatcher } from './log-matcher.ts'
import { address, type BlockNumber, blockNumber, hash } from './schema.ts'

const addresses = z
  .union([address.transform((one): readonly Address[] => [one]), z.array(address)], {
    error: 'must be an address (0x and 40 hex digits) or a list of them',
  })
  .nullish()
  .transform((list) => list ?? [])

/** Topics at one position: null, or a list that is empty or has a null in it, leaves the choice open. */
const alternatives = z
  .union([z.null(), hash, z.array(hash.nullable())], { error: 'must be null, a topic (0x and 64 hex digits) or a list of them' })
  .transform((given): readonly Hash[] => {
    const list = Array.isArray(given) ? given : [given]
    return list.every((topic) => topic !== null) ? list : []
  })

const topics = z
  .array(alternatives)
  .max(4, 'has more positions than the 4 that a log has')
  .nullish()
  .transform((list) => list ?? [])

/** `address` and `topics`, as log subscriptions take them. Other members are ignored, as geth does. */
export const logCriteria = z
  .object({ address: addresses, topics })
  .transform((given): LogCriteria => ({ addresses: given.address, topics: given.topics }))

const LATEST = { tag: 'latest' } as const satisfies BlockNumber

/** The parameter of `eth_getLogs` and `eth_newFilter`. */
export const logQuery = z
  .object({
    fromBlock: blockNumber.nullish(),
    toBlock: blockNumber.nullish(),
    blockHash: hash.nullish(),
    address: addresses,
    topics,
  })
  .transform((given) => ({
    fromBlock: given.fromBlock ?? LATEST,
    toBlock: given.toBlock ?? LATEST,
    blockHash: given.blockHash ?? undefined,
    hasRange: (given.fromBlock ?? given.toBlock ?? undefined) !== undefined,
    criteria: { addresses: given.address, topics: given.topics } satisfies LogCriteria,
  }))
  .refine(({ blockHash, hasRange }) => blockHash === undefined || !hasRange, 'has blockHash and a block range: choose one')
export type LogQuery = z.output<typeof logQuery>

/** Throws RpcError when the criteria name more than a query may. */
export function logMatcher(
  crypto: Crypto,
  criteria: LogCriteria,
  { logAddressesMax, logTopicsMax }: Pick<RpcLimits, 'logAddressesMax' | 'logTopicsMax'>,
): LogMatcher {
  const { addresses: named, topics: positions } = criteria
  if (named.length > logAddressesMax) throw invalidParams(`exceed max addresses: ${named.length}, at most ${logAddressesMax}`)
  const count = positions.reduce((sum, list) => sum + list.length, 0)
  if (count > logTopicsMax) throw invalidParams(`exceed max topics: ${count}, at most ${logTopicsMax}`)
  return new LogMatcher(crypto, criteria)
}

export interface HeightRange {
  readonly from: Height
  readonly to: Height
}

/** Height of a tag or number, stored or not. `pending` is the latest block, as for all that is final. */
export function heightOf(reference: BlockNumber, latest: Height): Height {
  if ('height' in reference) return reference.height as Height
  return reference.tag === 'earliest' ? (0 as Height) : latest
}

/** The blocks that a query names. Throws RpcError for a block that is not there, and for a range that is reversed or too long. */
export function rangeOf(backend: RpcBackend, query: LogQuery, limits: Pick<RpcLimits, 'logBlocksMax'>): HeightRange {
  if (query.blockHash !== undefined) {
    const height = requireHeight(backend, { hash: query.blockHash })
    return { from: height, to: height }
  }
  const latest = backend.blocks.head.header.number
  const from = heightOf(query.fromBlock, latest)
  const to = heightOf(query.toBlock, latest)
  if (from > to) throw reversedRange()
  if (to > latest) throw invalidParams('block range extends beyond current head block')
  // In the words and with the count that Ponder cuts its ranges by (packages/utils/src/getLogsRetryHelper.ts).
  if (to - from > limits.logBlocksMax) throw invalidParams(`query exceeds max block range ${limits.logBlocksMax}`)
  return { from, to }
}

export const reversedRange = () => invalidParams('invalid block range params: fromBlock is after toBlock')
