import { type Crypto, Hash, ok, type Result } from '@quoin/protocol'
import type { AbiEvent, AbiEventField } from './abi.ts'
import { encodeArguments, encodeInPlace } from './encode.ts'
import { type AbiFault, fault } from './fault.ts'

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
  if (values.length !== parameters.length)
    return fault('length', '', `${values.length} values, ${event.name} has ${parameters.length} parameters`)
  const topics: Hash[] = topic === undefined ? [] : [Hash(topic)]
  const rest: unknown[] = []
  for (const [i, parameter] of parameters.entries()) {
    if (!parameter.indexed) {
      rest.push(values[i])
      continue
    }
    const found = topicOf(crypto, parameter, values[i], i)
    if (!found.ok) return found
    topics.push(found.value)
  }
  const data = encodeArguments(crypto, types, rest)
  return data.ok ? ok({ topics, data: data.value }) : data
}

function topicOf(crypto: Crypto, { name, type }: AbiEventField, value: unknown, index: number): Result<Hash, AbiFault> {
  const encoded = encodeInPlace(crypto, type, value, name === '' ? index : name)
  if (!encoded.ok) return encoded
  const isWord = !type.dynamic && type.kind !== 'array' && type.kind !== 'tuple'
  return ok(Hash(isWord ? encoded.value : crypto.keccak256(encoded.value)))
}
