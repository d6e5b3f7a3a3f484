#!/usr/bin/env node
// Messages per second over the real transport on loopback, and their CPU time. Both ends run in this process, so the CPU time includes
// sender and receiver. Needs `npm run build`.
import { cpus } from 'node:os'
import { createLibp2pTransport } from '../../packages/node/dist/network/index.js'
import { createNodeKey } from '../../packages/node/dist/network/node-key.js'

const MESSAGE_BYTES = 200
const logger = { debug() {}, info() {}, warn() {} }
const never = new AbortController().signal

/** `reached(n)` resolves when `count` has reached n. */
class Counter {
  count = 0
  #goal = Number.POSITIVE_INFINITY
  #resolve = () => {}
  add() {
    if (++this.count >= this.#goal) this.#resolve()
  }
  reached(goal) {
    this.#goal = goal
    return new Promise((resolve) => {
      this.#resolve = resolve
      if (this.count >= goal) resolve()
    })
  }
}

async function startNode() {
  const up = new Counter()
  const subscribed = new Counter()
  const messages = new Counter()
  const gossip = new Counter()
  const transport = await createLibp2pTransport({
    key: await createNodeKey(),
    listen: ['/ip4/127.0.0.1/tcp/0'],
    networkId: 'bench',
    logger,
    onSubscribed: () => subscribed.add(),
  })
  transport.listen({
    onMessage: () => messages.add(),
    onGossip: () => {
      gossip.add()
      return Promise.resolve('accept')
    },
    onRequest: (_, question) => Promise.resolve(question),
    onPeer: (_, state) => state === 'up' && up.add(),
  })
  await transport.start()
  return { transport, up, subscribed, messages, gossip }
}

async function measure(name, count, work) {
  const cpu = process.cpuUsage()
  const start = performance.now()
  await work()
  const seconds = (performance.now() - start) / 1000
  const { user, system } = process.cpuUsage(cpu)
  const perSecond = Math.round(count / seconds).toLocaleString('en')
  console.log(
    `${name.padEnd(52)} ${perSecond.padStart(9)} /s   ${((user + system) / count).toFixed(1).padStart(7)} µs of CPU each`,
  )
}

const turn = () => new Promise((resolve) => setImmediate(resolve))

const nodes = await Promise.all(Array.from({ length: 4 }, startNode))
const list = nodes.map(({ transport }) => ({ peerId: transport.self, addresses: transport.addresses() }))
for (const { transport } of nodes) transport.admit(list)
await Promise.all(nodes.map(({ up, subscribed }) => Promise.all([up.reached(3), subscribed.reached(3)])))
const [a, b] = nodes

console.log(`node ${process.version}, ${cpus()[0]?.model.trim()}, ${MESSAGE_BYTES}-byte messages, two ends in one process`)

/** Sends `total` messages, `together` per turn of the event loop. Waits for the peer whenever a few thousand are in flight. */
async function sendOrdered(total, together) {
  const before = b.messages.count
  for (let sent = 0; sent < total; ) {
    for (let i = 0; i < together; i++, sent++) a.transport.send(b.transport.self, new Uint8Array(MESSAGE_BYTES))
    if (sent % 4096 < together) await b.messages.reached(before + sent)
    else await turn()
  }
  await b.messages.reached(before + total)
}

await sendOrdered(20_000, 32)
await measure('ordered stream, one message a turn', 20_000, () => sendOrdered(20_000, 1))
await measure('ordered stream, 32 messages a turn', 320_000, () => sendOrdered(320_000, 32))
await measure('ordered stream, 4,096 messages a turn', 409_600, () => sendOrdered(409_600, 4096))

await measure('requests, one after another', 1_000, async () => {
  for (let i = 0; i < 1_000; i++) await a.transport.request(b.transport.self, new Uint8Array(MESSAGE_BYTES), never)
})

await measure('gossip of 10 kB to three nodes (per payload)', 1_000, async () => {
  for (let i = 0; i < 1_000; i++) {
    const payload = new Uint8Array(10_000)
    new DataView(payload.buffer).setUint32(0, i)
    a.transport.publish(payload, 'all')
    await Promise.all(nodes.slice(1).map(({ gossip }) => gossip.reached(i + 1)))
  }
})

const { dropped, gossipDropped } = a.transport.counters
await Promise.all(nodes.map(({ transport }) => transport.stop()))
if (dropped + gossipDropped > 0) {
  console.error(`${dropped} messages and ${gossipDropped} payloads were dropped: the figures are invalid`)
  process.exitCode = 1
}
