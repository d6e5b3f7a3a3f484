import { createNodeKey } from '../src/network/node-key.ts'
import { createLibp2pTransport, type Libp2pTransport, type Libp2pTransportOptions } from '../src/network/transport.ts'
import type { PeerAddress, PeerId, TransportHandlers } from '../src/powers.ts'

/** A promise and the functions that settle it. */
export function deferred<T>(): { readonly promise: Promise<T>; resolve(value: T): void } {
  let settle: (value: T) => void = () => {}
  const promise = new Promise<T>((resolve) => {
    settle = resolve
  })
  return { promise, resolve: (value) => settle(value) }
}

export const silentLogger = { debug() {}, info() {}, warn() {} }

/** Records the events of a transport, and waits for them. */
export class Recorder implements TransportHandlers {
  readonly messages: { readonly from: PeerId; readonly message: Uint8Array }[] = []
  readonly gossip: { readonly from: PeerId; readonly payload: Uint8Array }[] = []
  readonly peers: { readonly peer: PeerId; readonly state: 'up' | 'down' }[] = []
  readonly subscribed = new Set<PeerId>()
  answer: TransportHandlers['onRequest'] = () => Promise.resolve(undefined)
  verdict: TransportHandlers['onGossip'] = () => Promise.resolve('accept')
  readonly #waiting = new Set<() => void>()

  onMessage(from: PeerId, message: Uint8Array): void {
    this.messages.push({ from, message })
    this.changed()
  }

  onGossip(from: PeerId, payload: Uint8Array): Promise<'accept' | 'ignore' | 'reject'> {
    this.gossip.push({ from, payload })
    this.changed()
    return this.verdict(from, payload)
  }

  onRequest(from: PeerId, message: Uint8Array): Promise<Uint8Array | undefined> {
    return this.answer(from, message)
  }

  onPeer(peer: PeerId, state: 'up' | 'down'): void {
    this.peers.push({ peer, state })
    this.changed()
  }

  changed(): void {
    for (const check of [...this.#waiting]) check()
  }

  /** Resolves when the condition holds after some event. */
  until(condition: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const check = () => {
        if (!condition()) return
        this.#waiting.delete(check)
        resolve()
      }
      this.#waiting.add(check)
      check()
    })
  }
}

export interface TestNode {
  readonly key: Uint8Array
  readonly id: PeerId
  readonly transport: Libp2pTransport
  readonly seen: Recorder
  address(): PeerAddress
}

type NodeOptions = Partial<Omit<Libp2pTransportOptions, 'onSubscribed'>>

const running = new Set<Libp2pTransport>()

/** A started transport on a free loopback port. It admits no peer yet. */
export async function startNode(options: NodeOptions = {}): Promise<TestNode> {
  const key = options.key ?? (await createNodeKey())
  const seen = new Recorder()
  const transport = await createLibp2pTransport({
    listen: ['/ip4/127.0.0.1/tcp/0'],
    networkId: 'test',
    logger: silentLogger,
    ...options,
    key,
    onSubscribed: (peer) => {
      seen.subscribed.add(peer)
      seen.changed()
    },
  })
  transport.listen(seen)
  running.add(transport)
  await transport.start()
  return {
    key,
    id: transport.self,
    transport,
    seen,
    address: () => ({ peerId: transport.self, addresses: transport.addresses() }),
  }
}

/** Stops everything that a test left running. */
export async function stopAll(): Promise<void> {
  await Promise.all([...running].map((transport) => transport.stop()))
  running.clear()
}

/** Every node admits all others, then all are connected. */
export async function connectAll(nodes: readonly TestNode[]): Promise<void> {
  const list = nodes.map((node) => node.address())
  for (const node of nodes) node.transport.admit(list)
  await Promise.all(nodes.map((node) => node.seen.until(() => node.transport.peers().length === nodes.length - 1)))
}

/** `count` started nodes that are connected to each other. */
export async function startNodes(count: number, options: NodeOptions = {}): Promise<readonly TestNode[]> {
  const nodes = await Promise.all(Array.from({ length: count }, () => startNode(options)))
  await connectAll(nodes)
  return nodes
}

/** Waits until every node knows that all others are subscribed to the gossip topic. */
export const meshed = (nodes: readonly TestNode[]): Promise<unknown> =>
  Promise.all(nodes.map(({ seen, transport }) => seen.until(() => transport.subscribers().length === nodes.length - 1)))
