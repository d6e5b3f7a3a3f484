import {
  type Account,
  accountFromValue,
  accountKey,
  type BlockRefusal,
  type CallHost,
  createCallHost,
  createExecutor,
  type ExecutableTransaction,
  type Executor,
  flatKeyOf,
  stateAt,
  type TransactionFailure,
  unpackOps,
} from '@quoin/execution'
import type { BlockContext, Journal } from '@quoin/execution/contract'
import {
  type Address,
  type ChainId,
  codec,
  nobleCrypto as crypto,
  type Genesis,
  Hash,
  type Header,
  type Hex,
  ok,
  type Receipt,
  type Result,
  receiptsCodec,
  type TimeMs,
  unwrap,
  Wei,
} from '@quoin/protocol'
import { loadContractEngine, MemoryKv } from '../platform/index.ts'
import { CHAIN_ID, testValidator } from './genesis.ts'
import { encodeTransaction, type Message } from './transaction.ts'

/** A transaction in its block. */
export interface MinedTransaction {
  readonly hash: Hash
  readonly message: Message
  readonly receipt: Receipt
  /** Why it failed, in words and with the contracts' stacks. */
  readonly failure: TransactionFailure | undefined
}

export interface MinedBlock {
  readonly header: Header
  readonly hash: Hash
  readonly transactions: readonly MinedTransaction[]
}

/** What the next block is to be. */
export interface Production {
  readonly timeMs: number
  readonly messages: readonly Message[]
  /** Balances that are written before its transactions run. */
  readonly balances?: ReadonlyMap<Address, bigint>
}

/** A ledger as it was. */
export interface LedgerCheckpoint {
  readonly kv: MemoryKv
  readonly blocks: number
}

/** The executor and what runs calls, over one database. */
interface Machinery {
  readonly kv: MemoryKv
  readonly executor: Executor
  readonly calls: CallHost
}

/** What the executor asks of, and tells, the ledger while a block runs. */
interface Hooks {
  balances: ReadonlyMap<Address, bigint>
  readonly failures: Map<Hash, TransactionFailure>
}

/** D of the state tree: some thousands of keys. It is no part of what a root depends on. */
const TREE_DEPTH = 6
const NO_BALANCES: ReadonlyMap<Address, bigint> = new Map()

let engine: ReturnType<typeof loadContractEngine> | undefined

/** One for all chains of the process. */
function sharedEngine(): ReturnType<typeof loadContractEngine> {
  engine ??= loadContractEngine()
  return engine
}

async function openMachinery(kv: MemoryKv, hooks: Hooks): Promise<Machinery> {
  const powers = { kv, crypto, chainId: CHAIN_ID as ChainId, engine: await sharedEngine() }
  const executor = await createExecutor({
    ...powers,
    treeDepth: TREE_DEPTH,
    historyHeights: 0,
    contractsSend: true,
    onFailure: (hash, failure) => void hooks.failures.set(hash, failure),
    beforeBlock: (journal) => setBalances(journal, hooks.balances),
  })
  return { kv, executor: unwrap(executor), calls: createCallHost(powers) }
}

function setBalances(journal: Journal, balances: ReadonlyMap<Address, bigint>): void {
  for (const [address, balance] of balances) journal.setAccount(address, { ...journal.account(address), balance: Wei(balance) })
}

/**
 * Blocks and state of one chain in memory: production's executor makes them, and its call host reads them. Blocks are produced one at a time:
 * the caller waits for each.
 */
export class Ledger {
  readonly #hooks: Hooks
  readonly #blocks: MinedBlock[]
  #machinery: Machinery

  private constructor(hooks: Hooks, machinery: Machinery, genesis: MinedBlock) {
    this.#hooks = hooks
    this.#machinery = machinery
    this.#blocks = [genesis]
  }

  static async create(genesisOf: (executionVersion: Hash) => Genesis): Promise<Ledger> {
    const hooks: Hooks = { balances: NO_BALANCES, failures: new Map() }
    const machinery = await openMachinery(new MemoryKv(), hooks)
    const { kv, executor } = machinery
    const { header, hash, ops } = await executor.genesis(genesisOf(executor.version))
    kv.apply(unpackOps(ops))
    await executor.commit(hash)
    return new Ledger(hooks, machinery, { header, hash, transactions: [] })
  }

  get head(): MinedBlock {
    return this.#blocks.at(-1)!
  }

  /** All blocks, by height. */
  get blocks(): readonly MinedBlock[] {
    return this.#blocks
  }

  get calls(): CallHost {
    return this.#machinery.calls
  }

  /** What a call on the state of a block finds itself in: the block itself, as for `eth_call`. */
  contextOf(height: number): BlockContext {
    const { number, timeMs, miner, gasLimit, baseFeePerGas } = this.#blocks[height]!.header
    return { number, timeMs, proposer: miner, gasLimit, baseFee: baseFeePerGas }
  }

  /** Value of a state key as the block of a height left it. */
  async value(stateKey: Hex, height: number): Promise<Uint8Array | undefined> {
    const { kv } = this.#machinery
    return height === this.head.header.number ? kv.get(flatKeyOf(stateKey)) : stateAt(kv, height).get(stateKey)
  }

  /** The account now. */
  account(address: Address): Account {
    return accountFromValue(this.#machinery.kv.get(flatKeyOf(accountKey(address))))
  }

  /** Makes the next block, or none when one of its transactions may not stand there. */
  async produce({ timeMs, messages, balances = NO_BALANCES }: Production): Promise<Result<MinedBlock, BlockRefusal>> {
    const { kv, executor } = this.#machinery
    const { header: parent, hash: parentHash } = this.head
    this.#hooks.balances = balances
    this.#hooks.failures.clear()
    const transactions = this.#encode(messages)
    const { feeAddress: miner } = testValidator(crypto)
    const template = { parent, parentHash, timeMs: timeMs as TimeMs, miner, extra: parent.extra }
    const executed = await executor.execute(template, transactions)
    if (!executed.ok) return executed
    const { header, hash, ops, receipts } = executed.value
    const block = { header, hash, transactions: this.#mined(messages, transactions, receipts) }
    // In one turn, so that a checkpoint never finds the one without the other.
    kv.apply(unpackOps(ops))
    this.#blocks.push(block)
    await executor.commit(hash)
    return ok(block)
  }

  checkpoint(): LedgerCheckpoint {
    return { kv: this.#machinery.kv.clone(), blocks: this.#blocks.length }
  }

  /** Back to an earlier state, any number of times. Blocks above are gone. */
  async restore({ kv, blocks }: LedgerCheckpoint): Promise<void> {
    this.#machinery = await openMachinery(kv.clone(), this.#hooks)
    this.#blocks.length = blocks
  }

  close(): Promise<void> {
    return this.#machinery.executor.close()
  }

  #encode(messages: readonly Message[]): readonly ExecutableTransaction[] {
    const next = new Map<Address, number>()
    return messages.map((message) => {
      const nonce = next.get(message.from) ?? this.account(message.from).nonce
      next.set(message.from, nonce + 1)
      return { raw: encodeTransaction(message, nonce, CHAIN_ID), sender: message.from }
    })
  }

  #mined(
    messages: readonly Message[],
    transactions: readonly ExecutableTransaction[],
    receipts: Uint8Array,
  ): readonly MinedTransaction[] {
    return unwrap(codec.decode(receiptsCodec, receipts)).map((receipt, i) => {
      const hash = Hash(crypto.keccak256(transactions[i]!.raw))
      return { hash, message: messages[i]!, receipt, failure: this.#hooks.failures.get(hash) }
    })
  }
}
