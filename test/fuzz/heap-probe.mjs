// Loaded into each thread of a node by `--import`: collects garbage and measures the heap of each thread when the parent process asks on the IPC
// channel. The node itself knows nothing of it.
import { basename } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { BroadcastChannel, isMainThread } from 'node:worker_threads'

setFlagsFromString('--expose-gc')
const gc = runInNewContext('gc')
const channel = new BroadcastChannel('quoin-heap-probe')
channel.unref()
const MEASURE = 'measure'

/** Bytes of the heap that survive two full collections: what the first one finds with a finalizer, the second one frees. */
function measure() {
  gc()
  gc()
  return process.memoryUsage().heapUsed
}

if (isMainThread) {
  const threads = new Map()
  process.on('message', (message) => {
    if (message?.kind !== 'measure-heap') return
    threads.clear()
    channel.postMessage(MEASURE)
    threads.set('main', measure())
  })
  channel.onmessage = ({ data: { thread, bytes } }) => {
    threads.set(thread, bytes)
    if (thread === 'rpc-worker.js') process.send({ kind: 'heap', threads: Object.fromEntries(threads) })
  }
  // Only the node's own work keeps the process alive.
  process.channel?.unref()
} else {
  channel.onmessage = ({ data }) => {
    // The other threads' answers arrive here too.
    if (data === MEASURE) channel.postMessage({ thread: basename(process.argv[1] ?? 'unknown'), bytes: measure() })
  }
}
