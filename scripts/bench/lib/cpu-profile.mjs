import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

/** What a stack is spent on, by the first of these that matches a frame's script, innermost frame first. */
const PARTS = [
  ['tree', /execution\/dist\/tree\/|hashtree/],
  ['execution', /execution\/dist\/|node\/dist\/executor\//],
  ['signature', /node\/dist\/crypto\/|node_modules\/secp256k1\//],
  ['gossip and network', /gossipsub|libp2p|yamux|noise|multiformats|uint8array|protons|node\/dist\/(network|gossip)\//],
  ['rpc', /node\/dist\/rpc\/|fastify|find-my-way|node_modules\/ws\//],
  ['mempool', /node\/dist\/mempool\//],
  ['store', /node\/dist\/store\/|classic-level|abstract-level/],
  ['consensus', /consensus\/dist\/|node\/dist\/(engine|chain|sync)\//],
]

function partOf(frames) {
  for (const { url } of frames) {
    const part = PARTS.find(([, pattern]) => pattern.test(url))
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

/**
 * Shares of the busy time of all threads in V8's profiles of a directory, by part, within a window of the monotonic clock (µs). Only
 * processes with worker threads count: the validators.
 *
 * @returns {Promise<Map<string, number>>} part to share, 0 to 1
 */
export async function profileShares(directory, fromUs, toUs) {
  const files = (await readdir(directory)).filter((name) => name.endsWith('.cpuprofile'))
  const pidOf = (name) => name.split('.')[3]
  const counts = new Map()
  for (const name of files) counts.set(pidOf(name), (counts.get(pidOf(name)) ?? 0) + 1)
  const spent = new Map()
  let total = 0
  for (const name of files.filter((file) => counts.get(pidOf(file)) > 1)) {
    const { nodes, samples, timeDeltas, startTime } = JSON.parse(await readFile(join(directory, name), 'utf8'))
    const stackOf = stacks(nodes)
    let now = startTime
    samples.forEach((id, i) => {
      now += timeDeltas[i]
      if (now < fromUs || now > toUs) return
      const frames = stackOf(id)
      const { functionName } = frames[0]
      if (functionName === '(idle)') return
      const part = functionName === '(garbage collector)' ? 'garbage collection' : partOf(frames)
      spent.set(part, (spent.get(part) ?? 0) + timeDeltas[i])
      total += timeDeltas[i]
    })
  }
  return new Map([...spent].sort(([, a], [, b]) => b - a).map(([part, us]) => [part, us / total]))
}
