import './compat.ts'
import { generateKeyPair, generateKeyPairFromSeed, privateKeyFromProtobuf, privateKeyToProtobuf } from '@libp2p/crypto/keys'
import type { Ed25519PrivateKey, Secp256k1PrivateKey } from '@libp2p/interface'
import { peerIdFromPrivateKey, peerIdFromString } from '@libp2p/peer-id'
import { err, ok, type Result } from '@quoin/protocol'
import type { PeerId } from '../powers.ts'

/** The network key of a node; it determines the peer id. This is not the validator's voting key. */
export interface NodeKey {
  readonly type: 'Ed25519' | 'secp256k1'
  readonly peerId: PeerId
  readonly privateKey: Ed25519PrivateKey | Secp256k1PrivateKey
}

/** Why bytes were refused as a node key. */
export interface NodeKeyError {
  readonly code: 'malformed' | 'unsupported'
  readonly message: string
}

/**
 * Creates a key in libp2p's protobuf form (type and secret), which is how it is stored and how `loadNodeKey` reads it. For development, an
 * Ed25519 key can be derived from a 32-byte seed.
 */
export async function createNodeKey(type: NodeKey['type'] = 'Ed25519', seed?: Uint8Array): Promise<Uint8Array> {
  if (type === 'secp256k1') return privateKeyToProtobuf(await generateKeyPair('secp256k1'))
  return privateKeyToProtobuf(
    seed === undefined ? await generateKeyPair('Ed25519') : await generateKeyPairFromSeed('Ed25519', seed),
  )
}

/** Parses a stored node key, as made by `createNodeKey`. */
export function loadNodeKey(bytes: Uint8Array): Result<NodeKey, NodeKeyError> {
  const parsed = parseKey(bytes)
  if (!parsed.ok) return parsed
  const privateKey = parsed.value
  if (privateKey.type === 'Ed25519')
    return ok({ type: 'Ed25519', peerId: peerIdFromPrivateKey(privateKey).toString(), privateKey })
  if (privateKey.type === 'secp256k1')
    return ok({ type: 'secp256k1', peerId: peerIdFromPrivateKey(privateKey).toString(), privateKey })
  return err({ code: 'unsupported', message: `unsupported key type ${privateKey.type}: a node key must be Ed25519 or secp256k1` })
}

function parseKey(bytes: Uint8Array): Result<ReturnType<typeof privateKeyFromProtobuf>, NodeKeyError> {
  try {
    return ok(privateKeyFromProtobuf(bytes))
  } catch (failure) {
    // libp2p can only throw, and here it throws only if the bytes are not a key.
    return err({ code: 'malformed', message: `not a libp2p private key: ${String(failure)}` })
  }
}

/** Canonical form of a peer id; undefined if the text is not one. */
export function parsePeerId(text: string): PeerId | undefined {
  try {
    return peerIdFromString(text).toString()
  } catch {
    // peerIdFromString throws errors of several libraries for a text that is not a peer id.
    return undefined
  }
}
