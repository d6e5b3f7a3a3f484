import {
  bigIntToBytes,
  bytesToBigInt,
  compareBytes,
  concatBytes,
  hexToBytes,
  merkleProof,
  merkleRoot,
  nobleCrypto,
  utf8ToBytes,
} from '@quoin/protocol'
import fc from 'fast-check'
import { hashMessage, recoverAddress, toHex } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { describe, expect, it } from 'vitest'
import { HOST_LIBRARY, type LibraryFunction, type LibraryKind } from './host-library.ts'

type Name = keyof typeof HOST_LIBRARY

/** Runs a library function by name as a contract would: kinds checked, price charged first. */
function call(name: Name, ...values: readonly unknown[]) {
  const entry = HOST_LIBRARY[name] as LibraryFunction
  expect(Number.isSafeInteger(entry.gas(...(values as never[])))).toBe(true)
  return entry.run(nobleCrypto, ...(values as never[]))
}
const value = (name: Name, ...values: readonly unknown[]) => {
  const result = call(name, ...values)
  return result.ok ? result.value : result.error.message
}

const bytes = (length: number, fill = 7) => new Uint8Array(length).fill(fill)
const bytes32 = fc.uint8Array({ minLength: 32, maxLength: 32 })
/** SEC 2, 2.4.1. */
const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n
const secretKey = fc.bigInt(1n, ORDER - 1n).map((key) => bigIntToBytes(key, 32))

describe('ecrecover', () => {
  it("answers go-ethereum's vectors of the precompile", () => {
    const digest = hexToBytes('0x18c547e4f7b0f325ad1e56f57e26c745b09a3e503d86e00e5255ff7f715d3d1c')
    const r = hexToBytes('0x73b1693892219d736caba55bdb67216e485557ea6b6af75f37096c9aa6a5a75f')
    // Above half the order.
    const s = hexToBytes('0xeeb940b1d03b21e36b0e47e79769f095fe2ab855bd91e3a38756b7d75a9c4549')
    expect(value('ecrecover', digest, 28n, r, s)).toBe('0xa94f5374Fce5edBC8E2a8697C15331677e6EbF0B')
    expect(value('ecrecover', digest, 1n, r, s)).toBeUndefined()
    expect(value('recoverSigner', digest, concatBytes(r, s, Uint8Array.of(28)))).toBe('the signature is invalid')
  })

  it('has the same signer for both forms of a signature', async () => {
    await fc.assert(
      fc.asyncProperty(secretKey, bytes32, async (key, digest) => {
        const { signature, yParity } = nobleCrypto.sign(digest, key)
        const [r, s] = [signature.slice(0, 32), signature.slice(32)]
        const signer = privateKeyToAccount(toHex(key)).address
        expect(
          await recoverAddress({ hash: toHex(digest), signature: toHex(concatBytes(signature, Uint8Array.of(27 + yParity))) }),
        ).toBe(signer)
        expect(value('ecrecover', digest, BigInt(27 + yParity), r, s)).toBe(signer)
        expect(value('ecrecover', digest, BigInt(28 - yParity), r, bigIntToBytes(ORDER - bytesToBigInt(s), 32))).toBe(signer)
        expect(value('ecrecover', digest, BigInt(28 - yParity), r, s)).not.toBe(signer)
        expect(value('recoverSigner', digest, concatBytes(signature, Uint8Array.of(27 + yParity)))).toBe(signer)
        expect(
          value(
            'recoverSigner',
            digest,
            concatBytes(r, bigIntToBytes(ORDER - bytesToBigInt(s), 32), Uint8Array.of(28 - yParity)),
          ),
        ).toBe('the signature is invalid')
      }),
      { numRuns: 20 },
    )
  })

  it('returns no address for values outside the curve, and refuses other sizes', () => {
    const one = bigIntToBytes(1n, 32)
    for (const [r, s] of [
      [bytes(32, 0), one],
      [one, bytes(32, 0)],
      [bigIntToBytes(ORDER, 32), one],
      [one, bigIntToBytes(ORDER, 32)],
      [bytes(32, 0xff), bytes(32, 0xff)],
      // No point on the curve has this x.
      [bigIntToBytes(5n, 32), one],
    ])
      expect(value('ecrecover', bytes(32), 27n, r, s)).toBeUndefined()
    expect(value('ecrecover', bytes(31), 27n, one, one)).toBe('digest, r and s must be 32 bytes each')
    expect(value('recoverSigner', bytes(33), bytes(65))).toBe('the digest must be 32 bytes')
    expect(value('recoverSigner', bytes(32), bytes(64))).toBe('the signature must be 65 bytes')
    expect(value('recoverSigner', bytes(32), bytes(65, 1))).toBe('v must be 27 or 28')
  })

  it("recovers a wallet's message", async () => {
    const account = privateKeyToAccount(toHex(bytes(32, 9)))
    const signature = hexToBytes(await account.signMessage({ message: 'hello' }))
    expect(value('recoverSigner', hexToBytes(hashMessage('hello')), signature)).toBe(account.address)
  })
})

describe('Merkle proofs', () => {
  const keccak = (...parts: Uint8Array[]) => nobleCrypto.keccak256(concatBytes(...parts))
  const pair = (a: Uint8Array, b: Uint8Array) => (compareBytes(a, b) < 0 ? keccak(a, b) : keccak(b, a))

  /** Root and proof of a leaf in a tree like OpenZeppelin's, where an odd node moves up. */
  function sorted(leaves: readonly Uint8Array[], index: number): [Uint8Array, Uint8Array] {
    let level = leaves
    let at = index
    const proof: Uint8Array[] = []
    while (level.length > 1) {
      const sibling = level[at ^ 1]
      if (sibling !== undefined) proof.push(sibling)
      level = Array.from({ length: Math.ceil(level.length / 2) }, (_, i) =>
        level[2 * i + 1] === undefined ? level[2 * i]! : pair(level[2 * i]!, level[2 * i + 1]!),
      )
      at >>= 1
    }
    return [level[0]!, concatBytes(...proof)]
  }

  it('verify for each leaf, and for nothing else', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(bytes32, { minLength: 1, maxLength: 9, selector: toHex }),
        fc.nat(),
        fc.nat(),
        (leaves, pick, change) => {
          const index = pick % leaves.length
          const leaf = leaves[index]!
          const [root, proof] = sorted(leaves, index)
          const flip = (content: Uint8Array) => content.with(change % content.length, content[change % content.length]! ^ 1)
          expect(value('verifySortedProof', root, leaf, proof)).toBe(true)
          expect(value('verifySortedProof', flip(root), leaf, proof)).toBe(false)
          expect(value('verifySortedProof', root, flip(leaf), proof)).toBe(false)
          if (proof.length > 0) expect(value('verifySortedProof', root, leaf, flip(proof))).toBe(false)
          const own = merkleRoot(nobleCrypto, leaves)
          const siblings = concatBytes(...merkleProof(nobleCrypto, leaves, index).siblings)
          const count = BigInt(leaves.length)
          expect(value('verifyOrderedProof', own, leaf, BigInt(index), count, siblings)).toBe(true)
          expect(value('verifyOrderedProof', own, flip(leaf), BigInt(index), count, siblings)).toBe(false)
          expect(value('verifyOrderedProof', own, leaf, BigInt(index) + 1n, count, siblings)).toBe(false)
          expect(value('verifyOrderedProof', own, leaf, BigInt(index), count + 1n, siblings)).toBe(false)
        },
      ),
    )
  })

  it('are refused in other sizes', () => {
    expect(value('verifySortedProof', bytes(32), bytes(32), bytes(33))).toBe('the proof must be at most 64 nodes of 32 bytes')
    expect(value('verifySortedProof', bytes(32), bytes(32), bytes(32 * 65))).toBe(
      'the proof must be at most 64 nodes of 32 bytes',
    )
    expect(value('verifySortedProof', bytes(32), bytes(64), bytes(0))).toBe('the leaf must be 32 bytes')
    expect(value('verifySortedProof', bytes(31), bytes(32), bytes(0))).toBe(false)
    expect(value('verifyOrderedProof', bytes(32), bytes(0), 0n, 1n, bytes(1))).toBe(
      'the proof must be at most 64 nodes of 32 bytes',
    )
    for (const odd of [-1n, 1n << 53n, 1n << 256n]) {
      expect(value('verifyOrderedProof', bytes(32), bytes(0), odd, 1n, bytes(0))).toBe(false)
      expect(value('verifyOrderedProof', bytes(32), bytes(0), 0n, odd, bytes(0))).toBe(false)
    }
  })
})

describe('the library', () => {
  it('hashes', () => {
    expect(value('keccak256', bytes(0))).toEqual(hexToBytes('0xc5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470'))
    expect(value('sha256', bytes(0))).toEqual(hexToBytes('0xe3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'))
  })

  it('encodes and decodes by the text of types', () => {
    const types = 'address,(uint8,string)[],bytes4'
    const values = ['0xd8dA6BF26964aF9D7eEd9e03E53415D37aA96045', [[7n, 'ä']], Uint8Array.of(1, 2, 3, 4)]
    const encoded = value('abiEncode', types, values) as Uint8Array
    expect(value('abiDecode', types, encoded)).toEqual(values)
    expect(value('abiEncodePacked', 'uint8,string', [7n, 'ä'])).toEqual(Uint8Array.of(7, 0xc3, 0xa4))
    expect(value('abiDecode', types, concatBytes(encoded, bytes(1)))).toBe('1 bytes follow the arguments')
    expect(value('abiEncode', types, values.slice(1))).toBe('2 values, expected 3')
    expect(value('abiEncode', 'uint8', 7n)).toBe('0 values, expected 1')
    for (const name of ['abiEncode', 'abiEncodePacked', 'abiDecode'] as const)
      expect(value(name, 'uint7', bytes(0))).toBe('types: uint7 is not the canonical name of a type')
  })

  it('treats bytes and text', () => {
    expect(value('formatAddress', hexToBytes('0xd8da6bf26964af9d7eed9e03e53415d37aa96045'))).toBe(
      '0xd8dA6BF26964aF9D7eEd9e03E53415D37aA96045',
    )
    expect(value('formatAddress', bytes(21))).toBe('an address must be 20 bytes')
    expect(value('parseAddress', '0xd8dA6BF26964aF9D7eEd9e03E53415D37aA96045')).toEqual(
      hexToBytes('0xd8da6bf26964af9d7eed9e03e53415d37aa96045'),
    )
    expect(value('parseAddress', '0xD8da6BF26964aF9D7eEd9e03E53415D37aA96045')).toBe('the checksum is wrong')
    expect(value('parseAddress', 'vitalik.eth')).toBe('not an address')
    expect([
      value('compareBytes', bytes(1), bytes(2)),
      value('compareBytes', bytes(2), bytes(2)),
      value('compareBytes', bytes(1, 9), bytes(2)),
    ]).toEqual([-1n, 0n, 1n])
    expect(value('concatBytes', [bytes(1), bytes(0), bytes(1, 2)])).toEqual(Uint8Array.of(7, 2))
    for (const wrong of [[bytes(1), 'a'], [1n], [[bytes(1)]]])
      expect(value('concatBytes', wrong)).toBe('not an array of Uint8Array')
    expect(value('concatBytes', Array(4097).fill(bytes(0)))).toBe('more than 4096 parts')
    expect(value('encodeUtf8', 'ä')).toEqual(utf8ToBytes('ä'))
    expect(value('decodeUtf8', utf8ToBytes('ä😀'))).toBe('ä😀')
    expect(value('decodeUtf8', Uint8Array.of(0xff))).toBe('not UTF-8')
    expect(value('encodeHex', Uint8Array.of(0, 171))).toBe('0x00ab')
    expect(value('decodeHex', '0x00Ab')).toEqual(Uint8Array.of(0, 171))
    expect(value('decodeHex', '0x0')).toBe('not hex: expected 0x and an even number of digits')
  })
})

describe('every function', () => {
  const anyValue = fc.anything({ withBigInt: true, withTypedArray: true, withNullPrototype: true })
  const kinds: Record<LibraryKind, fc.Arbitrary<unknown>> = {
    bytes: fc.oneof(fc.uint8Array({ maxLength: 70 }), bytes32),
    string: fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('uint8', 'string,bytes[]', 'S(bool a)', '0x00')),
    bigint: fc.oneof(fc.bigInt(), fc.constantFrom(27n, 28n)),
    value: fc.oneof(anyValue, fc.array(anyValue)),
  }

  it.each(Object.keys(HOST_LIBRARY) as Name[])(
    '%s has a price and an answer for whatever it is given, and changes nothing',
    (name) => {
      const { parameters } = HOST_LIBRARY[name]
      fc.assert(
        fc.property(fc.tuple(...parameters.map((kind) => kinds[kind])), (values) => {
          const before = values.map((item) => (item instanceof Uint8Array ? item.slice() : undefined))
          const result = call(name, ...values)
          if (!result.ok) expect(result.error.message).not.toBe('')
          for (const [i, copy] of before.entries()) if (copy !== undefined) expect(values[i]).toEqual(copy)
        }),
        { numRuns: 100 },
      )
    },
  )

  it('costs more for more', () => {
    const more = (name: Name, few: readonly unknown[], many: readonly unknown[]) => {
      const { gas } = HOST_LIBRARY[name] as LibraryFunction
      expect(gas(...(few as never[])), name).toBeLessThan(gas(...(many as never[])))
    }
    more('keccak256', [bytes(135)], [bytes(136)])
    more('sha256', [bytes(63)], [bytes(64)])
    more('abiEncode', ['bool[]', [[true]]], ['bool[]', [[true, true]]])
    more('abiEncode', ['bool', [true]], ['bool,', [true]])
    more('abiEncode', ['string', ['a']], ['string', ['ab']])
    more('abiEncode', ['bytes', [bytes(1)]], ['bytes', [bytes(2)]])
    more('abiDecode', ['bytes', bytes(32)], ['bytes', bytes(64)])
    more('abiDecode', ['bytes32', bytes(320)], ['address', bytes(320)])
    more('typedDataDigest', ['S(bool a)', {}, {}], ['S(bool a)', {}, { a: true }])
    more('typedDataDigest', ['S(bool a)', {}, {}], ['S(bool a)', { a: true }, {}])
    more('verifySortedProof', [bytes(32), bytes(32), bytes(32)], [bytes(32), bytes(32), bytes(64)])
    more('verifyOrderedProof', [bytes(32), bytes(32), 0n, 0n, bytes(32)], [bytes(32), bytes(99), 0n, 0n, bytes(32)])
    more('concatBytes', [[bytes(1)]], [[bytes(1), bytes(0)]])
    more('concatBytes', [[...Array(4000).fill(bytes(4096)), bytes(1)]], [[...Array(4000).fill(bytes(4096)), bytes(2)]])
    more('encodeHex', [bytes(1)], [bytes(2)])
    more('decodeUtf8', [bytes(1)], [bytes(2)])
  })

  it('is priced in time that does not grow without bound, whatever it is given', () => {
    let shared: unknown = []
    for (let i = 0; i < 30; i++) shared = [shared, shared, shared]
    const cyclic: unknown[] = []
    cyclic.push(cyclic)
    for (const value of [shared, cyclic, new Array(2 ** 32 - 1)]) {
      expect(Number.isSafeInteger(HOST_LIBRARY.abiEncode.gas('bool', value))).toBe(true)
      expect(HOST_LIBRARY.abiEncode.run(nobleCrypto, `bool${'[]'.repeat(16)}`, [value]).ok).toBe(false)
    }
  })
})
