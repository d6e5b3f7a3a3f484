import type { DevelopmentAccount } from '@quoin/platform'
import type { Address, Crypto } from '@quoin/protocol'
import { DEV_LIMITS } from './limits.ts'

/** Who may send without a signature of their own: accounts whose keys the node has, and those that are impersonated. */
export class DevAccounts {
  readonly #crypto: Crypto
  readonly #keys: ReadonlyMap<Address, Uint8Array>
  /** The one impersonated longest ago first. */
  readonly #impersonated = new Set<Address>()
  #everybody = false

  constructor(crypto: Crypto, accounts: readonly DevelopmentAccount[]) {
    this.#crypto = crypto
    this.#keys = new Map(accounts.map(({ address, secretKey }) => [address, secretKey]))
  }

  /** In the order of the mnemonic; impersonated ones last. */
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

  /** Impersonates every sender that is named, or no longer. */
  impersonateEverybody(on: boolean): void {
    this.#everybody = on
  }

  reset(): void {
    this.#impersonated.clear()
    this.#everybody = false
  }

  /** r ‖ s and y parity over a 32-byte digest. Throws for an account without a key. */
  sign(address: Address, digest: Uint8Array): ReturnType<Crypto['sign']> {
    const key = this.#keys.get(address)
    if (key === undefined) throw new Error(`no key of ${address}`)
    return this.#crypto.sign(digest, key)
  }
}
