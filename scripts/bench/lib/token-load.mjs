import { encodeFunctionData } from 'viem'
import { post, rpc } from './rpc.mjs'
import { tokenTransfers } from './workload.mjs'

/** Measures a chain of one process with token transfers. */

const POLL_MS = 5
const quantile = (sorted, q) => sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))]

async function send(port, raw) {
  return rpc(port, 'eth_sendRawTransaction', raw)
}

async function receipt(port, hash, pauseMs = 0) {
  for (;;) {
    const found = await rpc(port, 'eth_getTransactionReceipt', hash)
    if (found !== null) return found
    if (pauseMs > 0) await new Promise((next) => setTimeout(next, pauseMs))
  }
}

/** Sends each sender's transactions in order over a separate connection, and waits until the last of each is in a block. */
async function sendAll(port, rawsBySender) {
  const last = await Promise.all(
    rawsBySender.map(async (raws) => {
      const bodies = raws.map((raw, id) =>
        JSON.stringify({ jsonrpc: '2.0', id, method: 'eth_sendRawTransaction', params: [raw] }),
      )
      let answer
      for (const body of bodies) {
        answer = await post(port, body)
        if (answer.error !== undefined) throw new Error(`refused: ${answer.error.message}`)
      }
      return answer.result
    }),
  )
  for (const hash of last) {
    const { status } = await receipt(port, hash, POLL_MS)
    if (status !== '0x1') throw new Error(`${hash} failed`)
  }
}

/** Deploys a token on a chain and prepares transfers of it. */
export async function loadOf({ crypto, sign, deployer, chain, contract, senders }) {
  const { port } = chain
  const workload = await tokenTransfers({
    crypto,
    sign,
    deployer,
    contract,
    count: senders,
    ports: [port],
    sendAll: (raws) => sendAll(port, raws),
  })
  return {
    check: workload.check,

    /** Sends about `wanted` transfers at once. Returns transfers per second, as included in blocks, and the processes' CPU time per transfer. */
    burst: async (wanted) => {
      const raws = workload.transactions(Math.ceil(wanted / senders))
      const count = raws.flat().length
      const height = Number(await rpc(port, 'eth_blockNumber'))
      const [own, its, started] = [process.cpuUsage(), chain.cpuUs(), performance.now()]
      await sendAll(port, raws)
      const ms = performance.now() - started
      const { user, system } = process.cpuUsage(own)
      return {
        count,
        perSecond: (1000 * count) / ms,
        blocks: Number(await rpc(port, 'eth_blockNumber')) - height,
        chainUs: its === undefined ? undefined : (chain.cpuUs() - its) / count,
        generatorUs: (user + system) / count,
      }
    },

    /** Sends transfers one after another on an idle chain. Returns the milliseconds from sending until the receipt is available. */
    latency: async (wanted) => {
      const raws = workload.transactions(Math.ceil(wanted / senders)).flat()
      const times = []
      for (const raw of raws.slice(0, wanted)) {
        const started = performance.now()
        await receipt(port, await send(port, raw))
        times.push(performance.now() - started)
      }
      for (const raw of raws.slice(wanted)) await receipt(port, await send(port, raw))
      times.sort((a, b) => a - b)
      return { p50: quantile(times, 0.5), p90: quantile(times, 0.9), count: times.length }
    },
  }
}

/**
 * Total gas of transactions, from their receipts.
 *
 * @returns {Promise<{ gas: Map<string, number>, codeBytes: number }>} `gas` by kind of transaction
 */
export async function transactionGas({ sign, chain, contract, creation, deployer, accounts, gas }) {
  const { port } = chain
  const { abi } = contract
  const nonces = new Map()
  const found = new Map()
  async function run(what, from, message) {
    const nonce = nonces.get(from) ?? Number(await rpc(port, 'eth_getTransactionCount', from.address, 'latest'))
    nonces.set(from, nonce + 1)
    const { status, gasUsed, contractAddress } = await receipt(port, await send(port, sign(from, nonce, { ...message, gas })))
    if (status !== '0x1') throw new Error(`${chain.name}: ${what} failed`)
    found.set(what, Number(gasUsed))
    return contractAddress
  }
  const [alice, bob] = accounts
  const to = await run('deployment', deployer, { data: creation(deployer.address) })
  const call = (what, from, functionName, ...args) =>
    run(what, from, { to, data: encodeFunctionData({ abi, functionName, args }) })
  await call('transfer to a new holder', deployer, 'transfer', alice.address, 10n ** 18n)
  await call('transfer', deployer, 'transfer', alice.address, 10n ** 18n)
  await call('approve, first', alice, 'approve', bob.address, 10n ** 17n)
  await call('approve, again', alice, 'approve', bob.address, 10n ** 18n)
  await call('transferFrom', bob, 'transferFrom', alice.address, deployer.address, 10n ** 16n)
  const code = await rpc(port, 'eth_getCode', to, 'latest')
  return { gas: found, codeBytes: (code.length - 2) / 2 }
}
