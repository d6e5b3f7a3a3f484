/**
 * What a trace of a token transfer costs, in executions of a transfer: blocks of transfers run by the executor on LevelDB, then traces of single
 * transactions and of whole blocks by the code of the call threads, JSON included, in the same thread. The target is 20 executions for the first
 * transaction of a block; a later one also runs those before it. Then the same for a block that many others followed. Build first.
 *
 *   node scripts/bench/traces.mjs [--transfers 400] [--blocks 12] [--rounds 60]
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { encodeDeployData, encodeFunctionData } from 'viem'
import {
  createCallHost,
  createExecutor,
  executionVersion,
  packTransactions,
  unpackOps,
} from '../../packages/execution/dist/index.js'
import { loadCrypto } from '../../packages/node/dist/crypto/load.js'
import { runTraceJob } from '../../packages/node/dist/executor/trace-job.js'
import { openClassicKv } from '../../packages/node/dist/store/classic-kv.js'
import { loadContractInterpreter } from '../../packages/platform/dist/wasm.js'
import {
  addressOfPublicKey,
  codec,
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
} from '../../packages/protocol/dist/index.js'
import { readContract } from '../../test/contracts/contract.mjs'

const { values } = parseArgs({
  options: {
    transfers: { type: 'string', default: '400' },
    blocks: { type: 'string', default: '12' },
    rounds: { type: 'string', default: '60' },
  },
})
const [transfers, blocks, rounds] = ['transfers', 'blocks', 'rounds'].map((name) => Number(values[name]))

const chainId = 31337
const crypto = await loadCrypto()
const interpreter = await loadContractInterpreter()
const token = readContract('token')
const addressOf = (n) => `0x${(n + 1).toString(16).padStart(8, '0').repeat(5)}`
const [deployer] = [addressOf(0)]
const gold = contractAddress(crypto, deployer, 0)
const nonces = new Map()

/** The executor gets senders from its caller, as in the node. It never checks the signature. */
function transaction(sender, to, data, gas) {
  const nonce = nonces.get(sender) ?? 0
  nonces.set(sender, nonce + 1)
  const fields = [chainId, nonce, 1, 10n ** 10n, gas].map(integerPayload)
  const signature = [integerPayload(1), new Uint8Array(32).fill(1), new Uint8Array(32).fill(1)]
  const target = to === undefined ? new Uint8Array(0) : hexToBytes(to)
  return { raw: Uint8Array.from([2, ...encodeRlp([...fields, target, new Uint8Array(0), data, [], ...signature])]), sender }
}

const call = (functionName, ...args) => hexToBytes(encodeFunctionData({ abi: token.abi, functionName, args }))
const transfer = (from, to) => transaction(addressOf(from), gold, call('transfer', addressOf(to), 1n), 200_000)

const publicKey = publicKeyOf(crypto.publicKey(new Uint8Array(32).fill(7)))
const validator = addressOfPublicKey(crypto, publicKey)
const member = { id: idOfName('bank-a'), address: validator, publicKey, power: 1, feeAddress: validator }
const genesis = {
  chainId,
  timeMs: 1_700_000_000_000,
  development: true,
  executionVersion: executionVersion(crypto),
  parameters: DEFAULT_PARAMETERS,
  validators: createValidatorSet([member]),
  consortium: ungovernedConsortium([ownSeat(member)]),
  nodes: [],
  alloc: Array.from({ length: transfers }, (_, n) => ({ address: addressOf(n), balance: 10n ** 24n })).sort((a, b) =>
    a.address < b.address ? -1 : 1,
  ),
  systemContracts: [],
  restart: undefined,
}

const median = (list) => list.toSorted((a, b) => a - b)[list.length >> 1]

/** Executes blocks. Returns each as a node has it stored, with the milliseconds of its execution. */
async function makeBlocks(kv, executor) {
  let block = await executor.genesis(genesis)
  await kv.write(unpackOps(block.ops))
  await executor.commit(block.hash)
  const made = []
  const add = async (transactions) => {
    const { header, hash } = block
    const template = { parent: header, parentHash: hash, timeMs: header.timeMs + 500, miner: validator, extra: header.extra }
    const start = performance.now()
    const executed = unwrap(await executor.execute(template, transactions))
    const ms = performance.now() - start
    await kv.write(unpackOps(executed.ops))
    await executor.commit(executed.hash)
    block = executed
    const { number, timeMs, miner, gasLimit, baseFeePerGas } = executed.header
    const receipts = unwrap(codec.decode(receiptsCodec, executed.receipts))
    if (receipts.some(({ status }) => status === 0)) throw new Error('a transfer failed')
    const context = { number, timeMs, proposer: miner, gasLimit, baseFee: baseFeePerGas }
    made.push({ ms, replay: { block: context, transactions, receipts } })
  }
  const args = ['Gold', 'GLD', deployer, 10n ** 24n]
  const creation = hexToBytes(encodeDeployData({ abi: token.abi, bytecode: token.bytecode, args }))
  await add([transaction(deployer, undefined, creation, 9_000_000)])
  await add(
    Array.from({ length: transfers - 1 }, (_, n) =>
      transaction(deployer, gold, call('transfer', addressOf(n + 1), 1_000n), 200_000),
    ),
  )
  for (let i = 0; i < blocks; i++) await add(Array.from({ length: transfers }, (_, n) => transfer(n, (n + 1 + i) % transfers)))
  return made
}

const TRACERS = {
  callTracer: { kind: 'calls', onlyTopCall: false, withLog: true },
  prestateTracer: { kind: 'state', withCode: false, withStorage: true },
}

async function main(path) {
  const kv = await openClassicKv(path)
  const executor = unwrap(await createExecutor({ kv, crypto, chainId, interpreter, treeDepth: 12, historyHeights: 64 }))
  const made = await makeBlocks(kv, executor)
  const warm = made.slice(2 + blocks / 3)
  const executionUs = (1_000 * median(warm.map(({ ms }) => ms))) / transfers
  console.log(
    `blocks of ${transfers} token transfers, ${rounds} rounds; an execution takes ${executionUs.toFixed(0)} µs (block with header and state root); Node ${process.version}`,
  )
  const host = createCallHost({ kv, crypto, chainId, interpreter })
  const trace = async ({ replay }, tracer, first, count) => {
    const some = replay.transactions.slice(0, first + count)
    const start = performance.now()
    const job = {
      trace: { kind: 'transactions', tracer, first, replay: { ...replay, transactions: packTransactions(some) } },
      form: { kind: 'geth', isList: count > 1, state: { kind: 'before', includeEmpty: false } },
      answerCharsMax: 25 * 1024 * 1024,
    }
    const answer = await runTraceJob(host, job, () => false)
    if (answer.kind !== 'traced') throw new Error(answer.message)
    return performance.now() - start
  }
  const measures = [
    ['first transaction', 0, 1],
    ['last transaction', transfers - 1, 1],
    ['whole block', 0, transfers],
  ]
  for (const [place, block] of [
    ['newest block', made.at(-1)],
    [`${blocks - 1} blocks back`, made.at(-blocks)],
  ])
    for (const [name, tracer] of Object.entries(TRACERS))
      for (const [what, first, count] of measures) {
        const times = []
        for (let round = 0; round < rounds / (first + count > 1 ? 4 : 1); round++)
          times.push(await trace(block, tracer, first, count))
        const us = (1_000 * median(times)) / count
        console.log(
          `${place.padEnd(16)} ${name.padEnd(16)} ${what.padEnd(18)} ${us.toFixed(0).padStart(8)} µs a transaction ${(us / executionUs).toFixed(1).padStart(7)} executions`,
        )
      }
  await executor.close()
  await kv.close()
}

const directory = await mkdtemp(join(tmpdir(), 'quoin-bench-'))
try {
  await main(directory)
} finally {
  await rm(directory, { recursive: true, force: true })
}
