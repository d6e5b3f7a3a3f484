// Streams without sockets: replay of logs, and the cost of a block for many streams at the head.
//   node scripts/bench/streams.mjs [--blocks N] [--transfers N] [--only replay,head] [--profile]
import { mkdtemp, rm } from 'node:fs/promises'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { BlockTexts } from '../../packages/node/dist/rpc/block-texts.js'
import { DEFAULT_RPC_LIMITS } from '../../packages/node/dist/rpc/limits.js'
import { LogSource } from '../../packages/node/dist/rpc/streams/log-source.js'
import { StreamHub } from '../../packages/node/dist/rpc/streams/stream-hub.js'
import { Turns } from '../../packages/node/dist/rpc/turns.js'
import { BlockIndex } from '../../packages/node/dist/store/block-index.js'
import { systemClock } from '../../packages/node/dist/system-clock.js'
import { accounts, blockOf, crypto, openBench, TOKEN, TRANSFER, topicOf } from './lib/made-chain.mjs'

const { values } = parseArgs({
  options: {
    blocks: { type: 'string', default: '20000' },
    transfers: { type: 'string', default: '10' },
    rounds: { type: 'string', default: '5' },
    only: { type: 'string', default: 'replay,head' },
  },
})
const BLOCKS = Number(values.blocks)
const TRANSFERS = Number(values.transfers)
const rounds = Number(values.rounds)
const median = (list) => list.toSorted((a, b) => a - b)[list.length >> 1]
/** Ten tokens: each has a tenth of the logs of a block. */
const TOKENS = Array.from({ length: 10 }, (_, i) => (i === 0 ? TOKEN : `0x${(0x71 + i).toString(16).repeat(20)}`))
/** A token with a log in each hundredth block. */
const RARE = `0x${'99'.repeat(20)}`

const directory = await mkdtemp(join(tmpdir(), 'quoin-streams-'))
const { inner, store, writeDirectly } = await openBench(join(directory, 'chain'), { opsMax: 20_000 })
const append = async (number) =>
  store.append(
    blockOf(store.head, TRANSFERS, { hasState: false, tokens: number % 100 === 0 ? [...TOKENS.slice(0, 9), RARE] : TOKENS }),
  )

function openHub() {
  const backend = { blocks: store, index: new BlockIndex(inner), crypto, chainId: 31_337 }
  const { sliceMs, textsBytesMax } = DEFAULT_RPC_LIMITS
  return new StreamHub({
    ...{ backend, clock: systemClock, limits: { ...DEFAULT_RPC_LIMITS, streamsMax: 200_000, streamsPerRemoteMax: 200_000 } },
    ...{ turns: new Turns(systemClock, sliceMs), texts: new BlockTexts(textsBytesMax), takeTerms: () => () => {} },
    genesis: () => store.header(0).hash,
    onFailure(failure) {
      throw failure
    },
  })
}

/** Milliseconds of the clock, and of the processor. */
async function timed(work) {
  const cpu = process.cpuUsage()
  const begun = performance.now()
  await work()
  const { user, system } = process.cpuUsage(cpu)
  return { ms: performance.now() - begun, cpuMs: (user + system) / 1_000 }
}

async function replay(name, source) {
  const times = []
  let items = 0
  let bytes = 0
  for (let round = 0; round <= rounds; round++) {
    store.dropCaches()
    items = 0
    bytes = 0
    const hub = openHub()
    const used = await timed(
      () =>
        new Promise((resolve) => {
          const head = `"height":${BLOCKS},"blockHash"`
          const send = (text) => {
            bytes += text.length
            const [, sequence] = /"sequence":(\d+)/.exec(text) ?? []
            for (
              let at = text.indexOf('"blockHash"', text.indexOf('"items"'));
              at !== -1;
              at = text.indexOf('"blockHash"', at + 1)
            )
              items++
            if (sequence !== undefined) setImmediate(() => stream.acknowledge(Number(sequence)))
            // The stream is at the head when it says so, in its last batch with items or in an empty one.
            if (text.includes(head)) resolve()
          }
          const stream = hub.open(
            source(),
            { height: 1, index: 0 },
            { client: { remote: '', connection: 1 }, isFull: false, send },
            () => {},
          )
          stream.begin()
        }),
    )
    hub.close()
    if (round > 0) times.push(used)
  }
  const ms = median(times.map((one) => one.ms))
  const cpuMs = median(times.map((one) => one.cpuMs))
  const rate = (time) =>
    Math.round((items / time) * 1_000)
      .toString()
      .padStart(8)
  console.log(
    `  ${name.padEnd(44)}${items.toString().padStart(8)} items ${(bytes / 1e6).toFixed(0).padStart(4)} MB ${ms.toFixed(0).padStart(7)} ms  a second:${rate(ms)}, of processor time:${rate(cpuMs)}`,
  )
}

async function head(count, blocks = 20) {
  const hub = openHub()
  let batches = 0
  const source = () => new LogSource(crypto, { addresses: [TOKEN], topics: [] })
  for (let i = 0; i < count; i++) {
    const send = (text) => {
      const [, sequence] = /"sequence":(\d+)/.exec(text.slice(0, 200)) ?? []
      if (sequence === undefined) return
      batches++
      queueMicrotask(() => stream.acknowledge(Number(sequence)))
    }
    const stream = hub.open(
      source(),
      { height: store.head.header.number + 1, index: 0 },
      { client: { remote: '', connection: i }, isFull: false, send },
      () => {},
    )
    stream.begin()
  }
  const times = []
  for (let i = 0; i < blocks; i++) {
    await append(1)
    batches = 0
    const used = await timed(async () => {
      hub.wake()
      while (batches < count) await new Promise((resolve) => setImmediate(resolve))
    })
    if (i > 2) times.push(used)
  }
  hub.close()
  console.log(
    `  ${count.toString().padStart(7)} equal streams: ${median(times.map((one) => one.ms))
      .toFixed(2)
      .padStart(8)} ms a block, ${median(times.map((one) => one.cpuMs))
      .toFixed(2)
      .padStart(8)} ms of processor time`,
  )
}

try {
  console.log(`load average ${loadavg()[0].toFixed(1)}`)
  const made = await timed(async () => {
    for (let i = 1; i <= BLOCKS; i++) await append(i)
    await writeDirectly()
  })
  console.log(`${BLOCKS} blocks of ${TRANSFERS} transfers, made in ${(made.ms / 1_000).toFixed(0)} s`)
  const logs =
    (addresses, topics = []) =>
    () =>
      new LogSource(crypto, { addresses, topics })
  if (values.only.includes('replay')) {
    console.log(`replay of all blocks by one client, medians of ${rounds}`)
    await replay('every log', logs([]))
    await replay('logs of a token, a tenth of all', logs([TOKEN]))
    await replay('logs of a token in a hundredth of the blocks', logs([RARE]))
    await replay('transfers from an account', logs([], [[TRANSFER], [topicOf(accounts[1])]]))
  }
  if (values.only.includes('head')) {
    console.log('a block with a matching log')
    for (const count of [1, 1_000, 10_000, 100_000]) await head(count)
  }
  console.log(`load average ${loadavg()[0].toFixed(1)}`)
} finally {
  await inner.close()
  await rm(directory, { recursive: true, force: true })
}
