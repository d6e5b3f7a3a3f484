import type { Guest, GuestValue } from '../kit/guest.ts'
import { type Address, codeAt, encodeHex } from '../kit/index.ts'

declare const quoin: Guest

/**
 * Whether a receiver accepts tokens. An account without code accepts them. A contract accepts them if its callback returns the callback's selector. It
 * rejects them with any other result, or if the callback fails without a reason. If the callback fails with a reason, throws that error.
 *
 * @param callback signature with the output: `onERC721Received(address,address,uint256,bytes)(bytes4)`
 */
export function isAccepted(to: Address, callback: string, selector: string, values: readonly GuestValue[]): boolean {
  if (codeAt(to).length === 0) return true
  try {
    return encodeHex(quoin.call(to, callback, values) as Uint8Array) === selector
  } catch (error) {
    if ((error as { readonly data?: Uint8Array }).data?.length) throw error
    return false
  }
}
