import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { developmentAccounts } from '../../../packages/platform/dist/index.js'
import { bytesToHex, contractAddress } from '../../../packages/protocol/dist/index.js'
import { blockGasMax, transactionGasMax } from './abuse-chain.mjs'
import { startDevnet, stopDevnet } from './devnet.mjs'
import { closeRpc, metrics, post, rpc } from './rpc.mjs'
import { signer } from './workload.mjs'

const RPC_PORT = 18_745
const P2P_PORT = 36_856
const PORTS = [0, 1, 2, 3].map((i) => RPC_PORT + i)
const BLOCKS = 5
const POLL_MS = 10
const pause = (ms) => new Promise((next) => setTimeout(next, ms))

/** Four validators as four processes, with load from the development accounts. A kind's `prepare` can use it like an AbuseChain. */
export class AbuseDevnet {
  #crypto
  #sign
  #accounts
  #nonces
  #folder
  #child

  static async start(crypto) {
    const devnet = new AbuseDevnet()
    devnet.#crypto = crypto
    devnet.#sign = signer(crypto)
    devnet.#accounts = developmentAccounts(crypto)
    devnet.#nonces = devnet.#accounts.map(() => 0)
    devnet.#folder = await mkdtemp(join(tmpdir(), 'quoin-bench-'))
    devnet.#child = await startDevnet({ directory: join(devnet.#folder, 'devnet'), rpcPort: RPC_PORT, p2pPort: P2P_PORT })
    return devnet
  }

  async close() {
    await stopDevnet(this.#child)
    closeRpc()
    await rm(this.#folder, { recursive: true })
  }

  /** Sends transactions from all accounts in turn; each account uses one validator. Resolves to their hashes when all are accepted. */
  async #send(transactions) {
    const queues = this.#accounts.map(() => [])
    transactions.forEach(({ to, data, value = 0n, gas }, i) => {
      const account = i % this.#accounts.length
      const raw = this.#sign(this.#accounts[account], this.#nonces[account]++, { to, value, data: data && bytesToHex(data), gas })
      queues[account].push(raw)
    })
    const hashes = await Promise.all(
      queues.map(async (raws, account) => {
        const own = []
        for (let at = 0; at < raws.length; at += 20) {
          const body = raws
            .slice(at, at + 20)
            .map((raw, id) => ({ jsonrpc: '2.0', id, method: 'eth_sendRawTransaction', params: [raw] }))
          for (const { result, error } of await post(PORTS[account % PORTS.length], JSON.stringify(body))) {
            if (error !== undefined) throw new Error(`refused: ${error.message}`)
            own.push(result)
          }
        }
        return own
      }),
    )
    return hashes.flat()
  }

  async #receipt(hash) {
    for (;;) {
      const receipt = await rpc(PORTS[0], 'eth_getTransactionReceipt', hash)
      if (receipt !== null) return receipt
      await pause(POLL_MS)
    }
  }

  async deployAll(creations) {
    const addresses = creations.map((_, i) => {
      const account = i % this.#accounts.length
      const nonce = this.#nonces[account] + Math.floor(i / this.#accounts.length)
      return contractAddress(this.#crypto, this.#accounts[account].address, nonce)
    })
    const hashes = await this.#send(creations.map((data) => ({ data, gas: transactionGasMax })))
    for (const hash of hashes) if ((await this.#receipt(hash)).status !== '0x1') throw new Error('a creation failed')
    return addresses
  }

  /** Sends some full blocks of one kind. Returns the execution times (ms) that each validator reports, and figures of the full blocks. */
  async measure({ prepare }) {
    const transaction = await prepare(this)
    const [probe] = await this.#send([{ ...transaction(0), gas: transactionGasMax }])
    const used = Number((await this.#receipt(probe)).gasUsed)
    const gas = Math.min(transactionGasMax, Math.ceil(used * 1.05))
    const count = BLOCKS * Math.floor(blockGasMax / used)
    const wanted = Array.from({ length: count }, (_, n) => ({ ...transaction(n + 1), gas }))
    const before = await Promise.all(PORTS.map(metrics))
    const target = before[0].chain_transactions_total + count
    const times = PORTS.map(() => new Set())
    const heights = new Map()
    const sent = this.#send(wanted)
    for (let done = false; !done; await pause(POLL_MS)) {
      const now = await Promise.all(PORTS.map(metrics))
      now.forEach(({ execution_last_ms }, i) => {
        if (execution_last_ms !== before[i].execution_last_ms) times[i].add(execution_last_ms)
      })
      if (!heights.has(now[0].chain_height)) heights.set(now[0].chain_height, performance.now())
      done = now.every(({ chain_transactions_total }) => chain_transactions_total >= target)
    }
    await sent
    return { used, count, times: times.map((set) => [...set]), ...(await this.#fullBlocks(heights)) }
  }

  /** The number of full blocks, the gas of the fullest block, and the longest time from a block to the full block after it. */
  async #fullBlocks(heights) {
    let full = 0
    let gasMost = 0
    let intervalMs = 0
    for (const [height, at] of heights) {
      const block = await rpc(PORTS[0], 'eth_getBlockByNumber', `0x${height.toString(16)}`, false)
      gasMost = Math.max(gasMost, Number(block.gasUsed))
      if (Number(block.gasUsed) < 0.9 * blockGasMax) continue
      full++
      const former = heights.get(height - 1)
      if (former !== undefined) intervalMs = Math.max(intervalMs, at - former)
    }
    return { full, gasMost, intervalMs }
  }
}
