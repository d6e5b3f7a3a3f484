import { type Genesis, genesisDigest, idOfName, nobleCrypto, type RegisteredNode, unwrap, utf8ToBytes } from '@quoin/protocol'
import type { NetworkLogger } from '../../packages/node/src/network/index.ts'
import { createLibp2pTransport, type Libp2pTransport } from '../../packages/node/src/network/index.ts'
import { createNodeKey, loadNodeKey } from '../../packages/node/src/network/node-key.ts'
import type { TransportHandlers } from '../../packages/node/src/powers.ts'
import { freePorts } from './ports.ts'

/** Messages that a listed node receives. */
export type Hears = Pick<TransportHandlers, 'onMessage'> & Partial<Pick<TransportHandlers, 'onGossip'>>

/** A listed node is an observer of the first validator's organisation. */
const FIRST_ORGANISATION = idOfName('validator-0')!

/** A listed node on the real network, controlled by a test: it receives messages, and answers nothing. */
export class ListedNode {
  readonly node: RegisteredNode
  readonly #key: Uint8Array

  private constructor(node: RegisteredNode, key: Uint8Array) {
    this.node = node
    this.#key = key
  }

  /** A name always gives the same node, except for its port. */
  static async create(name: string): Promise<ListedNode> {
    const key = await createNodeKey('Ed25519', nobleCrypto.sha256(utf8ToBytes(name)))
    const address = `/ip4/127.0.0.1/tcp/${await freePorts(1)}`
    const { peerId } = unwrap(loadNodeKey(key))
    return new ListedNode({ peerId, kind: 'observer', organisation: FIRST_ORGANISATION, addresses: [address] }, key)
  }

  /** Joins the network of a genesis that lists `node`. The caller stops the returned transport. */
  async join(genesis: Genesis, logger: NetworkLogger, hears: Hears): Promise<Libp2pTransport> {
    const networkId = genesisDigest(nobleCrypto, genesis).slice(2, 18)
    const transport = await createLibp2pTransport({ key: this.#key, listen: this.node.addresses, networkId, logger })
    transport.listen({
      onGossip: () => Promise.resolve('accept'),
      onRequest: () => Promise.resolve(undefined),
      onPeer: () => {},
      ...hears,
    })
    transport.admit(genesis.nodes)
    await transport.start()
    return transport
  }
}
