import { nextBaseFee } from '@quoin/execution'
import { type ChainParameters, equalBytes, type Hash, type Header, timeProblem } from '@quoin/protocol'

/** Fields of the next header that the head determines. */
export interface HeaderRules {
  readonly parent: Header
  readonly parentHash: Hash
  /** From the parent's state. */
  readonly parameters: ChainParameters
  readonly extra: Header['extra']
}

/**
 * Checks a header before any transaction is executed. Returns an error with the field, its value and the required value; undefined if the
 * header is correct. `miner`, and how far the time may be from now, apply to fresh proposals only; consensus checks them.
 */
export function headerProblem(header: Header, rules: HeaderRules): string | undefined {
  const { parent, parentHash, parameters, extra } = rules
  const fixed: readonly (readonly [name: string, found: unknown, wanted: unknown])[] = [
    ['number', header.number, parent.number + 1],
    ['parentHash', header.parentHash, parentHash],
    ['extra.executionVersion', header.extra.executionVersion, extra.executionVersion],
    ['extra.validatorsHash', header.extra.validatorsHash, extra.validatorsHash],
    ['extra.nextValidatorsHash', header.extra.nextValidatorsHash, extra.nextValidatorsHash],
    ['gasLimit', header.gasLimit, parameters.blockGasMax],
    ['baseFeePerGas', header.baseFeePerGas, nextBaseFee(parent, parameters)],
  ]
  const wrong = fixed.find(([, found, wanted]) => found !== wanted)
  if (wrong !== undefined) return `${wrong[0]} is ${String(wrong[1])}, not ${String(wrong[2])}`
  return timeProblem(parent, header.timeMs)
}

/** Returns the first field in which a proposed header and the executed one differ, with both values; undefined if they are equal. */
export function headerDifference(proposed: Header, executed: Header): string | undefined {
  const names = Object.keys(executed) as (keyof Header)[]
  const name = names.find((field) => !sameField(proposed[field], executed[field]))
  return name === undefined ? undefined : `${name} is ${show(proposed[name])}, but execution yields ${show(executed[name])}`
}

function sameField(a: Header[keyof Header], b: Header[keyof Header]): boolean {
  if (a instanceof Uint8Array || b instanceof Uint8Array)
    return a instanceof Uint8Array && b instanceof Uint8Array && equalBytes(a, b)
  if (typeof a === 'object' && typeof b === 'object')
    return Object.entries(a).every(([field, value]) => b[field as keyof Header['extra']] === value)
  return a === b
}

const show = (value: Header[keyof Header]): string =>
  value instanceof Uint8Array
    ? `0x${Buffer.from(value).toString('hex')}`
    : typeof value === 'object'
      ? JSON.stringify(value)
      : String(value)
