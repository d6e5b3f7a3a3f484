import { type Account, type Address, codeKey, compareBytes, type Hash, type Nonce, type Wei } from '@quoin/protocol'
import type { Journal } from '../state/journal.ts'
import { flatKeyOf, type KeyText } from '../state/keys.ts'
import type { KvReader } from '../state/kv.ts'
import type { TraceBudget } from './budget.ts'

/** An account that a transaction read or wrote, as it was before it and after it. */
export interface UsedAccountState {
  readonly address: Address
  readonly before: AccountState
  readonly after: AccountState
  /** Entries that were read or written, in the order of their keys. */
  readonly storage: readonly UsedStorageEntry[]
}

export interface AccountState {
  readonly nonce: Nonce
  readonly balance: Wei
  readonly codeHash: Hash | undefined
  /** Undefined if the account has none, or code is not recorded. */
  readonly code: Uint8Array | undefined
}

/** A raw key with values in storage format. Undefined: nothing is stored under the key. */
export interface UsedStorageEntry {
  readonly key: Uint8Array
  readonly before: Uint8Array | undefined
  readonly after: Uint8Array | undefined
}

export interface UsedStateOptions {
  readonly withCode: boolean
  readonly withStorage: boolean
}

/**
 * The accounts that the only transaction or call of a journal has used, in the order of their addresses. A contract's record (its
 * authority, whether it is paused) is not part of it: Ethereum has nothing like it.
 *
 * @param below the state below the journal
 * @param always accounts that are included even if the transaction has not used them
 * @returns undefined if the budget does not suffice
 */
export function usedState(
  journal: Journal,
  below: KvReader,
  { withCode, withStorage }: UsedStateOptions,
  always: readonly Address[],
  budget: TraceBudget,
): readonly UsedAccountState[] | undefined {
  const storage = new Map<Address, UsedStorageEntry[]>()
  if (withStorage) {
    for (const { address, key, before, after } of journal.usedStorage()) {
      if (!budget.take(key.length + (before?.length ?? 0) + (after?.length ?? 0))) return undefined
      const entries = storage.get(address) ?? []
      storage.set(address, entries)
      entries.push({ key: bytesOfKey(key), before, after })
    }
  }
  for (const address of [...always, ...storage.keys()]) journal.account(address)
  const accounts: UsedAccountState[] = []
  for (const { address, before, after } of journal.usedAccounts()) {
    const state = (account: Account, codeOf: (codeHash: Hash) => Uint8Array | undefined): AccountState => ({
      ...account,
      code: withCode && account.codeHash !== undefined ? codeOf(account.codeHash) : undefined,
    })
    const used: UsedAccountState = {
      address,
      before: state(before, (codeHash) => below.get(flatKeyOf(codeKey(codeHash)))),
      after: state(after, (codeHash) => journal.peekCode(codeHash)),
      storage: (storage.get(address) ?? []).toSorted((a, b) => compareBytes(a.key, b.key)),
    }
    if (!budget.take((used.before.code?.length ?? 0) + (used.after.code?.length ?? 0))) return undefined
    accounts.push(used)
  }
  return accounts.toSorted((a, b) => (a.address < b.address ? -1 : 1))
}

const bytesOfKey = (key: KeyText): Uint8Array => Uint8Array.from(key, (character) => character.charCodeAt(0))
