import { bytesToHex, err, ok, type Result } from '@quoin/protocol'
import type { AbiFunction, CallAbi } from './abi.ts'
import { selectorBytes } from './encode.ts'

/** What a call of a contract runs. */
export type Target =
  /** `data` are the encoded arguments. */
  | { readonly kind: 'function'; readonly function: AbiFunction; readonly data: Uint8Array }
  | { readonly kind: 'receive' }
  /** `data` is the whole calldata. */
  | { readonly kind: 'fallback'; readonly data: Uint8Array }

export interface DispatchError {
  readonly code: 'no-function' | 'not-payable'
  readonly message: string
}

const SELECTOR_BYTES = 4

/**
 * Chooses the target of a call by Solidity's rule: a known selector means its function; no data means `receive`, if there is one;
 * everything else means `fallback`. A target that is not payable takes no value.
 */
export function dispatch(abi: CallAbi, calldata: Uint8Array, value: bigint): Result<Target, DispatchError> {
  const selector = selectorOf(calldata)
  const called = selector === undefined ? undefined : abi.functions.get(selector)
  if (called !== undefined) {
    if (value > 0n && called.mutability !== 'payable') return notPayable(called.signature)
    return ok({ kind: 'function', function: called, data: calldata.subarray(SELECTOR_BYTES) })
  }
  if (calldata.length === 0 && abi.receive) return ok({ kind: 'receive' })
  if (abi.fallback === undefined) return err({ code: 'no-function', message: missing(selector, calldata.length) })
  return value > 0n && !abi.fallback.payable ? notPayable('fallback') : ok({ kind: 'fallback', data: calldata })
}

/** Selector of calldata; undefined when the calldata is shorter than four bytes. */
export const selectorOf = (calldata: Uint8Array): number | undefined =>
  calldata.length < SELECTOR_BYTES
    ? undefined
    : calldata[0]! * 2 ** 24 + ((calldata[1]! << 16) | (calldata[2]! << 8) | calldata[3]!)

const notPayable = (name: string): Result<never, DispatchError> =>
  err({ code: 'not-payable', message: `${name} is not payable and takes no value` })

function missing(selector: number | undefined, length: number): string {
  if (selector !== undefined)
    return `the contract has no function with selector ${bytesToHex(selectorBytes(selector))} and no fallback`
  return length === 0
    ? 'the contract has neither receive nor fallback'
    : `${length} bytes of calldata are too short for a selector, and the contract has no fallback`
}
