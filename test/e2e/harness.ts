import { randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DEVELOPMENT_BALANCE, DEVELOPMENT_MNEMONIC, developmentAccounts } from '@quoin/platform'
import {
  type ChainParameters,
  createValidatorSet,
  type Genesis,
  idOfName,
  nobleCrypto,
  type RegisteredNode,
  unwrap,
  Wei,
} from '@quoin/protocol'
import { createPublicClient, createWalletClient, type Hex, http, type TransactionReceipt } from 'viem'
import { mnemonicToAccount } from 'viem/accounts'
import { foundry } from 'viem/chains'
import { devnetGenesis, genesisText, p2pAddress } from '../../packages/cli/src/devnet/genesis.ts'
import { developmentValidatorKey } from '../../packages/node/src/keys/development.ts'
import { validatorKeyOf } from '../../packages/node/src/keys/validator-key.ts'
import { init } from '../../packages/node/src/validator/init.ts'
import { freePorts } from './ports.ts'
import { type Exit, Program, type ProgramOptions, startQuoin } from './program.ts'
import { until, type WatchOptions, watch } from './watch.ts'

/** The funded account of this index. */
export const account = (addressIndex: number) => mnemonicToAccount(DEVELOPMENT_MNEMONIC, { addressIndex })

/** Voting key of the validator of this index. */
export const developmentValidator = (index: number) =>
  unwrap(validatorKeyOf(nobleCrypto, developmentValidatorKey(nobleCrypto, index)))

const transport = (url: string) => http(url, { retryCount: 0, timeout: 20_000 })

export const publicClient = (url: string) =>
  createPublicClient({ chain: foundry, transport: transport(url), pollingInterval: 50, cacheTime: 0 })

/** The same client, with many calls per request. */
const bulkClient = (url: string) =>
  createPublicClient({ chain: foundry, transport: http(url, { batch: { batchSize: 200 }, retryCount: 0, timeout: 20_000 }) })

/** A stock client that signs as one of the funded accounts. */
export const walletClient = (url: string, accountIndex: number) =>
  createWalletClient({ account: account(accountIndex), chain: foundry, transport: transport(url) })

/** A new directory; the caller deletes it. */
export const temporaryDirectory = (): Promise<string> => mkdtemp(join(tmpdir(), 'quoin-e2e-'))

/** One node: its data directory, and its process when it runs. */
export class Validator {
  readonly name: string
  readonly dataDir: string
  readonly rpcPort: number
  readonly p2pPort: number
  readonly url: string
  readonly client: ReturnType<typeof publicClient>
  readonly bulk: ReturnType<typeof bulkClient>
  readonly #runs: Program[] = []

  constructor(name: string, dataDir: string, rpcPort: number, p2pPort: number) {
    this.name = name
    this.dataDir = dataDir
    this.rpcPort = rpcPort
    this.p2pPort = p2pPort
    this.url = `http://127.0.0.1:${rpcPort}`
    this.client = publicClient(this.url)
    this.bulk = bulkClient(this.url)
  }

  get program(): Program {
    const last = this.#runs.at(-1)
    if (last === undefined) throw new Error(`${this.name} was never started`)
    return last
  }

  get isRunning(): boolean {
    return this.#runs.length > 0 && this.program.ended === undefined
  }

  /** The output of all its processes. */
  get log(): string {
    return this.#runs.map(({ output }) => output).join('')
  }

  /** Starts its process, with additional arguments; resolves when it serves RPC. */
  async start(options: ProgramOptions = {}, args: readonly string[] = []): Promise<void> {
    if (this.isRunning) throw new Error(`${this.name} is already running`)
    const program = startQuoin(['start', '--data-dir', this.dataDir, ...args], { ...options, ipc: true })
    this.#runs.push(program)
    await program.message('ready')
  }

  stop(): Promise<Exit> {
    return this.program.end('SIGTERM')
  }

  /** `kill -9`. */
  kill(): Promise<Exit> {
    return this.program.end('SIGKILL')
  }

  pause(): void {
    this.program.signal('SIGSTOP')
  }

  resume(): void {
    this.program.signal('SIGCONT')
  }

  async height(): Promise<number> {
    return Number(await this.client.getBlockNumber())
  }

  /** Posts a text unchanged; returns the status and the text of the answer. */
  async post(body: string): Promise<{ readonly status: number; readonly text: string }> {
    const response = await fetch(this.url, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
    return { status: response.status, text: await response.text() }
  }

  /** Counters and gauges by name. */
  async metrics(): Promise<Readonly<Record<string, number>>> {
    const text = await (await fetch(`${this.url}/metrics`)).text()
    const lines = text.trim().split('\n')
    return Object.fromEntries(
      lines.map((line) => line.split(' ') as [string, string]).map(([name, value]) => [name, Number(value)]),
    )
  }
}

export interface NetworkOptions {
  readonly validators?: number
  /** Listed nodes that hold a key but have no vote; they come after the validators. */
  readonly followers?: number
  /** Nodes with keys that genesis does not name; they come last. */
  readonly strangers?: number
  readonly parameters?: Partial<ChainParameters>
  /** Other nodes that may connect. */
  readonly nodes?: readonly RegisteredNode[]
  /** Funded accounts; ten if missing. */
  readonly accounts?: number
}

/** Blocks as fast as the chain allows, including empty ones. */
export const FAST: Partial<ChainParameters> = { blockIntervalMs: 100, heartbeatIntervalMs: 100 }

/** A network of real validator processes on loopback. The caller closes it. */
export class Network {
  readonly directory: string
  readonly genesis: Genesis
  readonly validators: readonly Validator[]

  private constructor(directory: string, genesis: Genesis, validators: readonly Validator[]) {
    this.directory = directory
    this.genesis = genesis
    this.validators = validators
  }

  /** Creates genesis and data directories; starts nothing. */
  static async create(options: NetworkOptions = {}): Promise<Network> {
    const { validators: voters = 4, followers = 0, strangers = 0, parameters = FAST, nodes = [], accounts = 10 } = options
    const directory = await temporaryDirectory()
    const count = voters + followers + strangers
    const firstPort = await freePorts(2 * count)
    const settings = { validators: count, blockTimeMs: 100, p2pPort: firstPort + count }
    const base = await devnetGenesis(nobleCrypto, settings)
    const set = createValidatorSet(
      Array.from({ length: voters }, (_, index) => base.validators.get(developmentValidator(index).address)!),
    )
    const known = new Set(Array.from({ length: count - strangers }, (_, index) => idOfName(`validator-${index}`)))
    const seats = base.consortium.seats.filter(({ id }) => set.withId(id) !== undefined)
    const unknown = new Set(base.consortium.seats.filter(({ id }) => !known.has(id)).flatMap(({ peerIds }) => peerIds))
    const genesis: Genesis = {
      ...base,
      validators: set,
      consortium: { ...base.consortium, seats },
      parameters: { ...base.parameters, ...parameters },
      nodes: [...base.nodes.filter(({ peerId }) => !unknown.has(peerId)), ...nodes].sort((a, b) =>
        a.peerId < b.peerId ? -1 : 1,
      ),
      alloc: developmentAccounts(nobleCrypto, accounts)
        .map(({ address }) => ({ address, balance: Wei(DEVELOPMENT_BALANCE) }))
        .sort((a, b) => (a.address < b.address ? -1 : 1)),
    }
    const genesisPath = join(directory, 'genesis.json')
    await writeFile(genesisPath, genesisText(genesis))
    const validators = await Promise.all(
      Array.from({ length: count }, async (_, index) => {
        const name = `validator-${index + 1}`
        const validator = new Validator(name, join(directory, name), firstPort + index, settings.p2pPort + index)
        await init({
          dataDir: validator.dataDir,
          genesis: genesisPath,
          developmentIndex: index,
          listen: p2pAddress(settings, index),
          advertise: undefined,
          development: true,
          rpcPort: validator.rpcPort,
          random: (length) => randomBytes(length),
        })
        return validator
      }),
    )
    return new Network(directory, genesis, validators)
  }

  /** A running network. */
  static async start(options?: NetworkOptions): Promise<Network> {
    const network = await Network.create(options)
    try {
      await network.startAll()
      return network
    } catch (failure) {
      await network.close()
      throw failure
    }
  }

  get running(): readonly Validator[] {
    return this.validators.filter(({ isRunning }) => isRunning)
  }

  /** Starts the validators that do not run. */
  async startAll(validators: readonly Validator[] = this.validators): Promise<void> {
    await Promise.all(validators.filter(({ isRunning }) => !isRunning).map((validator) => validator.start()))
  }

  /** Kills all processes and deletes all files. */
  async close(): Promise<void> {
    await Promise.all(this.running.map((validator) => validator.kill()))
    await rm(this.directory, { recursive: true, force: true })
  }

  /** Resolves when each of them has reached a height. */
  async reach(height: number, validators: readonly Validator[] = this.running, options: WatchOptions = {}): Promise<void> {
    await until(
      `height ${height} on ${validators.map(({ name }) => name).join(', ')}`,
      async () => (await Promise.all(validators.map((validator) => validator.height()))).every((at) => at >= height),
      { report: () => this.report(), ...options },
    )
  }

  /** Resolves when each of them has this many more blocks. */
  async advance(blocks: number, validators: readonly Validator[] = this.running): Promise<number> {
    const height = Math.max(...(await Promise.all(validators.map((validator) => validator.height()))))
    await this.reach(height + blocks, validators)
    return height + blocks
  }

  /** The receipt on each of them; throws if they differ. */
  async receipts(hash: Hex, validators: readonly Validator[] = this.running): Promise<readonly TransactionReceipt[]> {
    return Promise.all(validators.map((validator) => this.receipt(hash, validator)))
  }

  receipt(hash: Hex, validator: Validator): Promise<TransactionReceipt> {
    const look = async (): Promise<TransactionReceipt | undefined> => {
      const request = { method: 'eth_getTransactionReceipt', params: [hash] as [Hex] } as const
      if ((await validator.client.request(request)) === null) return undefined
      return validator.client.getTransactionReceipt({ hash })
    }
    return watch(`receipt of ${hash} on ${validator.name}`, look, { report: () => this.report() })
  }

  /** Compares hash and state root of every block up to the lowest head; throws if nodes differ, otherwise returns that height. */
  async agreement(validators: readonly Validator[] = this.running): Promise<number> {
    const lowest = Math.min(...(await Promise.all(validators.map((validator) => validator.height()))))
    const [first, ...others] = await Promise.all(validators.map((validator) => blocksOf(validator, lowest)))
    for (const [index, blocks] of others.entries()) {
      const height = blocks.findIndex((block, at) => block !== first![at])
      if (height < 0) continue
      const [a, b] = [validators[0]!, validators[index + 1]!].map(({ name }) => name)
      throw new Error(`block ${height} is ${first![height]} on ${a}, ${blocks[height]} on ${b}\n${this.report()}`)
    }
    return lowest
  }

  /** The ends of all logs. */
  report(): string {
    return this.validators
      .map((validator) => `--- ${validator.name}\n${validator.log.split('\n').slice(-12).join('\n')}`)
      .join('\n')
  }
}

/** Hash and state root of the blocks up to a height. */
const blocksOf = ({ bulk }: Validator, last: number): Promise<readonly string[]> =>
  Promise.all(
    Array.from({ length: last + 1 }, async (_, height) => {
      const { hash, stateRoot } = await bulk.getBlock({ blockNumber: BigInt(height) })
      return `${hash} with state ${stateRoot}`
    }),
  )
