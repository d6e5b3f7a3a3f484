import { readdir, readFile } from 'node:fs/promises'
import { Session } from 'node:inspector/promises'
import { join } from 'node:path'

/** Parts of a validator. A sample belongs to the first part that matches the script of one of its frames; innermost frames are tried first. */
const NODE_PARTS = [
  ['contracts', /^wasm:|execution\/dist\/(contract|vm)\//],
  ['tree', /execution\/dist\/tree\/|hashtree/],
  ['execution', /execution\/dist\/|node\/dist\/executor\//],
  ['signature', /node\/dist\/crypto\/|node_modules\/secp256k1\//],
  ['gossip and network', /gossipsub|libp2p|yamux|noise|multiformats|uint8array|protons|node\/dist\/(network|gossip)\//],
  ['rpc', /node\/dist\/rpc\/|node:_http|node_modules\/ws\//],
  ['mempool', /node\/dist\/mempool\//],
  ['store', /node\/dist\/store\/|classic-level|abstract-level/],
  ['consensus', /consensus\/dist\/|node\/dist\/(engine|chain|sync)\//],
]

/** @param {readonly (readonly [name: string, script: RegExp])[]} parts */
function partOf(frames, parts) {
  for (const { url } of frames) {
    const part = parts.find(([, pattern]) => pattern.test(url))
    if (part !== undefined) return part[0]
  }
  return 'rest'
}

/** Frames of every node of a profile, innermost first. */
function stacks(nodes) {
  const byId = new Map(nodes.map((node) => [node.id, node]))
  const parents = new Map(nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id])))
  return (id) => {
    const frames = []
    for (let at = id; at !== undefined; at = parents.get(at)) frames.push(byId.get(at).callFrame)
    return frames
  }
}

/** Adds the busy time (µs) of a profile's window of the monotonic clock to `spent`, by part. */
function addBusy(spent, { nodes, samples, timeDeltas, startTime }, parts, fromUs = 0, toUs = Number.POSITIVE_INFINITY) {
  const stackOf = stacks(nodes)
  let now = startTime
  samples.forEach((id, i) => {
    now += timeDeltas[i]
    if (now < fromUs || now > toUs) return
    const frames = stackOf(id)
    const { functionName } = frames[0]
    if (functionName === '(idle)') return
    const part = functionName === '(garbage collector)' ? 'garbage collection' : partOf(frames, parts)
    spent.set(part, (spent.get(part) ?? 0) + timeDeltas[i])
  })
}

/** @param {Map<string, number>} spent @returns {Map<string, number>} part to share, 0 to 1, the largest first */
function sharesOf(spent) {
  const total = [...spent.values()].reduce((a, b) => a + b, 0)
  return new Map([...spent].toSorted(([, a], [, b]) => b - a).map(([part, us]) => [part, us / total]))
}

/**
 * Shares of the busy time of all threads in V8's profiles in a directory, by part of a node, within a window of the monotonic clock (µs).
 * Counts only processes with worker threads, which are the validators.
 *
 * @returns {Promise<Map<string, number>>} part to share, 0 to 1
 */
export async function profileShares(directory, fromUs, toUs) {
  const files = (await readdir(directory)).filter((name) => name.endsWith('.cpuprofile'))
  const pidOf = (name) => name.split('.')[3]
  const counts = new Map()
  for (const name of files) counts.set(pidOf(name), (counts.get(pidOf(name)) ?? 0) + 1)
  const spent = new Map()
  for (const name of files.filter((file) => counts.get(pidOf(file)) > 1))
    addBusy(spent, JSON.parse(await readFile(join(directory, name), 'utf8')), NODE_PARTS, fromUs, toUs)
  return sharesOf(spent)
}

/**
 * Runs an action of this thread under V8's profiler.
 *
 * @param {() => void} action
 * @param {readonly (readonly [name: string, script: RegExp])[]} parts a sample belongs to the first part that matches the script of one of its frames,
 *   innermost first
 * @returns {Promise<Map<string, number>>} part to share, 0 to 1
 */
export async function profileAction(action, parts) {
  const session = new Session()
  session.connect()
  await session.post('Profiler.enable')
  await session.post('Profiler.setSamplingInterval', { interval: 200 })
  await session.post('Profiler.start')
  action()
  const { profile } = await session.post('Profiler.stop')
  session.disconnect()
  const spent = new Map()
  addBusy(spent, profile, parts)
  return sharesOf(spent)
}
