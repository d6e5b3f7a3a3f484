import { isHex } from 'viem'
import { generatePrivateKey, type PrivateKeyAccount, privateKeyToAccount } from 'viem/accounts'

/**
 * A key that this browser made for itself, for development chains only. It lies readable in the browser's storage, which would be theft waiting to
 * happen on a real chain. On a development chain it owns nothing, and gas is free. It is better than the chain's well-known accounts: two browsers
 * are two people, and no script sends with it.
 */
const PLACE = 'development-key'
const KEY_LENGTH = 66

/** The account of an earlier log-in. */
export function savedAccount(): PrivateKeyAccount | undefined {
  const key = localStorage.getItem(PLACE)
  return isHex(key) && key.length === KEY_LENGTH ? privateKeyToAccount(key) : undefined
}

/** Makes an account, and saves it: all tabs of this browser have it. */
export function makeAccount(): PrivateKeyAccount {
  const key = generatePrivateKey()
  localStorage.setItem(PLACE, key)
  return privateKeyToAccount(key)
}

export const forgetAccount = (): void => localStorage.removeItem(PLACE)
