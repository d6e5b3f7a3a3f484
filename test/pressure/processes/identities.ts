import { type Crypto, type Genesis, genesisDigest, idOfName, type RegisteredNode, unwrap, utf8ToBytes } from '@quoin/protocol'
import { createNodeKey, loadNodeKey } from '../../../packages/node/src/network/node-key.ts'

/** Attackers that genesis lists as nodes. A banned one is useless in the next round, so each round has its own. */
export const identityName = (attack: string, round: number): string => `pressure ${attack} ${round}`

/** The network key of a name: always the same. */
export const identityKey = (crypto: Pick<Crypto, 'sha256'>, name: string): Promise<Uint8Array> =>
  createNodeKey('Ed25519', crypto.sha256(utf8ToBytes(name)))

/** Its entry in genesis as an observer of the first validator's organisation, without an address: it dials, and validators do not dial it while it is absent. */
export async function identityEntry(crypto: Pick<Crypto, 'sha256'>, name: string): Promise<RegisteredNode> {
  const { peerId } = unwrap(loadNodeKey(await identityKey(crypto, name)))
  return { peerId, kind: 'observer', organisation: idOfName('validator-0')!, addresses: [] }
}

/** The network's name in handshakes and protocols, derived from its genesis. */
export const networkIdOf = (crypto: Crypto, genesis: Genesis): string => genesisDigest(crypto, genesis).slice(2, 18)
