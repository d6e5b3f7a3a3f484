import { bytesToHex, err, LIMITS } from '@quoin/protocol'
import { type GuestValue, HostRefusal } from '../../vm/index.ts'
import { encodeWithSelector } from '../abi/encode.ts'
import { CONTRACT_GAS } from '../contract-gas.ts'
import { encodedValueGas } from '../library/price.ts'
import { CONTRACT_LIMITS } from '../limits.ts'
import { cut, define, type HostEntry, refused } from './define.ts'
import { findNamed } from './named.ts'

export const ERRORS: readonly HostEntry[] = [
  /** (error, …values): throws an Error with the custom error's name; its `data` is the encoded error. */
  define(
    { name: 'revert', access: 'pure', gas: CONTRACT_GAS.revert.base, parameters: ['string'], rest: 'value' },
    ({ abi, crypto }, context, name, ...values) => {
      const error = findNamed('error', abi.errorsByName, name)
      if (!error.ok) return error
      context.charge(encodedValueGas(values))
      const { selector, inputs } = error.value
      const data = encodeWithSelector(crypto, selector, inputs, values)
      if (!data.ok) return data
      const { length } = data.value
      if (length > LIMITS.errorDataBytesMax)
        return refused(`the error's data takes ${length} bytes, at most ${LIMITS.errorDataBytesMax} are allowed`)
      const message = cut(`${error.value.name}(${describeList(values, CONTRACT_LIMITS.errorTextCharsMax)})`)
      return err(new HostRefusal(message, { name: error.value.name, data: data.value }))
    },
  ),
]

/** Formats values as text. Values beyond the first `charsMax` characters are skipped. */
function describeList(values: readonly GuestValue[], charsMax: number): string {
  let text = ''
  for (const [i, value] of values.entries()) {
    if (text.length >= charsMax) break
    text += (i === 0 ? '' : ', ') + describe(value, charsMax - text.length)
  }
  return text
}

function describe(value: GuestValue, charsMax: number): string {
  if (typeof value === 'string') return ADDRESS.test(value) ? value : JSON.stringify(value.slice(0, charsMax))
  if (value instanceof Uint8Array) return bytesToHex(value.subarray(0, charsMax))
  if (Array.isArray(value)) return `[${describeList(value, charsMax)}]`
  if (typeof value !== 'object' || value === null) return String(value)
  return `{${describeList(Object.values(value), charsMax)}}`
}

const ADDRESS = /^0x[0-9a-fA-F]{40}$/
