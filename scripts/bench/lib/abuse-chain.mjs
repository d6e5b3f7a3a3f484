import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { executionVersion, unpackOps } from '../../../packages/execution/dist/index.js'
import { startWorkerExecutor } from '../../../packages/node/dist/executor/worker-executor.js'
import { openClassicKv } from '../../../packages/node/dist/store/classic-kv.js'
import {
  addressOfPublicKey,
  codec,
  concatBytes,
  contractAddress,
  createValidatorSet,
  DEFAULT_PARAMETERS,
  encodeRlp,
  hexToBytes,
  idOfName,
  integerPayload,
  ownSeat,
  publicKeyOf,
  receiptsCodec,
  ungovernedConsortium,
  unwrap,
} from '../../../packages/protocol/dist/index.js'
import { containerOf } from '../../../test/contracts/contract.mjs'

const CHAIN_ID = 31_337
const TREE_DEPTH = 13
export const ACCOUNTS = 4_000
const BLOCK_MS = 1_000_000
const ALL = { gasMax: Number.MAX_SAFE_INTEGER, bytesMax: Number.MAX_SAFE_INTEGER }

export const { blockGasMax, transactionGasMax } = DEFAULT_PARAMETERS
export const accountOf = (n) => `0x${(n + 1).toString(16).padStart(8, '0').repeat(5)}`

/** CPU time of this process with all threads, in milliseconds. */
function cpuMs() {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

/**
 * A chain of one node: the execution worker on LevelDB in a temporary directory, with the default parameters. The executor gets senders from its caller,
 * as in the node: no signature is checked.
 */
export class AbuseChain {
  #crypto
  #folder
  #kv
  #executor
  #head
  #miner
  #nonces = new Map()
  #rehearsals = 0

  static async create(crypto) {
    const chain = new AbuseChain()
    chain.#crypto = crypto
    chain.#folder = await mkdtemp(join(tmpdir(), 'quoin-bench-'))
    await chain.#open()
    const publicKey = publicKeyOf(crypto.publicKey(new Uint8Array(32).fill(7)))
    chain.#miner = addressOfPublicKey(crypto, publicKey)
    const member = { id: idOfName('bank-a'), address: chain.#miner, publicKey, power: 1, feeAddress: chain.#miner }
    const genesis = await chain.#executor.genesis({
      chainId: CHAIN_ID,
      timeMs: 1_700_000_000_000,
      development: true,
      executionVersion: executionVersion(crypto),
      parameters: DEFAULT_PARAMETERS,
      validators: createValidatorSet([member]),
      consortium: ungovernedConsortium([ownSeat(member)]),
      nodes: [],
      alloc: Array.from({ length: ACCOUNTS }, (_, n) => ({ address: accountOf(n), balance: 10n ** 24n })),
      systemContracts: [],
      restart: undefined,
    })
    await chain.#commit(genesis)
    return chain
  }

  get head() {
    return this.#head.header.number
  }

  async #open() {
    this.#kv = await openClassicKv(this.#folder)
    const fail = (error) => {
      throw error
    }
    const logger = { warn: (fields, message) => console.log(`  ${message}: ${fields.error}`) }
    const options = { databasePath: this.#folder, chainId: CHAIN_ID, treeDepth: TREE_DEPTH, historyHeights: 64, logger }
    this.#executor = unwrap(await startWorkerExecutor({ ...options, onFailure: fail }))
  }

  /** Replaces the execution worker with a new one, whose caches are empty. */
  async reopen() {
    await this.#executor.close()
    await this.#kv.close()
    await this.#open()
  }

  async close() {
    await this.#executor.close()
    await this.#kv.close()
    await rm(this.#folder, { recursive: true })
  }

  async #commit(block) {
    const ops = unpackOps(block.ops)
    const started = performance.now()
    await this.#kv.write(ops)
    const writeMs = performance.now() - started
    await this.#executor.commit(block.hash)
    this.#head = block
    return writeMs
  }

  #nonceOf(from) {
    return this.#nonces.get(from) ?? 0
  }

  #encode({ from, to, value = 0n, data = new Uint8Array(0), gas, accessList = [] }) {
    const nonce = this.#nonceOf(from)
    this.#nonces.set(from, nonce + 1)
    const head = [CHAIN_ID, nonce, 0, 0, gas].map(integerPayload)
    const one = new Uint8Array(32).fill(1)
    const tail = [integerPayload(value), data, accessList, integerPayload(1), one, one]
    return concatBytes(Uint8Array.of(2), encodeRlp([...head, to === undefined ? new Uint8Array(0) : hexToBytes(to), ...tail]))
  }

  async #build(transactions, laterMs) {
    const { header, hash } = this.#head
    const before = new Map(this.#nonces)
    const candidates = transactions.map((transaction) => ({
      raw: this.#encode(transaction),
      sender: transaction.from,
      gasLimit: transaction.gas,
    }))
    this.#nonces = before
    const template = {
      parent: header,
      parentHash: hash,
      timeMs: header.timeMs + laterMs,
      miner: this.#miner,
      extra: header.extra,
    }
    const cpu = cpuMs()
    const started = performance.now()
    const built = await this.#executor.build(template, [{ use: 0, candidates }], ALL)
    // Wall time includes other processes, CPU time includes other threads of this process. Both are upper bounds: take the smaller one.
    const ms = Math.min(performance.now() - started, cpuMs() - cpu)
    const [refused] = built.refused
    if (refused !== undefined) throw new Error(`transaction ${refused.index}: ${refused.reason.message}`)
    return { built, ms }
  }

  /** Executes transactions as a block without committing it. */
  async rehearse(transactions) {
    await this.#build(transactions, ++this.#rehearsals)
  }

  /** Fills the next block with as many transactions as fit, and commits it. The others have no effect. */
  async block(transactions) {
    const { built, ms } = await this.#build(transactions, BLOCK_MS)
    for (const index of built.included) {
      const { from } = transactions[index]
      this.#nonces.set(from, this.#nonceOf(from) + 1)
    }
    const receipts = codec.decode(receiptsCodec, built.receipts).value
    const failures = receipts.filter(({ status }) => status === 0)
    const gasLeast = Math.min(...receipts.map((receipt) => receipt.gasUsed))
    const writeMs = await this.#commit(built)
    const { gasUsed } = built.header
    return { ms, writeMs, bytes: built.ops.length, gasUsed, gasLeast, count: built.included.length, failures }
  }

  /** Puts all transactions into as many blocks as needed. Throws if a transaction fails. */
  async sendAll(transactions) {
    for (let rest = transactions; rest.length > 0; ) {
      const { count, failures } = await this.block(rest)
      if (count === 0) throw new Error('a transaction does not fit into a block')
      if (failures.length > 0) throw new Error(`a transaction of ${failures[0].gasUsed} gas fails: ${textOf(failures[0])}`)
      rest = rest.slice(count)
    }
  }

  /** Deploys containers, each from a different account. Returns their addresses. */
  async deployAll(creations, gas = transactionGasMax) {
    const addresses = creations.map((_, i) => contractAddress(this.#crypto, accountOf(i), this.#nonceOf(accountOf(i))))
    await this.sendAll(creations.map((data, i) => ({ from: accountOf(i), data, gas })))
    return addresses
  }
}

/** The string in an ABI-encoded `Error(string)`. */
const textOf = ({ errorData }) => Buffer.from(errorData.subarray(68)).toString().replace(/\0+$/, '')

/** Container of a source with an ABI in JSON. */
export const creationOf = (source, abi, rest) => containerOf(source, abi, rest)

export { hexToBytes }
