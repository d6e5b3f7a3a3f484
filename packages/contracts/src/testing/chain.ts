import { estimateGas } from '@quoin/execution'
import { CODE_REGISTRY_ABI, CODE_REGISTRY_ADDRESS } from '@quoin/execution/contract'
import {
  type Account,
  type Address,
  accountFromValue,
  accountKey,
  bytesToHex,
  codeKey,
  nobleCrypto as crypto,
  DEFAULT_PARAMETERS,
  type Hex,
  headerTimestamp,
  hexToBytes,
  LIMITS,
  storageKey,
  utf8ToBytes,
} from '@quoin/protocol'
import type { Abi } from 'abitype'

import { encodeDeployData, encodeFunctionData, getAddress } from '#viem/utils'
import { type TestAccount, testAccounts } from './accounts.ts'
import type { Artifact } from './artifact.ts'
import { functionNameOf } from './artifacts.ts'
import { type ContractHost, type ContractTarget, createContract, encoded } from './contract.ts'
import type { BlockRange, Contract, DeployParameters, ReadOptions, SendOptions } from './contract-types.ts'
import { ChainCore, type Outgoing, type SnapshotId } from './core.ts'
import { ChainError } from './error.ts'
import type { GasStatistics } from './gas-report.ts'
import { testGenesis } from './genesis.ts'
import { readAddress, readAmount, readBytes, readInteger } from './input.ts'
import { Ledger, type MinedBlock } from './ledger.ts'
import { TESTING_LIMITS } from './limits.ts'
import type { Log } from './log.ts'
import { eventsOf, logsOf, type Receipt } from './receipt.ts'
import { callSite } from './stack.ts'
import type { Message } from './transaction.ts'

/** Options of `createChain`. */
export interface ChainOptions<count extends number = number> {
  /** Number of funded accounts. Default: 10. */
  readonly accounts?: count
  /** Balance of each account, in wei. Default: 10,000 · 10^18. */
  readonly balance?: bigint
  /** Timestamp of block 0, in seconds since 1970. Default: the beginning of 2026, so that all runs are equal. */
  readonly timestamp?: bigint | number
  /** `each` prints the gas of each transaction. Default: `collect`. */
  readonly gas?: 'collect' | 'each'
}

/** A raw transaction, without a contract object. */
export interface SendRequest extends SendOptions {
  /** Undefined creates a contract. `data` is then the container followed by the constructor's arguments. */
  readonly to?: Hex
  readonly data?: Hex
}

export interface RawCallRequest extends SendRequest, ReadOptions {}

/** A block, as tests see it. */
export interface Block {
  readonly number: bigint
  /** Seconds since 1970. */
  readonly timestamp: bigint
  readonly hash: Hex
  readonly parentHash: Hex
  readonly stateRoot: Hex
  readonly gasUsed: bigint
  readonly transactions: readonly Hex[]
}

export interface LogFilter extends BlockRange {
  readonly address?: Hex
  /** Topics by position. Undefined or null matches any topic; a list matches any topic in it. */
  readonly topics?: readonly (Hex | readonly Hex[] | null | undefined)[]
}

/** The block whose state is read. Default: the last block. */
export interface AtBlock {
  readonly blockNumber?: bigint
}

/** Type of the funded accounts: a tuple if the compiler knows their number, else a list. */
export type Accounts<count extends number, list extends readonly Hex[] = readonly []> = number extends count
  ? readonly Hex[]
  : list['length'] extends count
    ? list
    : Accounts<count, readonly [...list, Hex]>

/** A chain for tests, in memory of this process. Make one with `createChain`. */
export class Chain<accounts extends readonly Hex[] = readonly Hex[]> {
  /** Addresses of the funded accounts, with checksums: the same as those of anvil and `quoin dev`. */
  readonly accounts: accounts
  /** Private keys of the accounts, in the same order, for tests that sign. */
  readonly privateKeys: accounts
  readonly #core: ChainCore
  /** Default sender. */
  readonly #sender: Hex | undefined
  readonly #host: ContractHost

  /** Use `createChain`. */
  constructor(core: ChainCore, accounts: readonly TestAccount[]) {
    this.#core = core
    this.#sender = accounts[0]?.address
    this.accounts = accounts.map(({ address }) => address) as readonly Hex[] as accounts
    this.privateKeys = accounts.map(({ privateKey }) => privateKey) as readonly Hex[] as accounts
    this.#host = {
      call: async (target, data, options) => {
        const outgoing = this.#callOf(target, data, options)
        return core.call(outgoing, this.#height('blockNumber', options.blockNumber))
      },
      send: async (target, data, options) => core.send(this.#callOf(target, data, options)),
      events: ({ address, artifact }, range) => eventsOf(artifact.abi, address, this.#logs(range)),
    }
  }

  /** Gas of all transactions so far. */
  get gas(): GasStatistics {
    return this.#core.gas
  }

  /** The last block. */
  get block(): Block {
    return blockOf(this.#core.head)
  }

  /**
   * A block by number.
   *
   * @throws ChainError when the chain does not have this block yet
   */
  getBlock(number: bigint): Block {
    return blockOf(this.#core.ledger.blocks[this.#height('the block', number)]!)
  }

  /**
   * Deploys a contract in a new block.
   *
   * @throws ContractRevert when the constructor fails or the code is invalid
   * @example
   *     const token = await chain.deploy(artifact, { args: ['Quoin', 1_000n] })
   */
  async deploy<const abi extends Abi>(artifact: Artifact<abi>, ...[options]: DeployParameters<abi>): Promise<Contract<abi>> {
    const { args = [], ...rest } = (options ?? {}) as SendOptions & { readonly args?: readonly unknown[] }
    const { name, abi, bytecode } = artifact
    const what = `deployment of ${name}`
    const data = encoded(what, args, () => encodeDeployData({ abi, bytecode, args } as Parameters<typeof encodeDeployData>[0]))
    const message = this.#message(undefined, readBytes('the bytecode', data), rest)
    this.#core.artifacts.add(artifact)
    const { contractAddress } = await this.#core.send({ message, what, artifact, makes: { artifact }, site: callSite() })
    return createContract(this.#host, artifact, contractAddress!)
  }

  /**
   * A contract object for a contract that is already deployed.
   *
   * @throws ChainError when there is no code at the address
   */
  at<const abi extends Abi>(artifact: Artifact<abi>, address: Hex): Contract<abi> {
    const at = readAddress('the address', address)
    this.#assertCode(at, artifact.name)
    this.#core.artifacts.add(artifact)
    return createContract(this.#host, artifact, getAddress(at))
  }

  /**
   * Replaces a contract's code through the native contract at 0x…c0de, and runs the new code's `migrate` with `data`. `from` must be the contract's
   * upgrade authority.
   *
   * @returns a contract object with the new ABI
   */
  async upgrade<const abi extends Abi>(
    { address }: Pick<Contract, 'address'>,
    artifact: Artifact<abi>,
    { data = '0x', ...options }: SendOptions & { readonly data?: Hex } = {},
  ): Promise<Contract<abi>> {
    const target = readAddress('the contract', address)
    this.#assertCode(target, artifact.name)
    const args = [address, artifact.bytecode, data]
    const calldata = encodeFunctionData({ abi: CODE_REGISTRY_ABI as Abi, functionName: 'upgrade', args })
    const message = this.#message(CODE_REGISTRY_ADDRESS, hexToBytes(calldata), options)
    const makes = { artifact, at: target }
    this.#core.artifacts.add(artifact)
    await this.#core.send({ message, what: `upgrade to ${artifact.name}`, artifact: REGISTRY, makes, site: callSite() })
    return createContract(this.#host, artifact, getAddress(target))
  }

  /**
   * Sends a raw transaction.
   *
   * @throws ContractRevert when it fails
   */
  async send(request: SendRequest): Promise<Receipt> {
    return this.#core.send(this.#rawOf(request))
  }

  /**
   * Runs a call without making a block, as `eth_call` does. Returns the return data.
   *
   * @throws ContractRevert when it fails
   */
  async call({ blockNumber, ...request }: RawCallRequest): Promise<Hex> {
    const height = this.#height('blockNumber', blockNumber)
    return bytesToHex((await this.#core.call(this.#rawOf(request), height)).data)
  }

  /** The least gas limit with which a transaction has the same effect as with plenty of gas, as `eth_estimateGas` returns it. */
  async estimateGas({ blockNumber, ...request }: RawCallRequest): Promise<bigint> {
    const outgoing = this.#rawOf(request)
    const height = this.#height('blockNumber', blockNumber)
    const outcome = await estimateGas(this.#core.ledger.calls, this.#core.callRequest(outgoing.message, height))
    if (outcome.kind === 'estimated') return BigInt(outcome.gas)
    // The same call throws with the reason.
    if (outcome.kind === 'reverted') await this.#core.call(outgoing, height)
    throw new ChainError(`cannot estimate the gas of ${outgoing.what}: ${'message' in outcome ? outcome.message : outcome.kind}`)
  }

  /**
   * Sends several transactions in one block: `const [a, b] = await chain.batch(() => [token.write.f(), token.write.g()])`. If a transaction fails, the
   * block is made and the batch throws. If a transaction cannot be included in a block, no block is made.
   *
   * @param collect must return the promises without waiting for them
   */
  async batch<const results extends readonly unknown[]>(
    collect: () => results,
  ): Promise<{ -readonly [index in keyof results]: Awaited<results[index]> }> {
    return (await this.#core.outbox.batch(collect)) as { -readonly [index in keyof results]: Awaited<results[index]> }
  }

  /** Makes empty blocks, `interval` seconds apart. */
  async mine(blocks: number | bigint = 1, interval: number | bigint = 1): Promise<void> {
    const count = readInteger('the number of blocks', blocks, 1, TESTING_LIMITS.minedBlocksMax)
    const afterMs = readSeconds('the interval', interval)
    await this.#exclusive(async () => {
      await this.#core.mineEmpty()
      for (let i = 1; i < count; i++) {
        this.#core.setNextTime(this.#core.head.header.timeMs + afterMs)
        await this.#core.mineEmpty()
      }
    })
  }

  /** Makes an empty block `seconds` after the last one. A block is needed because reads see the last block's time. */
  async increaseTime(seconds: number | bigint): Promise<void> {
    const afterMs = readSeconds('the time to add', seconds)
    await this.#exclusive(async () => {
      this.#core.setNextTime(this.#core.head.header.timeMs + afterMs)
      await this.#core.mineEmpty()
    })
  }

  /** Sets the timestamp of the next block, in seconds since 1970. It must be greater than the last block's. */
  async setNextBlockTimestamp(timestamp: number | bigint): Promise<void> {
    const timeMs = readSeconds('the timestamp', timestamp)
    await this.#exclusive(async () => this.#core.setNextTime(timeMs))
  }

  /**
   * Takes a snapshot of state, blocks and time. `revert` can go back to it any number of times. A snapshot is almost free if nothing has changed since
   * the last one.
   */
  snapshot(): SnapshotId {
    return this.#core.snapshot()
  }

  /** Goes back to a snapshot. Removes snapshots that were taken after it. */
  async revert(id: SnapshotId): Promise<void> {
    return this.#core.revert(id)
  }

  /** Sets an account's balance, in a separate block. At most 2^200 wei. */
  async setBalance(address: Hex, wei: bigint): Promise<void> {
    const account = readAddress('the account', address)
    const balance = readAmount('the balance', wei)
    if (balance > TESTING_LIMITS.balanceMax) throw new ChainError(`a balance may be at most 2^200 wei: ${balance}`)
    await this.#exclusive(() => this.#core.mineEmpty({ balances: new Map([[account, balance]]) }))
  }

  /** Balance of an account, in wei. */
  async balanceOf(address: Hex, { blockNumber }: AtBlock = {}): Promise<bigint> {
    return (await this.#account(address, blockNumber)).balance
  }

  /** Nonce: the number of transactions that an account has sent; for a contract, the number of contracts that it has created plus one. */
  async nonce(address: Hex, { blockNumber }: AtBlock = {}): Promise<number> {
    return (await this.#account(address, blockNumber)).nonce
  }

  /** Code of a contract (its container); undefined for an account without code. */
  async code(address: Hex, { blockNumber }: AtBlock = {}): Promise<Hex | undefined> {
    const { codeHash } = await this.#account(address, blockNumber)
    return codeHash === undefined ? undefined : hexOf(await this.#value(codeKey(codeHash), blockNumber))
  }

  /** Raw value in a contract's storage; undefined if there is none. The key is text, as the kit's keys are, or bytes. */
  async storage(address: Hex, key: string | Uint8Array, { blockNumber }: AtBlock = {}): Promise<Hex | undefined> {
    const rawKey = typeof key === 'string' ? utf8ToBytes(key) : key
    if (rawKey.length > LIMITS.stateKeyBytesMax)
      throw new ChainError(`a key has at most ${LIMITS.stateKeyBytesMax} bytes: ${rawKey.length}`)
    return hexOf(await this.#value(storageKey(readAddress('the account', address), rawKey), blockNumber))
  }

  /** Logs of all contracts, oldest first. */
  async getLogs({ address, topics = [], ...range }: LogFilter = {}): Promise<readonly Log[]> {
    const from = address === undefined ? undefined : getAddress(readAddress('the address', address))
    return this.#logs(range).filter((log) => (from === undefined || log.address === from) && hasTopics(log, topics))
  }

  /** Releases the state. The chain cannot be used afterwards. */
  close(): Promise<void> {
    return this.#core.close()
  }

  async #exclusive(action: () => Promise<void>): Promise<void> {
    this.#core.assertOpen()
    return this.#core.outbox.exclusive(action)
  }

  #message(to: Address | undefined, data: Uint8Array, { from = this.#sender, value = 0n, gas }: SendOptions): Message {
    if (from === undefined) throw new ChainError('the chain has no accounts: set the sender with `from`')
    return {
      from: readAddress('from', from),
      to,
      value: readAmount('value', value),
      data,
      gas: gas === undefined ? DEFAULT_PARAMETERS.transactionGasMax : readInteger('gas', gas, 0, Number.MAX_SAFE_INTEGER),
    }
  }

  /** A call of a contract's function. */
  #callOf({ address, artifact }: ContractTarget, data: Uint8Array, options: SendOptions): Outgoing {
    const to = readAddress('the contract', address)
    this.#assertCode(to, artifact.name)
    const what = `${artifact.name}.${functionNameOf(artifact, bytesToHex(data))}`
    return { message: this.#message(to, data, options), what, artifact, site: callSite() }
  }

  /** A message without a contract object. Its destination may still have a known artifact. */
  #rawOf({ to, data = '0x', ...options }: SendRequest): Outgoing {
    const destination = to === undefined ? undefined : readAddress('to', to)
    const message = this.#message(destination, readBytes('data', data), options)
    const site = callSite()
    if (destination === undefined) return { message, what: 'creation of a contract', artifact: undefined, site }
    const artifact = this.#core.artifactAt(destination)
    const what = artifact === undefined ? `call of ${to}` : `${artifact.name}.${functionNameOf(artifact, data)}`
    return { message, what, artifact, site }
  }

  #assertCode(address: Address, name: string): void {
    if (!this.#core.hasCode(address))
      throw new ChainError(`${name}: there is no contract at ${getAddress(address)} (a revert may have removed it)`)
  }

  /** Checks a height; undefined: the last block. */
  #height(what: string, number: bigint | undefined): number {
    const last = this.#core.head.header.number
    return number === undefined ? last : readInteger(what, number, 0, last)
  }

  async #value(key: Hex, blockNumber: bigint | undefined): Promise<Uint8Array | undefined> {
    this.#core.assertOpen()
    return this.#core.ledger.value(key, this.#height('blockNumber', blockNumber))
  }

  async #account(address: Hex, blockNumber: bigint | undefined): Promise<Account> {
    return accountFromValue(await this.#value(accountKey(readAddress('the account', address)), blockNumber))
  }

  #logs({ fromBlock = 0n, toBlock }: BlockRange): readonly Log[] {
    this.#core.assertOpen()
    const from = this.#height('fromBlock', fromBlock)
    const blocks = this.#core.ledger.blocks.slice(from, this.#height('toBlock', toBlock) + 1)
    return blocks.flatMap((block) => block.transactions.flatMap((_, index) => logsOf(block, index)))
  }
}

/**
 * Makes an independent chain with the executor, gas costs and limits of a real one. The first chain of a process takes longer than the following ones.
 *
 * @example
 *     const chain = await createChain()
 *     const [alice, bob] = chain.accounts
 *     const token = await chain.deploy(artifact, { args: ['Quoin', 1_000n] })
 *     await token.write.transfer([bob, 5n])
 */
export async function createChain<const count extends number = 10>(
  options: ChainOptions<count> = {},
): Promise<Chain<Accounts<count>>> {
  const count = readInteger('accounts', options.accounts ?? 10, 0, TESTING_LIMITS.accountsMax)
  const balance = readAmount('balance', options.balance ?? DEFAULT_BALANCE)
  if (balance > TESTING_LIMITS.balanceMax) throw new ChainError(`a balance may be at most 2^200 wei: ${balance}`)
  const timeMs = readSeconds('timestamp', options.timestamp ?? DEFAULT_TIMESTAMP)
  const accounts = testAccounts(crypto, count)
  const addresses = accounts.map(({ address }) => readAddress('an account', address))
  const ledger = await Ledger.create((version) => testGenesis(crypto, version, timeMs, addresses, balance))
  return new Chain<Accounts<count>>(new ChainCore(ledger, options.gas === 'each'), accounts)
}

const DEFAULT_BALANCE = 10_000n * 10n ** 18n
/** 2026-01-01T00:00:00Z. */
const DEFAULT_TIMESTAMP = 1_767_225_600

const REGISTRY: Artifact = { name: 'code registry', abi: CODE_REGISTRY_ABI as Abi, bytecode: '0xfe' }

/** Checks a number of seconds (at least 1, at most the largest block time) and converts it to milliseconds. */
const readSeconds = (what: string, seconds: number | bigint): number =>
  1_000 * readInteger(`${what}, in seconds,`, seconds, 1, Math.floor(LIMITS.timeMsMax / 1_000))

const hexOf = (bytes: Uint8Array | undefined): Hex | undefined => (bytes === undefined ? undefined : bytesToHex(bytes))

const blockOf = ({ header, hash, transactions }: MinedBlock): Block => ({
  number: BigInt(header.number),
  timestamp: BigInt(headerTimestamp(header)),
  hash,
  parentHash: header.parentHash,
  stateRoot: header.stateRoot,
  gasUsed: BigInt(header.gasUsed),
  transactions: transactions.map((transaction) => transaction.hash),
})

function hasTopics(log: Log, wanted: NonNullable<LogFilter['topics']>): boolean {
  return wanted.every((topic, i) => {
    if (topic === undefined || topic === null) return true
    const found = log.topics[i]
    return found !== undefined && [topic].flat().some((one) => one.toLowerCase() === found)
  })
}
