import { type Address, Wei } from '@quoin/protocol'
import type { Journal } from './journal.ts'

/**
 * Adds to an account's balance. An amount of 0 creates no account.
 *
 * @throws RangeError above 2^256 - 1
 */
export function credit(journal: Journal, address: Address, amount: bigint): void {
  if (amount === 0n) return
  const account = journal.account(address)
  journal.setAccount(address, { ...account, balance: Wei(account.balance + amount) })
}
