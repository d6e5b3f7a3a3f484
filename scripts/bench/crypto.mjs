/**
 * Operations per second of all crypto backends that this machine has, as ratios to noble, and of the recovery pool. Uses dist: build first. Takes
 * about 15 s. Usage: node scripts/bench/crypto.mjs
 */

import { HDKey } from 'viem/accounts'
import { CANDIDATES, loadCrypto } from '../../packages/node/dist/crypto/load.js'
import { startRecoveryPool } from '../../packages/node/dist/crypto/recovery-pool.js'
import { childKey, rootKey } from '../../packages/platform/dist/hd-key.js'
import { nobleCrypto } from '../../packages/protocol/dist/index.js'

const ROUNDS = 5
const ROUND_MS = 60

/** Calls per second, median over the rounds. */
function rate(call) {
  const rates = []
  for (let round = 0; round <= ROUNDS; round++) {
    const start = performance.now()
    let calls = 0
    let elapsed = 0
    while (elapsed < ROUND_MS) {
      for (let i = 0; i < 8; i++) call(calls++)
      elapsed = performance.now() - start
    }
    // The first round warms up.
    if (round > 0) rates.push((1000 * calls) / elapsed)
  }
  return median(rates)
}

const median = (values) => values.sort((a, b) => a - b)[values.length >> 1]
const format = (value) => Math.round(value).toLocaleString('en-US').padStart(12)

function row(job, backend, value, base) {
  console.log(`${job.padEnd(22)}${backend.padEnd(20)}${format(value)}/s${(value / base).toFixed(1).padStart(9)}x`)
}

async function available(candidates) {
  const found = []
  for (const { backend, load } of candidates) {
    try {
      found.push([backend, await load()])
    } catch (error) {
      console.log(`${backend}: not available (${error.message.split('\n', 1)[0]})`)
    }
  }
  return found
}

function compare(job, backends, own, call) {
  const base = rate(call(own))
  row(job, 'noble', base, base)
  for (const [backend, loaded] of backends) row(job, backend, rate(call(loaded)), base)
}

const crypto = await loadCrypto()
console.log(`chosen: ${crypto.name}; Node ${process.version}, ${process.platform}-${process.arch}\n`)

const signatures = Array.from({ length: 1024 }, (_, i) => {
  const secretKey = new Uint8Array(32).fill(1 + (i % 200))
  const signingHash = crypto.sha256(Uint8Array.of(i, i >> 8))
  return { signingHash, secretKey, publicKey: crypto.publicKey(secretKey), ...crypto.sign(signingHash, secretKey) }
})
const at = (i) => signatures[i % signatures.length]

const curves = await available(CANDIDATES.curve)
compare('recover', curves, nobleCrypto, (curve) => (i) => curve.recover(at(i).signingHash, at(i).signature, at(i).yParity))
compare('verify', curves, nobleCrypto, (curve) => (i) => curve.verify(at(i).signingHash, at(i).signature, at(i).publicKey))
compare('sign', curves, nobleCrypto, (curve) => (i) => curve.sign(at(i).signingHash, at(i).secretKey))

const keccaks = await available(CANDIDATES.keccak256)
const sha256s = await available(CANDIDATES.sha256)
for (const length of [32, 128, 1024]) {
  const bytes = new Uint8Array(length).fill(7)
  compare(`keccak256, ${length} B`, keccaks, nobleCrypto.keccak256, (hash) => () => hash(bytes))
  compare(`sha256, ${length} B`, sha256s, nobleCrypto.sha256, (hash) => () => hash(bytes))
}

const pairHashers = await available(CANDIDATES.hashPairs)
for (const count of [1, 2, 16, 256]) {
  const input = new Uint8Array(64 * count).fill(9)
  const output = new Uint8Array(32 * count)
  compare(`hashPairs, ${count} (calls)`, pairHashers, nobleCrypto.hashPairs, (hashPairs) => () => hashPairs(input, output, count))
}

// Derives a child of a secret key with its public key (BIP-32), as for development accounts. viem's HDKey is that of @scure/bip32.
const seed = new Uint8Array(64).fill(5)
const libraryKey = HDKey.fromMasterSeed(seed)
const ownKey = rootKey(seed)
const base = rate((i) => libraryKey.deriveChild(i).publicKey)
row('child key', '@scure/bip32', base, base)
for (const backend of [nobleCrypto, crypto])
  row(
    'child key',
    backend.name.split('+', 1)[0],
    rate((i) => backend.publicKey(childKey(backend, ownKey, i).secretKey)),
    base,
  )

console.log()
const lone = []
for (const workers of [1, 2]) {
  const pool = await startRecoveryPool({ workers })
  for (let i = 0; i < 200; i++) await pool.recoverSenders([at(i)])
  for (let i = 0; i < 500 && workers === 1; i++) {
    const start = performance.now()
    await pool.recoverSenders([at(i)])
    lone.push(performance.now() - start)
  }
  const total = 20_000
  const start = performance.now()
  await Promise.all(Array.from({ length: total }, (_, i) => pool.recoverSenders([at(i)])))
  console.log(`pool of ${workers}: ${format((1000 * total) / (performance.now() - start))} senders/s, single calls`)
  await pool.close()
}
lone.sort((a, b) => a - b)
console.log(`pool of 1, a lone signature: p50 ${lone[250].toFixed(2)} ms, p99 ${lone[495].toFixed(2)} ms`)
