import { ABI_LIMITS, ok, type Result, U256_MAX } from '@quoin/protocol'
import { type Ticks, ticksOf } from '../../ticks.ts'
import type { GuestValue } from '../../vm/index.ts'
import { type Refused, refused } from './define.ts'

/** Options of a message, in addition to receiver and data. */
export interface CallOptions {
  readonly value: bigint
  /** Gas limit in ticks; undefined for all that may be passed on. */
  readonly gas: Ticks | undefined
}

const NONE: CallOptions = { value: 0n, gas: undefined }

/** Parses the options of a call: undefined, or an object with `value` and `gas`, both bigints. */
export function readOptions(given: GuestValue, isStatic: boolean): Result<CallOptions, Refused> {
  if (given === undefined) return ok(NONE)
  if (typeof given !== 'object' || given === null || Array.isArray(given) || given instanceof Uint8Array)
    return refused('the options must be an object with value and gas')
  let options = NONE
  for (const [name, content] of Object.entries(given)) {
    if (content === undefined && (name === 'value' || name === 'gas')) continue
    if (name === 'value' && !isStatic) {
      const value = readAmount('the option value', content)
      if (!value.ok) return value
      options = { ...options, value: value.value }
    } else if (name === 'gas') {
      if (typeof content !== 'bigint' || content < 0n) return refused('the option gas must be a non-negative bigint')
      options = { ...options, gas: ticksOf(Number(content < GAS_MAX ? content : GAS_MAX)) }
    } else if (name === 'value') return refused('a static call cannot carry value')
    else return refused(`unknown option ${name.slice(0, ABI_LIMITS.nameCharsMax)}`)
  }
  return ok(options)
}

const GAS_MAX = BigInt(Number.MAX_SAFE_INTEGER)

/** Checks an amount of the native currency, in wei. `noun` names it in error messages. */
export const readAmount = (noun: string, given: GuestValue): Result<bigint, Refused> =>
  typeof given === 'bigint' && given >= 0n && given <= U256_MAX
    ? ok(given)
    : refused(`${noun} must be a bigint from 0 to 2^256 - 1`)
