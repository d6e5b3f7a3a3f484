import type { Probes } from '../health/probes.ts'
import type { Libp2pTransport } from '../network/index.ts'
import type { Node } from '../node.ts'
import type { NodeMetrics } from './metrics.ts'
import type { Run } from './run.ts'
import { highestOf } from './watches.ts'

/** Answers the probes of a node: its health, with its position in the chain. */
export function nodeProbes({ health }: Run, node: Node, transport: Libp2pTransport, metrics: NodeMetrics): Probes {
  const position = (): Readonly<Record<string, unknown>> => {
    const { header, hash } = node.chain.head
    const behind = Math.max(0, highestOf(node, transport) - header.number)
    const { length: peers } = transport.peers()
    return { height: header.number, hash, timeMs: header.timeMs, peers, syncing: behind > 0, behind }
  }
  return {
    async live() {
      const { isOk, body } = health.live()
      return { isOk, body: { ...body, ...position() } }
    },
    async ready() {
      const { isOk, body } = health.ready()
      return { isOk, body: { ...body, ...position() } }
    },
    metrics: async () => metrics.read(),
  }
}
