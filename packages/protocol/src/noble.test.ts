import { createHash, createPrivateKey, createPublicKey, sign as opensslSign, verify as opensslVerify } from 'node:crypto'
import { hashes } from '@noble/secp256k1'
import fc from 'fast-check'
import { recoverPublicKey, keccak256 as viemKeccak256 } from 'viem'
import { sign as viemSign } from 'viem/accounts'
import { describe, expect, it } from 'vitest'
import { bigIntToBytes, bytesToBigInt, bytesToHex, concatBytes, hexToBytes, utf8ToBytes } from './bytes.ts'
import type { Crypto } from './crypto.ts'
import { strictCurve } from './curve.ts'
import { nobleCrypto } from './noble.ts'

const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n
const word = (value: bigint) => bigIntToBytes(value, 32)
const hex = (text: string) => hexToBytes(`0x${text}`)

const bytes32 = fc.uint8Array({ minLength: 32, maxLength: 32 })
const secretKeys = fc.bigInt(1n, ORDER - 1n).map(word)

/** DER of an uncompressed secp256k1 key (RFC 5480), for OpenSSL. */
const spki = (key: Uint8Array) =>
  createPublicKey({
    key: Buffer.concat([Buffer.from('3056301006072a8648ce3d020106052b8104000a03420004', 'hex'), key]),
    format: 'der',
    type: 'spki',
  })

describe('hashes', () => {
  it('match the published digests', () => {
    // FIPS 180-4 examples; keccak256 of nothing is Ethereum's empty code hash.
    expect(nobleCrypto.sha256(utf8ToBytes('abc'))).toEqual(
      hex('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'),
    )
    expect(nobleCrypto.keccak256(new Uint8Array(0))).toEqual(
      hex('c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470'),
    )
  })

  it('agree with OpenSSL and viem', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(nobleCrypto.sha256(bytes)).toEqual(new Uint8Array(createHash('sha256').update(bytes).digest()))
        expect(nobleCrypto.keccak256(bytes)).toEqual(viemKeccak256(bytes, 'bytes'))
      }),
    )
  })

  it('hash pairs with the output over the input', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 9 }), fc.uint8Array({ minLength: 640, maxLength: 640 }), (count, bytes) => {
        const wanted = concatBytes(
          ...Array.from({ length: count }, (_, i) => nobleCrypto.sha256(bytes.slice(64 * i, 64 * i + 64))),
          bytes.slice(32 * count),
        )
        nobleCrypto.hashPairs(bytes, bytes, count)
        expect(bytes).toEqual(wanted)
      }),
    )
  })

  it('refuse to hash pairs outside of the input', () => {
    const refused = (inputBytes: number, outputBytes: number, count: number) => {
      const output = new Uint8Array(outputBytes)
      expect(() => nobleCrypto.hashPairs(new Uint8Array(inputBytes), output, count)).toThrow(RangeError)
      expect(output).toEqual(new Uint8Array(outputBytes))
    }
    refused(127, 64, 2)
    refused(128, 63, 2)
    refused(128, 64, -1)
    refused(128, 64, 0.5)
  })
})

describe('curve', () => {
  it('signs the example of EIP-155', () => {
    const digest = hex('daf5a779ae972f972197303d7b574746c7ef83eadac0f2791ad23db92e4c8e53')
    const { signature, yParity } = nobleCrypto.sign(digest, new Uint8Array(32).fill(0x46))
    expect(signature).toEqual(
      hex(
        '28ef61340bd939bc2195fe537567866003e1a15d3c71ff63e1590620aa63627667cbe9d8997f761aecb703304b3800ccf555c9f3dc64214b297fb1966a3b6d83',
      ),
    )
    expect(yParity).toBe(0)
  })

  it('signs with its own HMAC, whatever others gave the library, and leaves theirs there', () => {
    const [digest, secretKey] = [word(8n), word(9n)]
    const before = hashes.hmacSha256
    try {
      const wanted = nobleCrypto.sign(digest, secretKey)
      expect(hashes.hmacSha256).toBe(before)
      // A nonce that everyone knows.
      const theirs = () => new Uint8Array(32).fill(1)
      hashes.hmacSha256 = theirs
      expect(nobleCrypto.sign(digest, secretKey)).toEqual(wanted)
      expect(hashes.hmacSha256).toBe(theirs)
      hashes.hmacSha256 = undefined
      expect(nobleCrypto.sign(digest, secretKey)).toEqual(wanted)
    } finally {
      hashes.hmacSha256 = before
    }
  })

  it('signs what its own and other verifiers accept', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 64 }), secretKeys, async (message, secretKey) => {
        const digest = nobleCrypto.sha256(message)
        const publicKey = nobleCrypto.publicKey(secretKey)!
        const { signature, yParity } = nobleCrypto.sign(digest, secretKey)
        const uncompressed = nobleCrypto.decompress(publicKey)!
        expect(nobleCrypto.verify(digest, signature, publicKey)).toBe(true)
        expect(nobleCrypto.recover(digest, signature, yParity)).toEqual(uncompressed)
        expect(nobleCrypto.recover(digest, signature, (1 - yParity) as 0 | 1)).not.toEqual(uncompressed)
        expect(opensslVerify('sha256', message, { key: spki(uncompressed), dsaEncoding: 'ieee-p1363' }, signature)).toBe(true)
        const fromViem = await viemSign({ hash: bytesToHex(digest), privateKey: bytesToHex(secretKey) })
        expect(fromViem.r + fromViem.s.slice(2)).toBe(bytesToHex(signature))
        expect(fromViem.yParity).toBe(yParity)
        const recovered = await recoverPublicKey({
          hash: bytesToHex(digest),
          signature: bytesToHex(concatBytes(signature, Uint8Array.of(27 + yParity))),
        })
        expect(recovered).toBe(`0x04${bytesToHex(uncompressed).slice(2)}`)
      }),
      { numRuns: 25 },
    )
  })

  it("verifies OpenSSL's signatures, with a low s only", () => {
    const secretKey = new Uint8Array(32).fill(0x11)
    const publicKey = nobleCrypto.publicKey(secretKey)!
    // RFC 5915 without the optional fields but the curve.
    const sec1 = Buffer.concat([Buffer.from('302e0201010420', 'hex'), secretKey, Buffer.from('a00706052b8104000a', 'hex')])
    const key = createPrivateKey({ key: sec1, format: 'der', type: 'sec1' })
    for (let i = 0; i < 16; i++) {
      const message = Uint8Array.of(i)
      const signature = new Uint8Array(opensslSign('sha256', message, { key, dsaEncoding: 'ieee-p1363' }))
      const s = bytesToBigInt(signature.subarray(32))
      const accepted = nobleCrypto.verify(nobleCrypto.sha256(message), signature, publicKey)
      expect(accepted).toBe(2n * s < ORDER)
      const flipped = concatBytes(signature.subarray(0, 32), word(ORDER - s))
      expect(nobleCrypto.verify(nobleCrypto.sha256(message), flipped, publicKey)).toBe(!accepted)
    }
  })

  it('refuses a high s, zeros and values beyond the order', () => {
    const digest = nobleCrypto.sha256(utf8ToBytes('refused'))
    const secretKey = word(3n)
    const publicKey = nobleCrypto.publicKey(secretKey)!
    const { signature, yParity } = nobleCrypto.sign(digest, secretKey)
    const [r, s] = [signature.slice(0, 32), signature.slice(32)]
    const bad = [
      [r, word(ORDER - bytesToBigInt(s))],
      [r, word(0n)],
      [word(0n), s],
      [word(ORDER), s],
      [word(bytesToBigInt(r) % 2n ** 128n), word(ORDER)],
      [new Uint8Array(32).fill(0xff), s],
      [r, new Uint8Array(32).fill(0xff)],
      [word(5n), s],
    ] as const
    for (const [badR, badS] of bad) {
      const forged = concatBytes(badR, badS)
      expect(nobleCrypto.recover(digest, forged, yParity)).toBeUndefined()
      expect(nobleCrypto.recover(digest, forged, (1 - yParity) as 0 | 1)).toBeUndefined()
      expect(nobleCrypto.verify(digest, forged, publicKey)).toBe(false)
    }
  })

  it('finds no key where recovery ends at infinity', () => {
    const generatorX = hex('79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798')
    expect(nobleCrypto.recover(word(7n), concatBytes(generatorX, word(7n)), 0)).toBeUndefined()
    expect(nobleCrypto.recover(word(7n), concatBytes(generatorX, word(7n)), 1)).toBeDefined()
  })

  it('recognises valid secret keys and points', () => {
    for (const secretKey of [word(0n), word(ORDER), new Uint8Array(32).fill(0xff)]) {
      expect(nobleCrypto.publicKey(secretKey)).toBeUndefined()
      expect(() => nobleCrypto.sign(word(1n), secretKey)).toThrow(RangeError)
    }
    expect(nobleCrypto.publicKey(word(ORDER - 1n))).toBeDefined()
    const point = nobleCrypto.publicKey(word(1n))!
    for (const prefix of [0, 1, 4, 5, 6, 7]) {
      expect(nobleCrypto.decompress(concatBytes(Uint8Array.of(prefix), point.subarray(1)))).toBeUndefined()
    }
    expect(nobleCrypto.decompress(concatBytes(Uint8Array.of(2), word(5n)))).toBeUndefined()
  })

  it('throws on wrong sizes', () => {
    fc.assert(
      fc.property(fc.constantFrom(0, 31, 33, 63, 65), bytes32, (length, right) => {
        const wrong = new Uint8Array(length)
        expect(() => nobleCrypto.recover(wrong, new Uint8Array(64), 0)).toThrow(RangeError)
        expect(() => nobleCrypto.recover(right, wrong, 0)).toThrow(RangeError)
        expect(() => nobleCrypto.verify(right, wrong, new Uint8Array(33))).toThrow(RangeError)
        expect(() => nobleCrypto.sign(wrong, right)).toThrow(RangeError)
        expect(() => nobleCrypto.sign(right, wrong)).toThrow(RangeError)
        expect(() => nobleCrypto.publicKey(wrong)).toThrow(RangeError)
        if (length !== 33) {
          expect(() => nobleCrypto.verify(right, new Uint8Array(64), wrong)).toThrow(RangeError)
          expect(() => nobleCrypto.decompress(wrong)).toThrow(RangeError)
        }
      }),
      { numRuns: 10 },
    )
    expect(() => nobleCrypto.recover(word(1n), new Uint8Array(64), 2 as 0)).toThrow(RangeError)
  })

  it('passes only values in range to a library, and digests below the order', () => {
    const seen: Uint8Array[] = []
    const curve = strictCurve({
      recover: (_, signature) => {
        seen.push(signature)
        return undefined
      },
      verify: () => true,
      sign: (digest) => {
        seen.push(digest)
        return { signature: new Uint8Array(64), yParity: 0 }
      },
      publicKey: () => undefined,
      decompress: () => undefined,
    } satisfies Pick<Crypto, 'recover' | 'verify' | 'sign' | 'publicKey' | 'decompress'>)
    const half = ORDER >> 1n
    curve.recover(word(1n), concatBytes(word(1n), word(half + 1n)), 0)
    expect(seen).toEqual([])
    curve.recover(word(1n), concatBytes(word(ORDER - 1n), word(half)), 0)
    expect(seen.pop()).toEqual(concatBytes(word(ORDER - 1n), word(half)))
    curve.sign(word(ORDER + 5n), word(1n))
    expect(seen.pop()).toEqual(word(5n))
    curve.sign(word(ORDER - 1n), word(1n))
    expect(seen.pop()).toEqual(word(ORDER - 1n))
  })
})
