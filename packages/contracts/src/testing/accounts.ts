import { createECDH, createHmac, pbkdf2Sync } from 'node:crypto'
import { addressOfUncompressedKey, bigIntToBytes, bytesToBigInt, bytesToHex, type Crypto, type Hex } from '@quoin/protocol'
import { getAddress } from 'viem/utils'

/** An account that everybody has the key of. */
export interface DevelopmentAccount {
  /** With its checksum. */
  readonly address: Hex
  readonly privateKey: Hex
}

/** The mnemonic of anvil, Hardhat and `quoin dev`. */
const MNEMONIC = 'test test test test test test test test test test test junk'
/** Order of secp256k1's group. */
const ORDER = 0xffff_ffff_ffff_ffff_ffff_ffff_ffff_fffe_baae_dce6_af48_a03b_bfd2_5e8c_d036_4141n
const HARDENED = 2 ** 31

interface Node {
  readonly key: Buffer
  readonly chainCode: Buffer
}

const made: DevelopmentAccount[] = []
let parent: Node | undefined

/** The first accounts of the mnemonic at m/44'/60'/0'/0/i. */
export function developmentAccounts(crypto: Crypto, count: number): readonly DevelopmentAccount[] {
  parent ??= [HARDENED + 44, HARDENED + 60, HARDENED, 0].reduce(childOf, masterNode())
  while (made.length < count) {
    const { key } = childOf(parent, made.length)
    const address = addressOfUncompressedKey(crypto, publicKeyOf(key).subarray(1))
    made.push({ address: getAddress(address), privateKey: bytesToHex(key) })
  }
  return made.slice(0, count)
}

/** BIP-39's seed, and BIP-32's node of it. */
const masterNode = (): Node => nodeOf(hmac('Bitcoin seed', pbkdf2Sync(MNEMONIC, 'mnemonic', 2_048, 64, 'sha512')))

/** BIP-32, CKDpriv. That a derived key is no key has a probability of 2^-127, and the mnemonic is always the same. */
function childOf({ key, chainCode }: Node, index: number): Node {
  const number = Buffer.alloc(4)
  number.writeUInt32BE(index)
  const material = index >= HARDENED ? Buffer.concat([Buffer.alloc(1), key]) : compressed(publicKeyOf(key))
  const derived = nodeOf(hmac(chainCode, Buffer.concat([material, number])))
  const sum = (bytesToBigInt(derived.key) + bytesToBigInt(key)) % ORDER
  return { key: Buffer.from(bigIntToBytes(sum, 32)), chainCode: derived.chainCode }
}

const hmac = (key: string | Buffer, data: Buffer): Buffer => createHmac('sha512', key).update(data).digest()
const nodeOf = (bytes: Buffer): Node => ({ key: bytes.subarray(0, 32), chainCode: bytes.subarray(32) })
const compressed = (publicKey: Buffer): Buffer => Buffer.concat([Buffer.of(2 + (publicKey[64]! & 1)), publicKey.subarray(1, 33)])

/** 65 bytes: 04 ‖ x ‖ y. */
function publicKeyOf(secretKey: Buffer): Buffer {
  const curve = createECDH('secp256k1')
  curve.setPrivateKey(secretKey)
  return curve.getPublicKey()
}
