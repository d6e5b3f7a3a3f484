import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { type DevNode, startDevNode } from '@quoin/cli/dev'
import { DEVELOPMENT_MNEMONIC } from '@quoin/platform'
import {
  type Abi,
  type Account,
  type Address,
  BaseError,
  ContractFunctionRevertedError,
  createTestClient,
  getAddress,
  type Hex,
  http,
  type Log,
  parseEventLogs,
  publicActions,
  type TransactionReceipt,
  walletActions,
} from 'viem'
import { type HDAccount, mnemonicToAccount } from 'viem/accounts'
import { foundry } from 'viem/chains'
import { type BuiltContract, build, formatDiagnostics } from '../../packages/contracts/src/build/index.ts'

const REPOSITORY = fileURLToPath(new URL('../../', import.meta.url))
const GAS = 15_000_000n

/** Text of docs/standards.md. */
export const STANDARDS = readFileSync(`${REPOSITORY}docs/standards.md`, 'utf8')

export const ZERO = '0x0000000000000000000000000000000000000000'
export const MAX = 2n ** 256n - 1n

/** Accounts that the development node funds; viem signs for them. */
export const account = (addressIndex: number): HDAccount => mnemonicToAccount(DEVELOPMENT_MNEMONIC, { addressIndex })
export const [alice, bob, carol, dave] = [account(0), account(1), account(2), account(3)] as const

/** Builds contracts of `test/standards/contracts`, or of a path from the repository root, as their authors would. */
export async function builds(...names: readonly string[]): Promise<readonly BuiltContract[]> {
  const entries = names.map((name) => (name.includes('/') ? name : `test/standards/contracts/${name}.ts`))
  const result = await build({ project: REPOSITORY, entries, typeCheck: false, conditions: ['@quoin/source'] })
  if (!result.ok) throw new Error(formatDiagnostics(result.error))
  return result.value
}

const clientOf = (url: string) =>
  createTestClient({ mode: 'anvil', chain: foundry, transport: http(url), cacheTime: 0 })
    .extend(publicActions)
    .extend(walletActions)

export type Client = ReturnType<typeof clientOf>

/** A development node with an unmodified viem client, and the contracts that a suite deploys. */
export class Stage {
  readonly client: Client
  readonly url: string
  readonly #node: DevNode
  readonly #built: ReadonlyMap<string, BuiltContract>

  static async open(...contracts: readonly string[]): Promise<Stage> {
    const [node, built] = await Promise.all([startDevNode({ port: 0 }), builds(...contracts)])
    return new Stage(node, built)
  }

  private constructor(node: DevNode, built: readonly BuiltContract[]) {
    this.#node = node
    this.url = node.url
    this.client = clientOf(node.url)
    this.#built = new Map(built.map((contract) => [contract.name, contract]))
  }

  close = (): Promise<void> => this.#node.close()

  built(name: string): BuiltContract {
    const contract = this.#built.get(name)
    if (contract === undefined) throw new Error(`${name} was not built`)
    return contract
  }

  /** Receipt of a deployment. The sender is Alice by default. */
  async deployment(name: string, args: readonly unknown[] = [], from: Account = alice): Promise<TransactionReceipt> {
    const { abi, bytecode } = this.built(name)
    const hash = await this.client.deployContract({ abi: abi as Abi, bytecode, args, account: from, gas: GAS })
    const receipt = await this.client.getTransactionReceipt({ hash })
    if (receipt.status !== 'success')
      throw new Error(`${name}: ${JSON.stringify(receipt, (_, v) => (typeof v === 'bigint' ? `${v}` : v))}`)
    return receipt
  }

  async deploy(name: string, args: readonly unknown[] = [], from: Account = alice): Promise<Address> {
    return getAddress((await this.deployment(name, args, from)).contractAddress!)
  }

  /** Receipt of a transaction that must succeed. Each transaction gets its own block. */
  async done(sent: Promise<Hex>): Promise<TransactionReceipt> {
    const receipt = await this.client.getTransactionReceipt({ hash: await sent })
    if (receipt.status !== 'success') throw new Error(`the transaction reverted: ${receipt.transactionHash}`)
    return receipt
  }

  /** Error of a transaction that is sent and must fail. */
  async failed(sent: Promise<Hex>): Promise<TransactionReceipt> {
    const receipt = await this.client.getTransactionReceipt({ hash: await sent })
    if (receipt.status !== 'reverted') throw new Error('the transaction succeeded')
    return receipt
  }

  /** Lets time pass and makes a block. */
  async pass(seconds: number): Promise<void> {
    await this.client.increaseTime({ seconds })
    await this.client.mine({ blocks: 1 })
  }

  async now(): Promise<bigint> {
    return (await this.client.getBlock()).timestamp
  }
}

/** Name and values of the error of a call that must fail, decoded with the suite's ABI; a text if it is not a custom error. */
export async function revertOf(call: Promise<unknown>): Promise<readonly unknown[] | string> {
  const error = await call.then(
    () => new Error('the call succeeded'),
    (thrown: unknown) => thrown,
  )
  const reverted = error instanceof BaseError ? error.walk((cause) => cause instanceof ContractFunctionRevertedError) : undefined
  if (!(reverted instanceof ContractFunctionRevertedError)) throw error
  const { data, reason, signature } = reverted
  if (data !== undefined && data.errorName !== 'Error') return [data.errorName, ...(data.args ?? [])]
  return reason ?? signature ?? ''
}

/**
 * Names and values of events, in order, decoded strictly: an event whose indexed parameters differ from the ABI's does not match.
 */
export const eventsOf = (abi: Abi, { logs }: { readonly logs: readonly Log[] }): readonly (readonly [string, unknown])[] =>
  parseEventLogs({ abi, logs: [...logs], strict: true }).map(({ eventName, args }) => [eventName as string, args] as const)
