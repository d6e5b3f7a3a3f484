import { type Address, callRaw } from '../kit/index.ts'

/**
 * Calls an account on behalf of a wallet's owners and returns the returned data. If the call fails, throws its error; if that error is empty, throws one
 * that says which call failed.
 */
export function callTarget(to: Address, value: bigint, data: Uint8Array): Uint8Array {
  try {
    return callRaw(to, data, { value })
  } catch (error) {
    if ((error as { readonly data?: Uint8Array }).data?.length !== 0) throw error
    throw new Error(`the call of ${to} failed without a reason`)
  }
}
