import { bytesToHex, type Crypto, type Hash, ok, type Result } from '@quoin/protocol'
import { TextCache } from '../cache.ts'
import { CONTRACT_CACHE_LIMITS } from '../limits.ts'
import type { AbiEvent } from './abi.ts'
import { encodeArguments, encodeInPlace } from './encode.ts'
import { type AbiFault, fail, faultAt, Path } from './fault.ts'
import { WORD, writeScalar } from './scalar.ts'
import type { AbiType, ScalarType } from './type.ts'

/** An event's topics and data, as in a log. */
export interface EncodedEvent {
  readonly topics: readonly Hash[]
  readonly data: Uint8Array
}

/**
 * Encodes an event from the values of all parameters, in order. An indexed parameter longer than a word (`bytes`, `string`,
 * arrays, structs) has as its topic the keccak256 of its in-place encoding.
 */
export function encodeEvent(crypto: Crypto, event: AbiEvent, values: readonly unknown[]): Result<EncodedEvent, AbiFault> {
  const { parameters, topic, data: types } = event
  const path = new Path()
  return faultAt(path, () => {
    if (values.length !== parameters.length)
      fail('length', `${values.length} values, ${event.name} has ${parameters.length} parameters`)
    const topics: Hash[] = topic === undefined ? [] : [topic]
    const rest: unknown[] = []
    for (let i = 0; i < parameters.length; i++) {
      const { name, type, indexed } = parameters[i]!
      if (!indexed) {
        rest.push(values[i])
        continue
      }
      path.enter(name === '' ? i : name)
      topics.push(topicOf(crypto, path, type, values[i]))
      path.leave()
    }
    const data = encodeArguments(crypto, types, rest)
    return data.ok ? ok({ topics, data: data.value }) : data
  })
}

function topicOf(crypto: Crypto, path: Path, type: AbiType, value: unknown): Hash {
  if (!isWord(type)) return bytesToHex(crypto.keccak256(encodeInPlace(crypto, path, type, value))) as Hash
  // Cached, because most indexed values are addresses that occur again.
  if (type.kind !== 'address' || typeof value !== 'string') return wordTopic(crypto, type, value)
  return addressTopics.get(value, () => wordTopic(crypto, type, value))
}

const addressTopics = new TextCache<Hash>(CONTRACT_CACHE_LIMITS.addressesMax)

function wordTopic(crypto: Crypto, type: ScalarType, value: unknown): Hash {
  const word = new Uint8Array(WORD)
  writeScalar(crypto, word, 0, type, value)
  return bytesToHex(word) as Hash
}

/** Whether a value is stored in its topic directly, not as a hash. */
export const isWord = (type: AbiType): type is ScalarType => !type.dynamic && type.kind !== 'array' && type.kind !== 'tuple'
