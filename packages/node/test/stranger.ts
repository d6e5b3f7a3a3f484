import { noise } from '@chainsafe/libp2p-noise'
import { yamux } from '@chainsafe/libp2p-yamux'
import type { Libp2p } from '@libp2p/interface'
import { tcp } from '@libp2p/tcp'
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import { unwrap, utf8ToBytes } from '@quoin/protocol'
import { createLibp2p } from 'libp2p'
import { createNodeKey, loadNodeKey } from '../src/network/node-key.ts'
import type { TestNode } from './network.ts'

const strangers: Libp2p[] = []

/** A bare libp2p node with our handshake, which sends exactly what a test tells it to. */
export async function startStranger(networkId = 'test', key?: Uint8Array): Promise<Libp2p> {
  const stranger = await createLibp2p({
    privateKey: unwrap(loadNodeKey(key ?? (await createNodeKey()))).privateKey,
    transports: [tcp()],
    connectionEncrypters: [noise({ prologueBytes: utf8ToBytes(`quoin:${networkId}`) })],
    streamMuxers: [yamux()],
    connectionMonitor: { enabled: false },
  })
  strangers.push(stranger)
  return stranger
}

export async function stopStrangers(): Promise<void> {
  await Promise.all(strangers.splice(0).map((stranger) => stranger.stop()))
}

/** Address on which a node listens. */
export const target = (node: TestNode): Multiaddr => multiaddr(`${node.transport.addresses()[0]}/p2p/${node.id}`)

/** Port on which a node listens. */
export const portOf = (node: TestNode): number => Number(target(node).getComponents()[1]!.value)

/** A stranger that a node admits, with the ordered stream that the node opened to it. */
export async function admitted(node: TestNode): Promise<{ readonly stranger: Libp2p; readonly id: string }> {
  const stranger = await startStranger()
  await stranger.handle('/quoin/test/ordered/1', () => {})
  node.transport.admit([{ peerId: stranger.peerId.toString(), addresses: [] }])
  await stranger.dial(target(node))
  const id = stranger.peerId.toString()
  await node.seen.until(() => node.transport.peers().includes(id))
  return { stranger, id }
}
