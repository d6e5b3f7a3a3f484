import type { Guest, GuestValue } from '../kit/guest.ts'
import { type Address, codeAt, encodeHex } from '../kit/index.ts'

declare const quoin: Guest

/**
 * Whether a receiver takes tokens: an account without code does; a contract must answer its callback with the callback's selector. One that
 * answers something else, or fails without a reason, does not; the error of one that fails with a reason passes on.
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
