/**
 * The state tree under load: batches of updates of existing keys and of inserts into a filled tree, in LevelDB (temporary directory) with
 * synced writes; then proofs at the head and at past heights, and reopening. Uses dist: build first. Takes about a minute for
 * 1,000,000 leaves. Usage: node scripts/bench/tree.mjs [--leaves 1000000] [--depth 20] [--updates 5000] [--history 64] [--memory]
 */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { openTree, TreeReader } from '../../packages/execution/dist/index.js'
import { loadCrypto } from '../../packages/node/dist/crypto/load.js'
import { openClassicKv } from '../../packages/node/dist/store/classic-kv.js'
import { MemoryKv } from '../../packages/platform/dist/memory-kv.js'
import { codec, nobleCrypto, stateProofCodec, treeKey, verifyStateProof } from '../../packages/protocol/dist/index.js'

const BATCHES = 12
const FILL_BATCH = 50_000
const PROOFS = 2_000

const { values: options } = parseArgs({
  options: {
    leaves: { type: 'string', default: '1000000' },
    depth: { type: 'string', default: '20' },
    updates: { type: 'string', default: '5000' },
    history: { type: 'string', default: '64' },
    memory: { type: 'boolean', default: false },
  },
})
const [leaves, depth, updates, historyHeights] = [options.leaves, options.depth, options.updates, options.history].map(Number)

const crypto = await loadCrypto()
const directory = options.memory ? undefined : mkdtempSync(join(tmpdir(), 'quoin-bench-tree-'))
const kv = directory === undefined ? new MemoryKv() : await openClassicKv(directory)
const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1]
const report = (name, value) => console.log(`${name.padEnd(44)}${value}`)
const open = async () => {
  const opened = await openTree({ kv, crypto, depth, historyHeights })
  if (!opened.ok) throw new Error(opened.error.message)
  return opened.value
}

/** Deterministic positions (xorshift), so that runs can be compared. */
let state = 0x9e3779b9
function random(below) {
  state ^= state << 13
  state ^= state >>> 17
  state ^= state << 5
  return (state >>> 0) % below
}

const keyOf = (account) => {
  const flatKey = new Uint8Array(53)
  new DataView(flatKey.buffer).setUint32(0, account)
  return treeKey(crypto, flatKey)
}
const valueOf = (version) => new Uint8Array(40).fill(version & 255).with(0, version >> 8)

async function advance(tree, changes) {
  const prepared = tree.prepare((tree.head?.height ?? -1) + 1, changes)
  await kv.write(prepared.ops)
  tree.commit(prepared)
  return prepared
}

/** Runs batches of one kind and prints medians. */
async function measure(name, tree, changesOf) {
  const figures = { prepare: [], whole: [], cpu: [], bytes: [], hashes: [] }
  for (let batch = 0; batch < BATCHES; batch++) {
    const changes = changesOf(batch)
    const cpu = process.cpuUsage()
    const start = performance.now()
    const prepared = tree.prepare(tree.head.height + 1, changes)
    figures.prepare.push(performance.now() - start)
    await kv.write(prepared.ops)
    tree.commit(prepared)
    figures.whole.push(performance.now() - start)
    const { user, system } = process.cpuUsage(cpu)
    figures.cpu.push((user + system) / 1000)
    figures.bytes.push(prepared.ops.reduce((sum, { key, value }) => sum + key.length + (value?.length ?? 0), 0))
    const { values, leaves: leafHashes, inner } = prepared.hashes
    figures.hashes.push([leafHashes + inner, values, leafHashes, inner])
  }
  const whole = median(figures.whole)
  console.log(`\n${name}, ${updates} a batch, median of ${BATCHES}`)
  report('  updates/s (prepare, synced write, commit)', Math.round((1000 * updates) / whole).toLocaleString('en-US'))
  report(
    '  ms whole / prepare / CPU',
    [whole, median(figures.prepare), median(figures.cpu)].map((ms) => ms.toFixed(1)).join(' / '),
  )
  report('  bytes put per update, undo included', Math.round(median(figures.bytes) / updates))
  const [nodes, values, leafHashes, inner] = figures.hashes.toSorted((a, b) => a[0] - b[0]).at(-1)
  const bound = Math.floor(updates * (Math.log2(leaves) + 4))
  report('  nodes hashed at most (leaves + inner)', `${nodes} (${leafHashes} + ${inner}), and ${values} values`)
  report(
    '  bound updates * (log2(leaves) + 4)',
    `${bound}: ${nodes + values <= bound ? 'kept, values counted too' : nodes <= bound ? 'kept' : 'BROKEN'}`,
  )
}

try {
  console.log(
    `${leaves} leaves, D = ${depth}, history ${historyHeights}, ${crypto.name}, ${options.memory ? 'memory' : 'LevelDB'}, Node ${process.version}`,
  )
  let tree = await open()
  let start = performance.now()
  for (let first = 0; first < leaves; first += FILL_BATCH) {
    const count = Math.min(FILL_BATCH, leaves - first)
    await advance(
      tree,
      Array.from({ length: count }, (_, i) => ({ key: keyOf(first + i), value: valueOf(0) })),
    )
  }
  report('filled in s', ((performance.now() - start) / 1000).toFixed(1))

  start = performance.now()
  tree = await open()
  report('opened in ms', Math.round(performance.now() - start))

  await measure('updates', tree, (batch) =>
    Array.from({ length: updates }, () => ({ key: keyOf(random(leaves)), value: valueOf(batch + 1) })),
  )
  await measure('inserts', tree, (batch) =>
    Array.from({ length: updates }, (_, i) => ({ key: keyOf(leaves + batch * updates + i), value: valueOf(0) })),
  )

  const proofs = Array.from({ length: PROOFS }, (_, i) => keyOf(i % 2 === 0 ? random(leaves) : 2 ** 31 + i))
  const reader = new TreeReader(kv, crypto)
  const { height } = tree.head
  start = performance.now()
  await reader.catchUp()
  report('\nreader of proofs: upper tree read in ms', Math.round(performance.now() - start))
  start = performance.now()
  await advance(
    tree,
    Array.from({ length: updates }, () => ({ key: keyOf(random(leaves)), value: valueOf(99) })),
  )
  const written = performance.now()
  await reader.catchUp()
  report('  follows a block in ms', Math.round(performance.now() - written))
  const made = []
  for (const count of [1, 10]) {
    made.length = 0
    start = performance.now()
    for (let i = 0; i < PROOFS; i += count) {
      const answer = await reader.prove(tree.head.height, proofs.slice(i, i + count))
      if (!answer.ok) throw new Error(answer.error.message)
      made.push(...answer.value)
    }
    report(
      `  ${count} keys a request at the head, µs a request`,
      ((1000 * (performance.now() - start)) / (PROOFS / count)).toFixed(1),
    )
  }
  const sizes = made.map((proof) => codec.encode(stateProofCodec, proof).length)
  console.log('\nproofs at the head, half of them of absence')
  report('  bytes median / most', `${median(sizes)} / ${Math.max(...sizes)}`)
  start = performance.now()
  // Odd positions are absent keys; their claim has no value.
  const absent = proofs.filter((_, i) => i % 2 === 1)
  const verified = absent.filter((key, i) => verifyStateProof(nobleCrypto, tree.head.root, key, undefined, made[2 * i + 1]))
  report('  verified by noble in µs', ((1000 * (performance.now() - start)) / absent.length).toFixed(1))
  if (verified.length !== absent.length) throw new Error('a proof did not verify')

  for (const back of [1, 2 * BATCHES]) {
    if (back > historyHeights) continue
    const past = height + 1 - back
    start = performance.now()
    await reader.prove(past, [])
    const viewMs = performance.now() - start
    start = performance.now()
    const answer = await reader.prove(past, proofs)
    if (!answer.ok) throw new Error(answer.error.message)
    const proofUs = (1000 * (performance.now() - start)) / PROOFS
    report(`view ${back} heights back, ms; then µs a proof`, `${viewMs.toFixed(1)}; ${proofUs.toFixed(1)}`)
  }
  report('resident MB', Math.round(process.memoryUsage().rss / 2 ** 20))
} finally {
  if (directory !== undefined) {
    await kv.close()
    rmSync(directory, { recursive: true })
  }
}
