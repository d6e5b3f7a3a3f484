import {
  type Account,
  type Address,
  accountKey,
  bytesToHex,
  decodeTransaction,
  EMPTY_ACCOUNT,
  type Gas,
  Hash,
  type Nonce,
  type Transaction,
  unwrap,
  type Wei,
} from '@quoin/protocol'
import {
  decodeErrorResult,
  FeeCapTooLowError,
  InsufficientFundsError,
  IntrinsicGasTooHighError,
  IntrinsicGasTooLowError,
  NonceMaxValueError,
  NonceTooHighError,
  NonceTooLowError,
  TipAboveFeeCapError,
} from 'viem'
import { describe, expect, it } from 'vitest'
import { crypto } from '../../test/chain.ts'
import { giveCode, TEST_BLOCK, TestContracts } from '../../test/contracts.ts'
import { addressOf, CHAIN_ID, rawTransaction, type Spec, transfer } from '../../test/transactions.ts'
import { Journal } from '../state/journal.ts'
import { flatKeyOf } from '../state/keys.ts'
import { UNJUDGED } from './sending.ts'
import { applyTransaction, checkAccount, checkRules, type TransactionRules } from './transaction.ts'

const sender = addressOf(1)
const recipient = addressOf(2)
const miner = addressOf(3)
const contract = addressOf(4)

const rules: TransactionRules = { feePolicy: 'burn', transactionGasMax: 100_000 as Gas, baseFee: 10n as Wei, sending: UNJUDGED }
const decode = (spec: Spec): Transaction => unwrap(decodeTransaction(crypto, CHAIN_ID, rawTransaction(spec)))
const accountOf = (nonce: number, balance: bigint): Account => ({
  ...EMPTY_ACCOUNT,
  nonce: nonce as Nonce,
  balance: balance as Wei,
})
const make = (other: Partial<Spec> = {}) => decode(transfer(sender, 5, recipient, 100n, { maxFee: 15n, tip: 2n, ...other }))

function journalOf(entries: readonly (readonly [Address, Account])[]): Journal {
  const journal = new Journal()
  for (const [address, account] of entries) journal.setAccount(address, account)
  giveCode(journal, contract, Uint8Array.of(1), Hash(new Uint8Array(32).fill(1)))
  return journal
}

describe('refusals use the phrases that viem matches', () => {
  it.each([
    ['gas-limit-too-high', { gas: 100_001 }, IntrinsicGasTooHighError],
    ['intrinsic-gas-too-low', { gas: 20_999 }, IntrinsicGasTooLowError],
    ['tip-above-fee', { tip: 16n }, TipAboveFeeCapError],
    ['fee-too-low', { maxFee: 9n, tip: 1n }, FeeCapTooLowError],
  ] as const)('%s', (code, other, known) => {
    const refusal = checkRules(make(other), sender, rules)
    expect(refusal?.code).toBe(code)
    expect(refusal?.message).toMatch(known.nodeMessage)
  })

  const cost = 21_000n * 15n + 100n
  it.each([
    ['nonce-too-low', accountOf(6, cost), NonceTooLowError],
    ['nonce-too-high', accountOf(4, cost), NonceTooHighError],
    ['insufficient-funds', accountOf(5, cost - 1n), InsufficientFundsError],
  ] as const)('%s', (code, account, known) => {
    const refusal = checkAccount(make(), account, 'burn')
    expect(refusal?.code).toBe(code)
    expect(refusal?.message).toMatch(known.nodeMessage)
  })

  it('the last nonce is never used', () => {
    const refusal = checkAccount(make({ nonce: 2 ** 32 - 1 }), accountOf(2 ** 32 - 1, cost), 'burn')
    expect(refusal?.message).toMatch(NonceMaxValueError.nodeMessage)
  })

  it('an account with code does not send (EIP-3607)', () => {
    const account = { ...accountOf(5, cost), codeHash: Hash(new Uint8Array(32)) }
    expect(checkAccount(make(), account, 'burn')?.code).toBe('not-permitted')
  })

  it('bounds are exact', () => {
    expect(checkRules(make(), sender, rules)).toBeUndefined()
    expect(checkRules(make({ gas: 100_000, tip: 15n, maxFee: 15n }), sender, rules)).toBeUndefined()
    expect(checkRules(make({ maxFee: 10n }), sender, rules)).toBeUndefined()
    expect(checkAccount(make(), accountOf(5, cost), 'burn')).toBeUndefined()
    expect(checkAccount(make(), accountOf(5, cost), 'to-proposer')).toBeUndefined()
    // Under `free` the balance must cover only the value, whatever the fee fields say.
    expect(checkAccount(make(), accountOf(5, 100n), 'free')).toBeUndefined()
    expect(checkAccount(make(), accountOf(5, 99n), 'free')?.code).toBe('insufficient-funds')
  })
})

describe('applyTransaction', () => {
  const rich = accountOf(5, 10n ** 9n)
  const apply = (journal: Journal, transaction: Transaction, applied: TransactionRules, proposer = miner) =>
    applyTransaction(new TestContracts(journal, { ...TEST_BLOCK, proposer }).machine, transaction, sender, applied, false)
  const balances = (journal: Journal) => [sender, recipient, miner].map((address) => journal.account(address).balance)

  it.each([
    ['free', 10n ** 9n - 100n, 0n],
    ['burn', 10n ** 9n - 100n - 21_000n * 12n, 21_000n * 2n],
    ['to-proposer', 10n ** 9n - 100n - 21_000n * 12n, 21_000n * 12n],
  ] as const)('moves value and fee under %s', (feePolicy, left, income) => {
    const journal = journalOf([[sender, rich]])
    const baseFee = (feePolicy === 'free' ? 0n : 10n) as Wei
    const outcome = apply(journal, make(), { ...rules, feePolicy, baseFee })
    expect(outcome).toMatchObject({ status: 1, gasUsed: 21_000, payer: sender, contractAddress: undefined, logs: [] })
    expect(balances(journal)).toEqual([left, 100n, income])
    expect(journal.account(sender).nonce).toBe(6)
  })

  it.each([
    ['a creation', { to: undefined, gas: 60_000, data: Uint8Array.of(1) }, 60_000, 'out of gas'],
    [
      'a call of code without a contract record',
      { to: contract, gas: 30_000 },
      21_600,
      `the account ${contract} has code but no contract record`,
    ],
  ] as const)('fails %s with a reason that ABI decoders read, charges the gas, moves no value', (_, other, gasUsed, reason) => {
    const journal = journalOf([[sender, rich]])
    const outcome = apply(journal, make(other), rules)
    expect(outcome).toMatchObject({ status: 0, gasUsed, contractAddress: undefined })
    expect(decodeErrorResult({ data: bytesToHex(outcome.errorData) })).toMatchObject({ errorName: 'Error', args: [reason] })
    expect(journal.account(contract).balance).toBe(0n)
    expect(balances(journal)).toEqual([10n ** 9n - BigInt(gasUsed) * 12n, 0n, BigInt(gasUsed) * 2n])
    expect(journal.account(sender).nonce).toBe(6)
  })

  it('ignores data that is sent to a plain account, and creates none for no value', () => {
    const journal = journalOf([[sender, rich]])
    const outcome = apply(journal, make({ value: 0n, data: Uint8Array.of(1, 2), gas: 30_000 }), rules)
    expect(outcome).toMatchObject({ status: 1, gasUsed: 21_032 })
    expect(journal.changes().map(({ flatKey }) => bytesToHex(flatKey))).not.toContain(
      bytesToHex(flatKeyOf(accountKey(recipient))),
    )
  })

  it('lets sender, recipient and proposer be one account', () => {
    const journal = journalOf([[sender, rich]])
    apply(journal, make({ to: sender }), { ...rules, feePolicy: 'to-proposer' }, sender)
    expect(journal.account(sender)).toEqual({ ...rich, nonce: 6 })
  })

  it("fails if the recipient's balance would overflow, which exceeds the supply of any chain", () => {
    const journal = journalOf([
      [sender, rich],
      [recipient, accountOf(0, 2n ** 256n - 50n)],
    ])
    const reason = `the balance of ${recipient} would be above 2^256 - 1`
    expect(apply(journal, make(), rules)).toMatchObject({ status: 0, failure: { reason } })
    expect(journal.account(recipient).balance).toBe(2n ** 256n - 50n)
  })

  it('throws where the fee is more than the sender has: a bug, since the cost is checked before', () => {
    expect(() => apply(journalOf([]), make(), rules)).toThrow(RangeError)
  })
})
