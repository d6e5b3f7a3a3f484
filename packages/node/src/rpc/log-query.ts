import type { Address, Hash, Height } from '@quoin/protocol'
import type { RpcBackend } from './backend.ts'
import { requireHeight } from './blocks.ts'
import { invalidParams } from './errors.ts'
import type { RpcLimits } from './limits.ts'
import type { LogCriteria, LogQuery } from './log-matcher.ts'
import { by, type Members, Misfit, nullish, reader, readList, readObject } from './reader.ts'
import { address, type BlockNumber, blockNumber, hash } from './schema.ts'

type TermLimits = Pick<RpcLimits, 'logAddressesMax' | 'logTopicsMax'>

const readHash = by(hash)
const readBlock = by(blockNumber)

function readAddresses(value: unknown, { logAddressesMax }: TermLimits): readonly Address[] {
  if (!Array.isArray(value)) {
    const one = address.usual(value)
    if (one !== undefined) return [one]
    throw new Misfit('must be an address (0x and 40 hex digits) or a list of them')
  }
  // In geth's words.
  if (value.length > logAddressesMax) throw invalidParams(`exceed max addresses: ${value.length}, at most ${logAddressesMax}`)
  return readList(value, logAddressesMax, 'addresses', by(address))
}

const POSITIONS_MAX = 4
const TOPIC_PROBLEM = 'must be null, a topic (0x and 64 hex digits) or a list of them'

/** Topics at one position: null, or a list that is empty or has a null in it, leaves the choice open. */
function readAlternatives(value: unknown): readonly Hash[] {
  if (value === null) return []
  if (!Array.isArray(value)) {
    const one = hash.usual(value)
    if (one !== undefined) return [one]
    throw new Misfit(TOPIC_PROBLEM)
  }
  const read = readList(value, value.length, 'topics', (item) => (item === null ? undefined : readHash(item)))
  const named = read.filter((topic) => topic !== undefined)
  return named.length === read.length ? named : []
}

function readTopics(value: unknown, { logTopicsMax }: TermLimits): readonly (readonly Hash[])[] {
  if (!Array.isArray(value)) throw new Misfit('must be a list of topics')
  if (value.length > POSITIONS_MAX) throw new Misfit(`has more positions than the ${POSITIONS_MAX} that a log has`)
  const count = value.reduce((sum: number, one: unknown) => sum + (Array.isArray(one) ? one.length : one === null ? 0 : 1), 0)
  if (count > logTopicsMax) throw invalidParams(`exceed max topics: ${count}, at most ${logTopicsMax}`)
  return readList(value, POSITIONS_MAX, 'positions', readAlternatives)
}

const criteriaOf = (object: Members, limits: TermLimits): LogCriteria => ({
  addresses: nullish(object, 'address', (value) => readAddresses(value, limits)) ?? [],
  topics: nullish(object, 'topics', (value) => readTopics(value, limits)) ?? [],
})

/**
 * `address` and `topics`, as log subscriptions take them. Other members are ignored, as geth does. Throws RpcError when they name more than a
 * query may, before any of them is looked at.
 */
export const logCriteria = reader((value, limits) => criteriaOf(readObject(value), limits))

const LATEST = { tag: 'latest' } as const satisfies BlockNumber

/** The parameter of `eth_getLogs` and `eth_newFilter`. */
export const logQuery = reader((value, limits): LogQuery => {
  const object = readObject(value)
  const fromBlock = nullish(object, 'fromBlock', readBlock)
  const toBlock = nullish(object, 'toBlock', readBlock)
  const blockHash = nullish(object, 'blockHash', readHash)
  const criteria = criteriaOf(object, limits)
  if (blockHash !== undefined && (fromBlock ?? toBlock) !== undefined)
    throw new Misfit('has blockHash and a block range: choose one')
  return { fromBlock: fromBlock ?? LATEST, toBlock: toBlock ?? LATEST, blockHash, criteria }
})

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
