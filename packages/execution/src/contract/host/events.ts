import type { GuestValue } from '../../vm/index.ts'
import type { AbiEvent } from '../abi/abi.ts'
import { encodeEvent, isWord } from '../abi/event.ts'
import { CONTRACT_GAS } from '../contract-gas.ts'
import { encodedValueGas, valueGas } from '../library/price.ts'
import { define, type HostEntry } from './define.ts'
import { findNamed } from './named.ts'

const GAS = CONTRACT_GAS.emit

export const EVENTS: readonly HostEntry[] = [
  /** (event, …values of all parameters). */
  define(
    { name: 'emit', access: 'write', gas: GAS.base, parameters: ['string'], rest: 'value' },
    ({ abi, crypto, journal, self }, context, name, ...values) => {
      const event = findNamed('event', abi.eventsByName, name)
      if (!event.ok) return event
      context.charge(encodingGas(event.value, values))
      const encoded = encodeEvent(crypto, event.value, values)
      if (!encoded.ok) return encoded
      const { topics, data } = encoded.value
      context.charge(GAS.byte * data.length + GAS.topic * topics.length)
      return journal.log({ address: self, topics, data })
    },
  ),
]

function encodingGas({ parameters }: AbiEvent, values: readonly GuestValue[]): number {
  let gas = encodedValueGas(values)
  for (const [i, { type, indexed }] of parameters.entries()) if (indexed && !isWord(type)) gas += valueGas(GAS.hashed, values[i])
  return gas
}
