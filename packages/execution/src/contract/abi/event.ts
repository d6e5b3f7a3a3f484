import { type Crypto, Hash, ok, type Result } from '@quoin/protocol'
import type { AbiEvent } from './abi.ts'
import { encodeArguments, encodeInPlace } from './encode.ts'
import { type AbiFault, fail, faultAt, Path } from './fault.ts'
import type { AbiType } from './type.ts'

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
    for (const [i, { name, type, indexed }] of parameters.entries()) {
      if (!indexed) {
        rest.push(values[i])
        continue
      }
      path.enter(name === '' ? i : name)
      const bytes = encodeInPlace(crypto, path, type, values[i])
      path.leave()
      topics.push(Hash(isWord(type) ? bytes : crypto.keccak256(bytes)))
    }
    const data = encodeArguments(crypto, types, rest)
    return data.ok ? ok({ topics, data: data.value }) : data
  })
}

/** Whether a value stands in its topic itself, not as a hash. */
export const isWord = ({ dynamic, kind }: AbiType): boolean => !dynamic && kind !== 'array' && kind !== 'tuple'
