import {
  type BlockRefusal,
  type CallHost,
  createExecutor,
  type ExecutableTransaction,
  type Executor,
  executionVersion,
  flatKeyOf,
  type HistoryKv,
  stateAt,
  type TransactionFailure,
  unpackOps,
} from '@quoin/execution'
import { type BlockContext, type CallAbi, createContracts, type Journal } from '@quoin/execution/contract'
import { loadContractInterpreter, MemoryKv } from '@quoin/platform'
import {
  type Account,
  type Address,
  accountFromValue,
  accountKey,
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
import { CHAIN_ID, testValidator } from './genesis.ts'
import { encodeMessage, type Message } from './transaction.ts'

/** A transaction of a block. */
export interface MinedTransaction {
  readonly hash: Hash
  readonly message: Message
  readonly receipt: Receipt
  /** Why it failed: the reason and the contracts' stacks. */
  readonly failure: TransactionFailure | undefined
}

export interface MinedBlock {
  readonly header: Header
  readonly hash: Hash
  readonly transactions: readonly MinedTransaction[]
}

/** Parameters of the next block. */
export interface Production {
  readonly timeMs: number
  readonly messages: readonly Message[]
  /** Balances to write before the transactions run. */
  readonly balances?: ReadonlyMap<Address, bigint>
}

/** A saved state of a ledger. */
export interface LedgerCheckpoint {
  readonly kv: MemoryKv
  readonly blocks: number
}

/** The call host and its database. */
interface Machinery extends CallHost {
  readonly kv: ReplaceableKv
}

/** Input and output of the executor's callbacks while a block runs. */
interface Hooks {
  balances: ReadonlyMap<Address, bigint>
  readonly failures: Map<Hash, TransactionFailure>
  /** The ABIs of contracts that threw. Their containers have them, so that errors of contracts that no test has an artifact of are known too. */
  readonly thrown: Map<Address, CallAbi>
}

/** Depth D of the state tree; enough for some thousands of keys. State roots do not depend on it. */
const TREE_DEPTH = 6
const NO_BALANCES: ReadonlyMap<Address, bigint> = new Map()

let interpreter: ReturnType<typeof loadContractInterpreter> | undefined

/** Loads the interpreter once for all chains of the process. */
function sharedInterpreter(): ReturnType<typeof loadContractInterpreter> {
  interpreter ??= loadContractInterpreter({ tracesOutOfGas: true })
  return interpreter
}

/** A database that can be replaced while readers keep their reference. */
class ReplaceableKv implements HistoryKv {
  current = new MemoryKv()

  get(key: Uint8Array): Uint8Array | undefined {
    return this.current.get(key)
  }

  scan(range: Parameters<HistoryKv['scan']>[0]): ReturnType<HistoryKv['scan']> {
    return this.current.scan(range)
  }
}

/** Opens an executor, which rebuilds the state tree. Loaded contracts stay loaded. */
async function openExecutor({ kv, contracts }: Machinery, hooks: Hooks): Promise<Executor> {
  const { crypto, chainId, interpreter } = contracts
  const executor = await createExecutor({
    ...{ kv, crypto, chainId, interpreter, contracts },
    treeDepth: TREE_DEPTH,
    historyHeights: 0,
    contractsSend: true,
    onFailure: (hash, failure) => void hooks.failures.set(hash, failure),
    beforeBlock: (journal) => setBalances(journal, hooks.balances),
  })
  return unwrap(executor)
}

function setBalances(journal: Journal, balances: ReadonlyMap<Address, bigint>): void {
  for (const [address, balance] of balances) journal.setAccount(address, { ...journal.account(address), balance: Wei(balance) })
}

/**
 * Blocks and state of one chain in memory. It uses the nodes' executor and call host. The caller must wait for each block before it produces the next
 * one.
 */
export class Ledger {
  readonly #hooks: Hooks
  readonly #machinery: Machinery
  readonly #blocks: MinedBlock[]
  #executor: Executor

  private constructor(hooks: Hooks, machinery: Machinery, executor: Executor, genesis: MinedBlock) {
    this.#hooks = hooks
    this.#machinery = machinery
    this.#executor = executor
    this.#blocks = [genesis]
  }

  static async create(genesisOf: (executionVersion: Hash) => Genesis): Promise<Ledger> {
    const hooks: Hooks = { balances: NO_BALANCES, failures: new Map(), thrown: new Map() }
    const kv = new ReplaceableKv()
    const powers = {
      reader: kv,
      crypto,
      chainId: CHAIN_ID as ChainId,
      interpreter: await sharedInterpreter(),
      executionVersion: executionVersion(crypto),
      onThrow: (address: Address, abi: CallAbi) => void hooks.thrown.set(address, abi),
    }
    const machinery = { kv, contracts: createContracts(powers) }
    const executor = await openExecutor(machinery, hooks)
    const { header, hash, ops } = await executor.genesis(genesisOf(executor.version))
    kv.current.apply(unpackOps(ops))
    await executor.commit(hash)
    return new Ledger(hooks, machinery, executor, { header, hash, transactions: [] })
  }

  get head(): MinedBlock {
    return this.#blocks.at(-1)!
  }

  /** All blocks, by height. */
  get blocks(): readonly MinedBlock[] {
    return this.#blocks
  }

  get calls(): CallHost {
    return this.#machinery
  }

  /** ABI of the code that threw last at an address; undefined if none did. */
  abiOfThrower(address: Address): CallAbi | undefined {
    return this.#hooks.thrown.get(address)
  }

  /** Block context of a call on the state of a block: that block itself, as for `eth_call`. */
  contextOf(height: number): BlockContext {
    const { number, timeMs, miner, gasLimit, baseFeePerGas } = this.#blocks[height]!.header
    return { number, timeMs, proposer: miner, gasLimit, baseFee: baseFeePerGas }
  }

  /** Value of a state key after the block of a height. */
  async value(stateKey: Hex, height: number): Promise<Uint8Array | undefined> {
    const { kv } = this.#machinery
    return height === this.head.header.number ? kv.get(flatKeyOf(stateKey)) : stateAt(kv, height).get(stateKey)
  }

  /** An account in the last block's state. */
  account(address: Address): Account {
    return accountFromValue(this.#machinery.kv.get(flatKeyOf(accountKey(address))))
  }

  /** Makes the next block. Makes none and returns the refusal if a transaction is invalid. */
  async produce({ timeMs, messages, balances = NO_BALANCES }: Production): Promise<Result<MinedBlock, BlockRefusal>> {
    const { header: parent, hash: parentHash } = this.head
    this.#hooks.balances = balances
    this.#hooks.failures.clear()
    const transactions = this.#encode(messages)
    const { feeAddress: miner } = testValidator(crypto)
    const template = { parent, parentHash, timeMs: timeMs as TimeMs, miner, extra: parent.extra }
    const executed = await this.#executor.execute(template, transactions)
    if (!executed.ok) return executed
    const { header, hash, ops, receipts } = executed.value
    const block = { header, hash, transactions: this.#mined(messages, transactions, receipts) }
    // Both in the same event-loop turn, so that a checkpoint never sees only one of them.
    this.#machinery.kv.current.apply(unpackOps(ops))
    this.#blocks.push(block)
    await this.#executor.commit(hash)
    return ok(block)
  }

  checkpoint(): LedgerCheckpoint {
    return { kv: this.#machinery.kv.current.clone(), blocks: this.#blocks.length }
  }

  /** Goes back to a checkpoint; it can be used again. Later blocks are removed. */
  async restore({ kv, blocks }: LedgerCheckpoint): Promise<void> {
    this.#machinery.kv.current = kv.clone()
    this.#blocks.length = blocks
    this.#executor = await openExecutor(this.#machinery, this.#hooks)
  }

  close(): Promise<void> {
    return this.#executor.close()
  }

  #encode(messages: readonly Message[]): readonly ExecutableTransaction[] {
    const next = new Map<Address, number>()
    return messages.map((message) => {
      const nonce = next.get(message.from) ?? this.account(message.from).nonce
      next.set(message.from, nonce + 1)
      return { raw: encodeMessage(message, nonce, CHAIN_ID as ChainId), sender: message.from }
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
