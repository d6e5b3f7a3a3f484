// Chains of token transfers for benchmarks. Their blocks are written by the store's own code, without executing them: transactions, receipts and
// state are made up, each with its usual size.
import { loadCrypto } from '../../../packages/node/dist/crypto/load.js'
import { BlockStore } from '../../../packages/node/dist/store/block-store.js'
import { openClassicKv } from '../../../packages/node/dist/store/classic-kv.js'
import {
  addToBloom,
  bytesToHex,
  codec,
  createValidatorSet,
  emptyBloom,
  headerHash,
  publicKeyOf,
  receiptsCodec,
  ZERO_HASH,
} from '../../../packages/protocol/dist/index.js'

export const ACCOUNTS = 100_000
export const TRANSFER = '0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef'
export const TOKEN = `0x${'70'.repeat(20)}`
export const crypto = await loadCrypto()
// A generator with a seed: each run has the same blocks.
let state = 1
export const seed = (number) => {
  state = number
}
export const random = (below) => {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
  return Math.floor((state / 2 ** 32) * below)
}
const pool = Uint8Array.from({ length: 1024 * 1024 }, () => random(256))
let made = 0
/** Bytes of the pool, with a number at the end that makes them different each time. */
const randomBytes = (length) => {
  const from = random(pool.length - length)
  const bytes = pool.slice(from, from + length)
  made++
  for (let i = 1; i <= 4; i++) bytes[length - i] = made >>> (8 * i - 8)
  return bytes
}
export const accounts = Array.from({ length: ACCOUNTS }, (_, i) =>
  bytesToHex(crypto.keccak256(new Uint8Array(Uint32Array.of(i).buffer)).subarray(12)),
)
export const topicOf = (account) => `0x${'00'.repeat(12)}${account.slice(2)}`

/** A block of token transfers between random accounts. */
export function blockOf({ header: parent, hash: parentHash }, transfers, { hasState = true, tokens = [TOKEN] } = {}) {
  const height = parent.number + 1
  const senders = Array.from({ length: transfers }, () => accounts[random(ACCOUNTS)])
  const logs = senders.map((from, i) => ({
    address: tokens[i % tokens.length],
    topics: [TRANSFER, topicOf(from), topicOf(accounts[random(ACCOUNTS)])],
    data: new Uint8Array(32),
  }))
  const logsBloom = emptyBloom()
  addToBloom(crypto, logsBloom, logs)
  const receipts = logs.map((log, i) => ({
    ...{ status: 1, gasUsed: 50_000, cumulativeGasUsed: 50_000 * (i + 1), logs: [log], errorData: new Uint8Array(0) },
    ...{ contractAddress: undefined, payer: senders[i] },
  }))
  const header = { ...parent, parentHash, number: height, timeMs: parent.timeMs + 500, logsBloom, genesisDigest: undefined }
  return {
    ...{ header, hash: headerHash(crypto, header), certificate: undefined, validators: [], creations: [] },
    transactions: senders.map((sender) => ({ raw: randomBytes(180), hash: bytesToHex(randomBytes(32)), sender, to: TOKEN })),
    receipts: codec.encode(receiptsCodec, receipts),
    // Per transfer two balances and the sender's account, each in the state and in the history, and the buckets of the tree.
    ops: Array.from({ length: hasState ? 7 * transfers : 0 }, (_, i) => ({
      key: Uint8Array.of(0x10 + (i & 1), ...randomBytes(60)),
      value: i % 7 === 6 ? randomBytes(300) : randomBytes(33),
    })),
  }
}

/** A database whose writes lack some spaces, and are gathered if `opsMax` is above 0. */
export async function openBench(path, { without = [], opsMax = 0 } = {}) {
  const inner = await openClassicKv(path)
  let waiting = []
  let isDirect = opsMax === 0
  const flush = async () => {
    await inner.write(waiting)
    waiting = []
  }
  const kv = {
    get: (key) => inner.get(key),
    scan: (range) => inner.scan(range),
    async write(ops) {
      const kept = without.length === 0 ? ops : ops.filter(({ key }) => !without.includes(key[0]))
      if (isDirect) return inner.write(kept)
      waiting = waiting.concat(kept)
      if (waiting.length > opsMax) await flush()
    },
  }
  const opened = BlockStore.open(kv, crypto)
  if (!opened.ok) throw new Error(opened.error.message)
  const store = opened.value
  await store.appendGenesis(genesis(), { genesisDigest: ZERO_HASH, restartEpoch: 0 })
  /** Writes what is gathered, and from now on each block by itself. */
  const writeDirectly = async () => {
    await flush()
    isDirect = true
  }
  return { inner, kv, store, flush, writeDirectly }
}

function genesis() {
  const publicKey = publicKeyOf(crypto.publicKey(new Uint8Array(32).fill(1)))
  const validator = { address: accounts[0], publicKey, power: 1, feeAddress: accounts[0] }
  const header = {
    ...{ parentHash: ZERO_HASH, miner: accounts[0], stateRoot: ZERO_HASH, transactionsRoot: ZERO_HASH, receiptsRoot: ZERO_HASH },
    ...{ logsBloom: emptyBloom(), number: 0, gasLimit: 72_000_000, gasUsed: 0, timeMs: 1_700_000_000_000, baseFeePerGas: 0n },
    extra: { executionVersion: ZERO_HASH, validatorsHash: ZERO_HASH, nextValidatorsHash: ZERO_HASH },
    genesisDigest: ZERO_HASH,
  }
  const set = createValidatorSet([validator])
  return {
    ...{ header, hash: headerHash(crypto, header), transactions: [], creations: [], receipts: new Uint8Array(4), ops: [] },
    ...{ certificate: undefined, validators: [1, 2].map((height) => ({ height, set })) },
  }
}
