import type { Address, Hash, Height } from '@quoin/protocol'
import type { RpcBackend } from './backend.ts'
import { headOf, requireHeight } from './blocks.ts'
import { invalidParams, RpcError } from './errors.ts'
import * as forms from './forms/index.ts'
import type { RpcLimits } from './limits.ts'
import type { LogCriteria, LogQuery } from './log-matcher.ts'
import { by, type Members, Misfit, optional, reader, readList, readObject } from './reader.ts'
import { address, type BlockNumber, blockNumber, hash } from './schema.ts'

export type TermLimits = Pick<RpcLimits, 'logAddressesMax' | 'logTopicsMax'>

const readHash = by(hash)
const readBlock = by(blockNumber)

function readAddresses(value: unknown, { logAddressesMax }: TermLimits): readonly Address[] {
  if (!Array.isArray(value)) {
    const one = address.usual(value)
    if (one !== undefined) return [one]
    throw new Misfit('must be an address (0x and 40 hex digits) or an array of addresses')
  }
  // The message of go-ethereum.
  if (value.length > logAddressesMax)
    throw invalidParams(`exceed max addresses: ${value.length}, the limit is ${logAddressesMax}`)
  return readList(value, logAddressesMax, 'addresses', by(address))
}

const POSITIONS_MAX = 4
const TOPIC_PROBLEM = 'must be null, a topic (0x and 64 hex digits) or an array of topics'

/** Topics at one position. Null, an empty list, or a list with a null in it matches anything. */
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
  if (!Array.isArray(value)) throw new Misfit('must be an array of topics')
  if (value.length > POSITIONS_MAX) throw new Misfit(`has too many positions: a log has at most ${POSITIONS_MAX} topics`)
  const count = value.reduce((sum: number, one: unknown) => sum + (Array.isArray(one) ? one.length : one === null ? 0 : 1), 0)
  if (count > logTopicsMax) throw invalidParams(`exceed max topics: ${count}, the limit is ${logTopicsMax}`)
  return readList(value, POSITIONS_MAX, 'positions', readAlternatives)
}

/** `address` and `topics` of a filter. */
export const criteriaOf = (object: Members, limits: TermLimits): LogCriteria => ({
  addresses: optional(object, 'address', (value) => readAddresses(value, limits)) ?? [],
  topics: optional(object, 'topics', (value) => readTopics(value, limits)) ?? [],
})

const topics = forms.list(forms.anyOf(forms.nothing, forms.hash, forms.list(forms.orNull(forms.hash))))
export const criteriaMembers = {
  address: forms.anyOf(forms.address, forms.list(forms.address)),
  topics: { ...topics, maxItems: POSITIONS_MAX },
}
const CRITERIA = forms.component('LogCriteria', forms.open({}, criteriaMembers))
const QUERY = forms.component(
  'LogQuery',
  forms.notBoth(
    forms.open({}, { fromBlock: forms.blockNumber, toBlock: forms.blockNumber, blockHash: forms.hash, ...criteriaMembers }),
    ['blockHash', 'fromBlock'],
    ['blockHash', 'toBlock'],
  ),
)

/**
 * `address` and `topics` of a log subscription. Other members are ignored, as in geth. Throws RpcError if there are too many, before it
 * reads any of them.
 */
export const logCriteria = reader(CRITERIA, (value, limits) => criteriaOf(readObject(value), limits))

const LATEST = { tag: 'latest' } as const satisfies BlockNumber

/** The parameter of `eth_getLogs` and `eth_newFilter`. */
export const logQuery = reader(QUERY, (value, limits): LogQuery => {
  const object = readObject(value)
  const fromBlock = optional(object, 'fromBlock', readBlock)
  const toBlock = optional(object, 'toBlock', readBlock)
  const blockHash = optional(object, 'blockHash', readHash)
  const criteria = criteriaOf(object, limits)
  if (blockHash !== undefined && (fromBlock ?? toBlock) !== undefined)
    throw new Misfit('has blockHash and a block range: choose one')
  return { fromBlock: fromBlock ?? LATEST, toBlock: toBlock ?? LATEST, blockHash, criteria }
})

export interface HeightRange {
  readonly from: Height
  readonly to: Height
}

/** Height of a tag or number, whether or not the block exists. `pending` means the latest block, because all blocks are final. */
export function heightOf(reference: BlockNumber, latest: Height): Height {
  if ('height' in reference) return reference.height as Height
  return reference.tag === 'earliest' ? (0 as Height) : latest
}

/** The blocks of a query. Throws RpcError if a block does not exist, or the range is reversed or too long. */
export function rangeOf(backend: RpcBackend, query: LogQuery, limits: Pick<RpcLimits, 'logBlocksMax'>): HeightRange {
  if (query.blockHash !== undefined) {
    const height = requireHeight(backend, { hash: query.blockHash })
    return { from: height, to: height }
  }
  const latest = backend.blocks.head.header.number
  const from = heightOf(query.fromBlock, latest)
  const to = heightOf(query.toBlock, latest)
  if (from > to) throw reversedRange()
  if (to > latest) throw new RpcError('range-above-head', 'block range extends beyond current head block', headOf(backend))
  // Message and number must match the pattern by which Ponder shortens its ranges (packages/utils/src/getLogsRetryHelper.ts).
  if (to - from > limits.logBlocksMax)
    throw new RpcError('range-too-large', `query exceeds max block range ${limits.logBlocksMax}`)
  return { from, to }
}

export const reversedRange = () => invalidParams('invalid block range params: fromBlock is after toBlock')
