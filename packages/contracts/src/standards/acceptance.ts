import type { Guest, GuestValue } from '../kit/guest.ts'
import { type Address, codeAt, encodeHex } from '../kit/index.ts'

declare const quoin: Guest

/**
 * Whether a receiver accepts tokens. An account without code accepts them. A contract accepts them if its callback returns the callback's selector. It
 * rejects them with any other result, if it has no callback, or if the callback fails without a reason. If the callback fails with a reason, throws that
 * error.
 *
 * @param callback signature with the output: `onERC721Received(address,address,uint256,bytes)(bytes4)`
 */
export function isAccepted(to: Address, callback: string, selector: string, values: readonly GuestValue[]): boolean {
  if (codeAt(to).length === 0) return true
  try {
    return encodeHex(quoin.call(to, callback, values) as Uint8Array) === selector
  } catch (error) {
    const { data, message } = error as { readonly data?: Uint8Array; readonly message: string }
    // The chain answers a call that no function takes with this text; the EVM gives no reason.
    if (data?.length && message !== `the contract has no function with selector ${selector} and no fallback`) throw error
    return false
  }
}
