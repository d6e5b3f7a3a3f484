import { join } from 'node:path'
import { bytesToHex, type ChainParameters, nobleCrypto } from '@quoin/protocol'
import type { Abi, Hex } from 'viem'
import { namedKeys } from '../../packages/node/src/config/keys.ts'
import { loadCrypto } from '../../packages/node/src/crypto/load.ts'
import { developmentAccounts } from '../../packages/platform/src/index.ts'
import { containerOf, readContract } from '../contracts/contract.mjs'
import { account, Network, type Validator, walletClient } from '../e2e/harness.ts'
import { until } from '../e2e/watch.ts'
import { PEER_ATTACKS } from './attacks/index.ts'
import type { NodeView, Prepared } from './messages.ts'
import { PLAN } from './plan.ts'
import { FUNDED_KEYS, FUNDED_WEI, fundedGroups, fundedKey } from './processes/funded.ts'
import { identityEntry, identityName } from './processes/identities.ts'
import { type Key, type Signer, signer, type Unsigned } from './processes/signer.ts'

/** The validators with a node's default limits, and those without limits per address. */
const DEFAULTS = [0, 1]
const LIFTED = [2, 3]

/** Settings that lift the limits per address, by path. A development network already lifts some of them. */
const LIFTING: Readonly<Record<string, string>> = { 'rpc.requests-per-minute': '0' }

/** Flags of a node, which override its file: a production node's default limits, or none. */
const flagsOf = (isLifted: boolean): readonly string[] =>
  namedKeys.flatMap(({ path, flag, key }) => (path in LIFTING ? [flag, isLifted ? LIFTING[path]! : String(key.default)] : []))

/** Blocks at even intervals, with or without transactions, so that any change of the rhythm is caused by the attack. */
const RHYTHM = { blockIntervalMs: 500, heartbeatIntervalMs: 500 }

/** Blocks that attackers request: many small ones, so that caches help less, and one with as many transfers as fit into a request. */
const SMALL_BLOCKS = PLAN.isLong ? 120 : 16
const SMALL_BLOCK_TRANSFERS = 40
const LARGE_BLOCK_TRANSFERS = 1_000
const LARGE_BYTES = 120_000

const RECEIVER = account(9).address
/** Computes until its gas runs out. */
const ENDLESS = bytesToHex(
  containerOf('export default { fallback() { for (;;); } }', [{ type: 'fallback', stateMutability: 'nonpayable' }]),
)

/** Four validators as separate processes, with what attacks need: contracts, full blocks, funded accounts, listed observers. */
export class Devnet {
  readonly network: Network
  readonly prepared: Prepared

  private constructor(network: Network, prepared: Prepared) {
    this.network = network
    this.prepared = prepared
  }

  static async start(rounds: number, parameters: Partial<ChainParameters> = RHYTHM): Promise<Devnet> {
    const names = PEER_ATTACKS.flatMap((attack) => Array.from({ length: rounds }, (_, round) => identityName(attack, round)))
    const nodes = await Promise.all(names.map((name) => identityEntry(nobleCrypto, name)))
    const network = await Network.create({ parameters, nodes })
    try {
      await startValidators(network.validators)
      return new Devnet(network, await prepare(network, rounds))
    } catch (failure) {
      await network.close()
      throw failure
    }
  }

  /** The running validators. */
  get nodes(): readonly NodeView[] {
    return this.network.validators.flatMap((validator, index) => (validator.isRunning ? [viewOf(validator, index)] : []))
  }

  /** The validators that an attack on this front targets. */
  targets(front: 'defaults' | 'lifted' | 'network'): readonly NodeView[] {
    if (front === 'network') return this.nodes
    const indices = front === 'defaults' ? DEFAULTS : LIFTED
    return this.nodes.filter(({ index }) => indices.includes(index))
  }

  /** Validators whose process ended unexpectedly. */
  get ended(): readonly string[] {
    return this.network.validators.flatMap((validator) => {
      if (validator.isRunning || this.#down.has(validator)) return []
      const { code, signal } = validator.program.ended!
      return [`${validator.name} (${signal ?? `code ${code}`})`]
    })
  }

  readonly #down = new Set<Validator>()

  /** Starts or stops the fourth validator, whose key the Byzantine peer uses. */
  async setFourth(isUp: boolean): Promise<void> {
    const fourth = this.network.validators[3]!
    if (isUp) this.#down.delete(fourth)
    else this.#down.add(fourth)
    if (isUp && !fourth.isRunning) await startValidators([fourth])
    if (!isUp && fourth.isRunning) await fourth.stop()
  }

  /** Restarts the fourth validator; returns the ms from its start until it has all its peers. */
  async restartFourth(): Promise<number> {
    const fourth = this.network.validators[3]!
    await fourth.kill()
    const started = performance.now()
    await startValidators([fourth])
    const isComplete = async () => (await fourth.metrics())['quoin_network_peers'] === this.network.validators.length - 1
    await until('a restarted validator has its peers', isComplete, { intervalMs: 20, report: () => this.network.report() })
    return performance.now() - started
  }

  /** Restarts all validators that should run: with empty pools, and without connections of attackers. */
  async restart(): Promise<void> {
    await Promise.all(this.network.running.map((validator) => validator.kill()))
    await startValidators(this.network.validators.filter((validator) => !this.#down.has(validator)))
  }

  close(): Promise<void> {
    return this.network.close()
  }
}

const startValidators = async (validators: readonly Validator[]): Promise<void> => {
  await Promise.all(
    validators.map((validator) => {
      const index = Number(validator.name.split('-')[1]) - 1
      return validator.start({}, flagsOf(LIFTED.includes(index)))
    }),
  )
}

/** The operating system chooses the port of the probes; the node's log contains it. */
const PROBES = /"port":(\d+),"msg":"probes listening"/

const viewOf = ({ program, rpcPort, p2pPort }: Validator, index: number): NodeView => ({
  ...{ index, pid: program.pid, rpcPort, p2pPort },
  probesPort: Number(PROBES.exec(program.output)?.[1] ?? rpcPort),
})

async function prepare(network: Network, rounds: number): Promise<Prepared> {
  const crypto = await loadCrypto()
  const sign = signer(crypto)
  const [first] = LIFTED.map((index) => network.validators[index]!)
  await network.reach(2)
  const { abi, bytecode } = readContract('token')
  const token = await deploy(first!, abi, bytecode, ['Token', 'TOK', account(0).address, 10n ** 30n])
  const endless = await deploy(first!, [], ENDLESS)
  const filler = new Filler(first!, sign, developmentAccounts(crypto)[FILLER]!)
  const [large] = await filler.send([{ to: RECEIVER, data: `0x${'ab'.repeat(LARGE_BYTES)}`, gas: 36_000_000n }])
  await network.receipts(large!)
  const keys = fundedGroups(rounds).flatMap((group) => Array.from({ length: FUNDED_KEYS }, (_, i) => fundedKey(crypto, group, i)))
  await filler.send(keys.map(({ address }) => ({ to: address, value: FUNDED_WEI, gas: 21_000n })))
  const largeBlock = await filler.block(network, LARGE_BLOCK_TRANSFERS)
  const smallBlocks: number[] = []
  for (let i = 0; i < SMALL_BLOCKS; i++) smallBlocks.push(await filler.block(network, SMALL_BLOCK_TRANSFERS))
  const { hash: genesisHash } = await first!.client.getBlock({ blockNumber: 0n })
  return {
    ...{ genesisPath: join(network.directory, 'genesis.json'), genesisHash: genesisHash as Hex },
    ...{ token, endless, smallBlocks, largeBlock, largeTransaction: large! },
    code: await codeOf(first!, token),
  }
}

async function deploy(validator: Validator, abi: Abi, bytecode: Hex, args: readonly unknown[] = []): Promise<Hex> {
  const hash = await walletClient(validator.url, 0).deployContract({ abi, bytecode, args })
  const { contractAddress, status } = await validator.client.waitForTransactionReceipt({ hash })
  if (status !== 'success') throw new Error('a contract of the pressure suite could not be deployed')
  return contractAddress!
}

/** Index of the account that fills blocks and funds others. */
const FILLER = 3

class Filler {
  readonly #validator: Validator
  readonly #sign: Signer
  readonly #key: Key
  #nonce = 0

  constructor(validator: Validator, sign: Signer, key: Key) {
    this.#validator = validator
    this.#sign = sign
    this.#key = key
  }

  /** Sends transactions in one request; returns their hashes. */
  async send(transactions: readonly Unsigned[]): Promise<readonly Hex[]> {
    const signed = transactions.map((unsigned) => this.#sign(this.#key, this.#nonce++, unsigned))
    const calls = signed.map(({ raw }, id) => ({ jsonrpc: '2.0', id, method: 'eth_sendRawTransaction', params: [raw] }))
    const { status, text } = await this.#validator.post(JSON.stringify(calls))
    if (status !== 200 || text.includes('"error"'))
      throw new Error(`the setup request was refused: ${status} ${text.slice(0, 300)}`)
    return signed.map(({ hash }) => hash)
  }

  /** Sends this many transfers; returns the height of the block that contains the last one. */
  async block(network: Network, transfers: number): Promise<number> {
    const hashes = await this.send(Array.from({ length: transfers }, () => ({ to: RECEIVER, value: 1n, gas: 21_000n })))
    return Number((await network.receipt(hashes.at(-1)!, this.#validator)).blockNumber)
  }
}

async function codeOf({ client }: Validator, address: Hex): Promise<Hex> {
  const code = await client.getCode({ address })
  if (code === undefined) throw new Error(`no code at ${address}`)
  return code
}
