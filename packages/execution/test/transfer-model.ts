import type { Address, FeePolicy } from '@quoin/protocol'
import type { Spec } from './transactions.ts'

/**
 * Model of transfers, directly from the rules: a Map of accounts, numbers as BigInt, no code shared with the executor. It also
 * counts the amount that the fee policy burned.
 */
export interface ModelAccount {
  nonce: bigint
  balance: bigint
  hasCode: boolean
}

export interface ModelReceipt {
  readonly status: number
  readonly gasUsed: bigint
  readonly cumulative: bigint
  readonly payer: Address
}

export interface ModelRules {
  readonly policy: FeePolicy
  readonly blockGas: bigint
  readonly transactionGas: bigint
  readonly initialBaseFee: bigint
  readonly miner: Address
}

export class Model {
  accounts = new Map<Address, ModelAccount>()
  burned = 0n
  readonly rules: ModelRules
  /** Base fee of the next block. */
  baseFee: bigint

  constructor(rules: ModelRules) {
    this.rules = rules
    this.baseFee = rules.policy === 'free' ? 0n : rules.initialBaseFee
  }

  get(address: Address): ModelAccount {
    return this.accounts.get(address) ?? { nonce: 0n, balance: 0n, hasCode: false }
  }

  total(): bigint {
    return [...this.accounts.values()].reduce((sum, { balance }) => sum + balance, 0n)
  }

  snapshot(): Map<Address, ModelAccount> {
    return new Map([...this.accounts].map(([address, account]) => [address, { ...account }]))
  }

  gasOf({ type, to, data, accessListKeys }: Spec): bigint {
    const zeros = BigInt(data.filter((byte) => byte === 0).length)
    const size = BigInt(data.length)
    const list = type === 0 ? 0n : accessListKeys.reduce((sum, keys) => sum + 2400n + 1900n * BigInt(keys), 0n)
    const creation = to === undefined ? 32000n + 2n * ((size + 31n) / 32n) : 0n
    return 21000n + 4n * zeros + 16n * (size - zeros) + list + creation
  }

  /** Code of the refusal that a transaction gets now, apart from the block's room. */
  refusal(spec: Spec): string | undefined {
    const { nonce, balance, hasCode } = this.get(spec.sender)
    const tip = spec.type === 2 ? spec.tip : spec.maxFee
    if (BigInt(spec.gas) > this.rules.transactionGas) return 'gas-limit-too-high'
    if (tip > spec.maxFee) return 'tip-above-fee'
    if (spec.maxFee < this.baseFee) return 'fee-too-low'
    if (BigInt(spec.gas) < this.gasOf(spec)) return 'intrinsic-gas-too-low'
    if (hasCode) return 'not-permitted'
    if (BigInt(spec.nonce) < nonce) return 'nonce-too-low'
    if (BigInt(spec.nonce) > nonce) return 'nonce-too-high'
    const fee = this.rules.policy === 'free' ? 0n : BigInt(spec.gas) * spec.maxFee
    return balance < fee + spec.value ? 'insufficient-funds' : undefined
  }

  /** Runs a transaction that is not refused. */
  run(spec: Spec, cumulativeBefore: bigint): ModelReceipt {
    const { policy, miner } = this.rules
    const fails = spec.to === undefined || this.get(spec.to).hasCode
    // Code needs more gas than the specs of these tests give beyond the intrinsic gas: all of it is used up.
    const gasUsed = fails ? BigInt(spec.gas) : this.gasOf(spec)
    const cap = spec.maxFee - this.baseFee
    const tip = spec.type !== 2 || spec.tip > cap ? cap : spec.tip
    this.change(spec.sender, (account) => {
      account.nonce += 1n
      if (policy !== 'free') account.balance -= gasUsed * (this.baseFee + tip)
    })
    if (policy === 'burn') this.burned += gasUsed * this.baseFee
    const income = policy === 'free' ? 0n : gasUsed * (policy === 'burn' ? tip : tip + this.baseFee)
    if (!fails) {
      this.change(spec.sender, (account) => (account.balance -= spec.value))
      this.change(spec.to!, (account) => (account.balance += spec.value))
    }
    this.change(miner, (account) => (account.balance += income))
    return { status: fails ? 0 : 1, gasUsed, cumulative: cumulativeBefore + gasUsed, payer: spec.sender }
  }

  /** EIP-1559, as in its text. */
  endBlock(gasUsed: bigint): void {
    if (this.rules.policy === 'free') return
    const target = this.rules.blockGas / 2n
    if (gasUsed > target) {
      const delta = (this.baseFee * (gasUsed - target)) / target / 8n
      this.baseFee += delta > 1n ? delta : 1n
    } else if (gasUsed < target) this.baseFee -= (this.baseFee * (target - gasUsed)) / target / 8n
  }

  change(address: Address, edit: (account: ModelAccount) => void): void {
    const account = { ...this.get(address) }
    edit(account)
    if (account.nonce === 0n && account.balance === 0n && !account.hasCode) this.accounts.delete(address)
    else this.accounts.set(address, account)
  }
}
