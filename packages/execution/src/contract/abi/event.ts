import { bytesToHex, type Crypto, type Hash, ok, type Result } from '@quoin/protocol'
import { TextCache } from '../cache.ts'
import { CONTRACT_CACHE_LIMITS } from '../limits.ts'
import type { AbiEvent } from './abi.ts'
import { encodeArguments, encodeInPlace } from './encode.ts'
import { type AbiFault, fail, faultAt, Path } from './fault.ts'
import { WORD, writeScalar } from './scalar.ts'
import type { AbiType, ScalarType } from './type.ts'

/** An event as a log has it, the address aside. */
export interface EncodedEvent {
  readonly topics: readonly Hash[]
  readonly data: Uint8Array
}

/**
 * Topics and data of an event from the values of all of its parameters in order. An indexed parameter of more than a word (`bytes`, `string`,
 * arrays, structs) is in its topic as the keccak256 of its encoding in place.
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
  // Most indexed values are addresses, and most addresses come again.
  if (type.kind !== 'address' || typeof value !== 'string') return wordTopic(crypto, type, value)
  return addressTopics.get(value, () => wordTopic(crypto, type, value))
}

const addressTopics = new TextCache<Hash>(CONTRACT_CACHE_LIMITS.addressesMax)

function wordTopic(crypto: Crypto, type: ScalarType, value: unknown): Hash {
  const word = new Uint8Array(WORD)
  writeScalar(crypto, word, 0, type, value)
  return bytesToHex(word) as Hash
}

/** Whether a value stands in its topic itself, not as a hash. */
export const isWord = (type: AbiType): type is ScalarType => !type.dynamic && type.kind !== 'array' && type.kind !== 'tuple'
