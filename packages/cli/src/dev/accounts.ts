import type { DevelopmentAccount } from '@quoin/platform'
import type { Address, Crypto } from '@quoin/protocol'
import { DEV_LIMITS } from './limits.ts'

/** Accounts that can send without a client's signature: accounts whose keys the node has, and impersonated accounts. */
export class DevAccounts {
  readonly #crypto: Crypto
  readonly #keys: ReadonlyMap<Address, Uint8Array>
  /** Oldest first. */
  readonly #impersonated = new Set<Address>()
  #everybody = false

  constructor(crypto: Crypto, accounts: readonly DevelopmentAccount[]) {
    this.#crypto = crypto
    this.#keys = new Map(accounts.map(({ address, secretKey }) => [address, secretKey]))
  }

  /** Accounts with keys in the order of the mnemonic, then impersonated accounts. */
  get list(): readonly Address[] {
    return [...new Set([...this.#keys.keys(), ...this.#impersonated])]
  }

  hasKey(address: Address): boolean {
    return this.#keys.has(address)
  }

  isImpersonated(address: Address): boolean {
    return this.#everybody || this.#impersonated.has(address)
  }

  impersonate(address: Address): void {
    this.#impersonated.add(address)
    for (const oldest of this.#impersonated) {
      if (this.#impersonated.size <= DEV_LIMITS.impersonatedMax) return
      this.#impersonated.delete(oldest)
    }
  }

  stopImpersonating(address: Address): void {
    this.#impersonated.delete(address)
  }

  /** Switches impersonation of all senders on or off. */
  impersonateEverybody(on: boolean): void {
    this.#everybody = on
  }

  reset(): void {
    this.#impersonated.clear()
    this.#everybody = false
  }

  /**
   * Signs a 32-byte digest; the signature is r ‖ s.
   *
   * @throws Error when the node has no key of the account
   */
  sign(address: Address, digest: Uint8Array): ReturnType<Crypto['sign']> {
    const key = this.#keys.get(address)
    if (key === undefined) throw new Error(`the node has no key for ${address}`)
    return this.#crypto.sign(digest, key)
  }
}
