import { CODE_REGISTRY_ADDRESS } from '@quoin/execution/contract'
import { type Address, contractAddress } from '@quoin/protocol'
import { type ChangeCounts, type Changes, NO_CHANGES } from './changes.ts'
import { addCall, failCall, ledgers, passCall, upgradeCall } from './contracts.ts'
import { simCrypto } from './crypto.ts'
import { type Account, clientAccount, signed, transfer } from './genesis.ts'
import type { SeededRandom } from './random.ts'

/** Contracts that clients create in a run. */
const CONTRACTS_MAX = 8
const CONTRACT_GAS = 3_000_000
/** Part of the transactions that come from the governor, if there is one that changes the chain. */
const GOVERNOR_CHANCE = 0.3

/** A client's next transaction. */
export interface Sent {
  readonly client: number
  readonly nonce: number
  readonly raw: Uint8Array
  /** Address of the contract that it creates. */
  readonly contract?: Address
}

/** The clients' load: transfers, new contracts, and calls to them. Until a contract exists, each client creates one. */
export class Load {
  readonly #random: SeededRandom
  readonly #nonces: number[]
  /** Contracts whose creation a node accepted; if a crash lost the transaction, there is no code. */
  readonly #contracts: { readonly address: Address; readonly owner: number }[] = []
  taken = 0

  readonly #changes: Changes | undefined

  /** @param changes what the governor does; it is the client after the others */
  constructor(random: SeededRandom, clients: number, changes?: Changes) {
    this.#random = random
    this.#changes = changes
    this.#nonces = new Array<number>(clients + (changes === undefined ? 0 : 1)).fill(0)
  }

  get changes(): Readonly<ChangeCounts> {
    return this.#changes?.counts ?? NO_CHANGES
  }

  get #clients(): number {
    return this.#nonces.length - (this.#changes === undefined ? 0 : 1)
  }

  next(): Sent {
    const random = this.#random
    if (this.#changes !== undefined && random.chance(GOVERNOR_CHANCE)) {
      const client = this.#nonces.length - 1
      const nonce = this.#nonces[client]!
      return { client, nonce, raw: this.#changes.next(nonce) }
    }
    const client = random.below(this.#clients)
    const kind = this.#contracts.length === 0 ? 'create' : random.pick(KINDS)
    return kind === 'upgrade' ? this.#upgrade() : this.#send(client, kind)
  }

  /** A node accepted a transaction. */
  settle({ client, nonce, contract }: Sent): void {
    this.taken++
    this.#nonces[client] = nonce + 1
    if (contract !== undefined) this.#contracts.push({ address: contract, owner: client })
  }

  /** A node refused a transaction. A crashed node lost its pool, so the nonce is read from the chain again now and then. */
  refuse({ client, nonce }: Sent, code: string): void {
    this.#nonces[client] = code === 'nonce-too-low' ? nonce + 1 : Math.max(0, nonce - this.#random.below(4))
  }

  #send(client: number, kind: Exclude<(typeof KINDS)[number], 'upgrade'>): Sent {
    const random = this.#random
    const nonce = this.#nonces[client]!
    const from = clientAccount(client)
    const sent = (raw: Uint8Array): Sent => ({ client, nonce, raw })
    if (kind === 'transfer') {
      const to = clientAccount(random.below(this.#clients)).address
      return sent(transfer(from, to, nonce, BigInt(random.below(1_000))))
    }
    if (kind === 'create' && this.#contracts.length < CONTRACTS_MAX) {
      const contract = contractAddress(simCrypto, from.address, nonce)
      return { ...sent(withGas(from, nonce, undefined, random.pick(ledgers))), contract }
    }
    const { address } = random.pick(this.#contracts)
    return sent(withGas(from, nonce, address, this.#call()))
  }

  #call(): Uint8Array {
    const random = this.#random
    const n = random.below(1_000)
    if (random.chance(0.15)) return failCall(random.below(3))
    return random.chance(0.3) ? passCall(random.pick(this.#contracts).address, n) : addCall(n)
  }

  #upgrade(): Sent {
    const { address, owner } = this.#random.pick(this.#contracts)
    const nonce = this.#nonces[owner]!
    const data = upgradeCall(address, this.#random.pick(ledgers))
    return { client: owner, nonce, raw: withGas(clientAccount(owner), nonce, CODE_REGISTRY_ADDRESS, data) }
  }
}

/** Each kind is drawn as often as it is listed here. */
const KINDS = [
  ...new Array<'transfer'>(10).fill('transfer'),
  ...new Array<'call'>(7).fill('call'),
  ...new Array<'create'>(2).fill('create'),
  'upgrade',
] as const

const withGas = (from: Account, nonce: number, to: Address | undefined, data: Uint8Array): Uint8Array =>
  signed(from, nonce, { to, value: 0n, data, gas: CONTRACT_GAS })
