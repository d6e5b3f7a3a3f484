import type { PastState } from '@quoin/execution'
import type { Address } from '@quoin/protocol'
import type { Awaitable } from '../awaitable.ts'
import { Lru } from '../lru.ts'
import type { AccountView, StateView } from '../rpc/backend.ts'

/** Cached accounts, about 200 bytes each. */
const ACCOUNTS_MAX = 16_384

/** State of the head block with a cache of accounts, because clients ask for the same accounts repeatedly. */
export class HeadState implements StateView {
  readonly #state: PastState
  readonly #accounts = new Lru<Address, AccountView>(ACCOUNTS_MAX)

  constructor(state: PastState) {
    this.#state = state
  }

  get height(): number {
    return this.#state.height
  }

  account(address: Address): Awaitable<AccountView> {
    return this.#accounts.get(address) ?? this.#read(address)
  }

  code(address: Address): Promise<Uint8Array | undefined> {
    return this.#state.code(address)
  }

  storage(address: Address, rawKey: Uint8Array): Promise<Uint8Array | undefined> {
    return this.#state.storage(address, rawKey)
  }

  async #read(address: Address): Promise<AccountView> {
    const { nonce, balance } = await this.#state.account(address)
    const account = { nonce, balance }
    this.#accounts.set(address, account, 1)
    return account
  }
}
