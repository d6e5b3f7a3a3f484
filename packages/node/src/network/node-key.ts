import './compat.ts'
import { generateKeyPair, generateKeyPairFromSeed, privateKeyFromProtobuf, privateKeyToProtobuf } from '@libp2p/crypto/keys'
import type { Ed25519PrivateKey, Secp256k1PrivateKey } from '@libp2p/interface'
import { peerIdFromPrivateKey, peerIdFromString } from '@libp2p/peer-id'
import { err, ok, type Result } from '@quoin/protocol'
import type { PeerId } from '../powers.ts'

/** The key of a node in the network: who it is to its peers. Not the key that votes. */
export interface NodeKey {
  readonly type: 'Ed25519' | 'secp256k1'
  readonly peerId: PeerId
  readonly privateKey: Ed25519PrivateKey | Secp256k1PrivateKey
}

export interface NodeKeyError {
  readonly code: 'malformed' | 'unsupported'
  readonly message: string
}

/**
 * A new key in libp2p's protobuf form (type and secret), as it is stored and as `loadNodeKey` takes it. An Ed25519 key can be made from a
 * seed of 32 bytes, for development.
 */
export async function createNodeKey(type: NodeKey['type'] = 'Ed25519', seed?: Uint8Array): Promise<Uint8Array> {
  if (type === 'secp256k1') return privateKeyToProtobuf(await generateKeyPair('secp256k1'))
  return privateKeyToProtobuf(
    seed === undefined ? await generateKeyPair('Ed25519') : await generateKeyPairFromSeed('Ed25519', seed),
  )
}

export function loadNodeKey(bytes: Uint8Array): Result<NodeKey, NodeKeyError> {
  const parsed = parseKey(bytes)
  if (!parsed.ok) return parsed
  const privateKey = parsed.value
  if (privateKey.type === 'Ed25519')
    return ok({ type: 'Ed25519', peerId: peerIdFromPrivateKey(privateKey).toString(), privateKey })
  if (privateKey.type === 'secp256k1')
    return ok({ type: 'secp256k1', peerId: peerIdFromPrivateKey(privateKey).toString(), privateKey })
  return err({ code: 'unsupported', message: `a node key is Ed25519 or secp256k1, not ${privateKey.type}` })
}

function parseKey(bytes: Uint8Array): Result<ReturnType<typeof privateKeyFromProtobuf>, NodeKeyError> {
  try {
    return ok(privateKeyFromProtobuf(bytes))
  } catch (failure) {
    // libp2p has no decoder that returns: every error of it here means that the bytes are no key.
    return err({ code: 'malformed', message: `not a libp2p private key: ${String(failure)}` })
  }
}

/** The canonical text of a peer id, or undefined when the text is none. */
export function parsePeerId(text: string): PeerId | undefined {
  try {
    return peerIdFromString(text).toString()
  } catch {
    // peerIdFromString throws errors of several libraries for what is simply not a peer id.
    return undefined
  }
}
