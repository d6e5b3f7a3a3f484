import fc from 'fast-check'
import { bytesToHex as viemBytesToHex } from 'viem'
import { mnemonicToAccount, privateKeyToAddress } from 'viem/accounts'
import { describe, expect, it } from 'vitest'
import { bigIntToBytes, bytesToHex, concatBytes } from './bytes.ts'
import { decode, encode } from './codec.ts'
import {
  addressOfPublicKey,
  addressOfUncompressedKey,
  compressedKey,
  PUBLIC_KEY_BYTES,
  publicKeyCodec,
  publicKeyOf,
} from './keys.ts'
import { nobleCrypto } from './noble.ts'

const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n
const secretKeys = fc.bigInt(1n, ORDER - 1n).map((value) => bigIntToBytes(value, 32))

describe('addresses', () => {
  it("are the development accounts' of anvil and Hardhat", () => {
    const account = mnemonicToAccount('test test test test test test test test test test test junk')
    const publicKey = publicKeyOf(nobleCrypto.publicKey(account.getHdKey().privateKey!)!)
    expect(addressOfPublicKey(nobleCrypto, publicKey)).toBe('0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266')
  })

  it("are viem's for every key", () => {
    fc.assert(
      fc.property(secretKeys, (secretKey) => {
        const compressed = nobleCrypto.publicKey(secretKey)!
        const wanted = privateKeyToAddress(viemBytesToHex(secretKey)).toLowerCase()
        expect(addressOfPublicKey(nobleCrypto, publicKeyOf(compressed))).toBe(wanted)
        expect(addressOfUncompressedKey(nobleCrypto, nobleCrypto.decompress(compressed)!)).toBe(wanted)
      }),
      { numRuns: 30 },
    )
  })

  it('do not exist for bytes that are not a point', () => {
    const offCurve = concatBytes(Uint8Array.of(2), bigIntToBytes(5n, 32))
    expect(addressOfPublicKey(nobleCrypto, publicKeyOf(offCurve))).toBeUndefined()
  })
})

describe('public keys', () => {
  const compressed = nobleCrypto.publicKey(bigIntToBytes(1n, 32))!
  const key = publicKeyOf(compressed)

  it('have their type in the first byte', () => {
    expect(key.length).toBe(PUBLIC_KEY_BYTES)
    expect(bytesToHex(key)).toBe('0x010279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798')
    expect(compressedKey(key)).toEqual(compressed)
    expect(() => publicKeyOf(compressed.subarray(1))).toThrow(TypeError)
  })

  it('encode as they are, and decode only with a known type and size', () => {
    expect(encode(publicKeyCodec, key)).toEqual(new Uint8Array(key))
    expect(decode(publicKeyCodec, new Uint8Array(key))).toEqual({ ok: true, value: key })
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 255 }), (type) => {
        const bytes = concatBytes(Uint8Array.of(type), compressed)
        expect(decode(publicKeyCodec, bytes).ok).toBe(type === 1)
      }),
    )
    expect(decode(publicKeyCodec, key.slice(0, 33)).ok).toBe(false)
    expect(decode(publicKeyCodec, concatBytes(key, Uint8Array.of(0))).ok).toBe(false)
  })
})
