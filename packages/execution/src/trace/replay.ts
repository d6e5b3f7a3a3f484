import { type Address, accountKey, decodeTransaction, type FeePolicy, type Transaction, unwrap, Wei } from '@quoin/protocol'
import { maximumCost } from '../block/fees.ts'
import { applyTransaction, chargedPolicy, type TransactionOutcome } from '../block/transaction.ts'
import type { Contracts } from '../contract/contracts.ts'
import { LoadedCodes } from '../contract/loaded-codes.ts'
import { Machine } from '../contract/machine.ts'
import type { BlockContext, MessageObserver } from '../contract/message.ts'
import { unpackTransactions } from '../pack.ts'
import { Journal } from '../state/journal.ts'
import { flatKeyOf } from '../state/keys.ts'
import type { KvReader } from '../state/kv.ts'
import { Overlay } from '../state/overlay.ts'
import { readParameters } from '../state/system-records.ts'

/** Transactions of a block that are run again. It can be cloned in a message between threads. */
export interface Replay {
  readonly block: BlockContext
  /** `packTransactions` encoding of the block's transactions, from the first one on. The block may have more. */
  readonly transactions: Uint8Array
  /** Status and used gas of each, from their receipts. */
  readonly receipts: readonly ReplayReceipt[]
}

export interface ReplayReceipt {
  readonly status: 0 | 1
  readonly gasUsed: number
  readonly payer: Address
}

/** A transaction of a replay. */
export interface ReplayItem {
  readonly transaction: Transaction
  readonly sender: Address
  readonly receipt: ReplayReceipt
}

/** Decodes a replay's transactions, which were valid in their block. */
export function replayItems({ crypto, chainId }: Contracts, { transactions, receipts }: Replay): readonly ReplayItem[] {
  return unpackTransactions(transactions).map(({ raw, sender }, i) => {
    const receipt = receipts[i]
    if (receipt === undefined) throw new Error(`the replay has no receipt for transaction ${i}`)
    return { transaction: unwrap(decodeTransaction(crypto, chainId, raw)), sender, receipt }
  })
}

/**
 * Database keys of the accounts that a replay uses in any case. When they are known from the start, the first run on a past state
 * already goes the right way for most transactions.
 */
export function replayKeys({ block }: Replay, items: readonly ReplayItem[]): readonly Uint8Array[] {
  const addresses = new Set<Address>([block.proposer])
  for (const { sender, transaction } of items) {
    addresses.add(sender)
    if (transaction.to !== undefined) addresses.add(transaction.to)
  }
  return [...addresses].map((address) => flatKeyOf(accountKey(address)))
}

/**
 * Runs a block's transactions again, on the state after the parent block. The state may still be a guess (`call/past-run.ts`), on
 * which transactions may differ from their block or not even be valid. The replay continues then, so that all keys that it needs
 * become known; `difference` tells about it in the end.
 */
export class BlockReplay {
  /** The state before the next transaction. */
  readonly state: Overlay
  readonly block: BlockContext
  readonly #contracts: Contracts
  readonly #feePolicy: FeePolicy
  readonly #loaded = new LoadedCodes()
  #logs = 0
  #difference: string | undefined

  /** @param reader the state after the parent block */
  constructor(contracts: Contracts, reader: KvReader, block: BlockContext) {
    this.#contracts = contracts
    this.state = new Overlay(reader)
    this.block = block
    this.#feePolicy = readParameters(reader).value.feePolicy
  }

  /** Number of logs of the transactions so far. */
  get logs(): number {
    return this.#logs
  }

  /** The first transaction that did not do the same as in its block, as text. On the right state it is a bug or damage. */
  get difference(): string | undefined {
    return this.#difference
  }

  /** A machine for the next message of the block. Codes that earlier transactions used are loaded. */
  machine(journal: Journal, observer?: MessageObserver, block = this.block): Machine {
    return new Machine(this.#contracts, journal, block, { loaded: this.#loaded, observer })
  }

  /** Runs transactions in one journal, until the end or until it is cancelled. */
  runAll(items: readonly ReplayItem[], isCancelled: () => boolean): void {
    const journal = new Journal(this.state)
    const machine = this.machine(journal)
    for (const item of items) {
      if (isCancelled()) break
      this.#apply(machine, item)
    }
    this.state.apply(journal.changes())
  }

  /**
   * Runs one transaction in a journal of its own, whose state before it is `state` until `keep` is called.
   *
   * @returns undefined if the sender cannot pay for it, which happens only on a wrong state
   */
  run(item: ReplayItem, journal: Journal, observer: MessageObserver | undefined): TransactionOutcome | undefined {
    return this.#apply(this.machine(journal, observer), item)
  }

  /** Adds the writes of a transaction's journal to the state. */
  keep(journal: Journal): void {
    this.state.apply(journal.changes())
  }

  #apply(machine: Machine, { transaction, sender, receipt }: ReplayItem): TransactionOutcome | undefined {
    const { hash } = transaction
    // The receipt names another payer only for a transaction of the lane.
    const isLane = receipt.payer !== sender
    if (maximumCost(chargedPolicy(this.#feePolicy, isLane), transaction) > machine.journal.account(sender).balance) {
      this.#difference ??= `replay differs from the block: the sender of transaction ${hash} cannot pay for it`
      return undefined
    }
    const rules = { feePolicy: this.#feePolicy, baseFee: Wei(this.block.baseFee) }
    const outcome = applyTransaction(machine, transaction, sender, rules, isLane)
    this.#logs += outcome.logs.length
    if (outcome.status !== receipt.status || outcome.gasUsed !== receipt.gasUsed)
      this.#difference ??= `replay differs from the block: transaction ${hash} has status ${outcome.status} and used ${outcome.gasUsed} gas, its receipt has status ${receipt.status} and ${receipt.gasUsed} gas`
    return outcome
  }
}
