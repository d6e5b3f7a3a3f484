import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import * as any from '../test/arbitraries.ts'
import { checkRoundTrip, checkStrict } from '../test/codec-laws.ts'
import { bodyCodec, bodyCodecOf, certifiedBlockCodec, compactBlockCodec, rawBlockCodec, transactionsRoot } from './block.ts'
import { bytesToHex, concatBytes, equalBytes, Hash, hexToBytes, numberToBytes } from './bytes.ts'
import { type Codec, decode, encode } from './codec.ts'
import { headerCodec } from './header.ts'
import { LIMITS } from './limits.ts'
import { merkleRoot } from './merkle.ts'
import { nobleCrypto as crypto } from './noble.ts'

const { blockBytesMax, blockTransactionsMax, transactionBytesMax, transactionBytesMin } = LIMITS

/** A codec with a generator of its values, with the type erased. */
const typeWith = <T>(type: Codec<T>, values: fc.Arbitrary<T>) => ({
  type: type as Codec<unknown>,
  values: values as fc.Arbitrary<unknown>,
})

describe.each([
  ['header', typeWith(headerCodec, any.header)],
  ['body', typeWith(bodyCodec, any.body)],
  ['raw block', typeWith(rawBlockCodec, any.rawBlock)],
  ['compact block', typeWith(compactBlockCodec, any.compactBlock)],
  ['certified block', typeWith(certifiedBlockCodec, any.certifiedBlock)],
])('%s', (_name, { type, values }) => {
  it('round-trips', () => {
    fc.assert(
      fc.property(values, (value) => void checkRoundTrip(type, value)),
      { numRuns: 15 },
    )
  })

  it('has one encoding', () => {
    fc.assert(
      fc.property(values, (value) => checkStrict(type, encode(type, value))),
      { numRuns: 1 },
    )
  })
})

describe('a body', () => {
  /** The smallest number of transactions with this total size. */
  const full = (bytes: number): Uint8Array[] => {
    const count = Math.ceil(bytes / transactionBytesMax)
    const even = Math.floor(bytes / count)
    return Array.from({ length: count }, (_, i) => new Uint8Array(i === 0 ? bytes - even * (count - 1) : even))
  }
  const refusal = (bytes: Uint8Array) => {
    const decoded = decode(bodyCodec, bytes)
    return decoded.ok ? undefined : decoded.error.message
  }
  const written = (transactions: readonly Uint8Array[]) =>
    concatBytes(numberToBytes(transactions.length, 4), ...transactions.flatMap((raw) => [numberToBytes(raw.length, 4), raw]))

  it('is limited in bytes', () => {
    expect(equalBytes(encode(bodyCodec, full(blockBytesMax)), written(full(blockBytesMax)))).toBe(true)
    expect(refusal(written(full(blockBytesMax)))).toBeUndefined()
    const message = `block body has ${blockBytesMax + 1} bytes, at most ${blockBytesMax} are allowed`
    expect(() => encode(bodyCodec, full(blockBytesMax + 1))).toThrow(message)
    expect(refusal(written(full(blockBytesMax + 1)))).toContain(message)
  })

  const least = (count: number) => Array<Uint8Array>(count).fill(new Uint8Array(transactionBytesMin))

  it('is limited in transactions', () => {
    expect(refusal(encode(bodyCodec, least(blockTransactionsMax)))).toBeUndefined()
    expect(refusal(written(least(blockTransactionsMax + 1)))).toContain('20001 items, at most 20000 are allowed')
    expect(refusal(written([new Uint8Array(transactionBytesMax + 1)]))).toContain('length 262145, at most 262144 is allowed')
  })

  it('refuses a transaction below the minimum size', () => {
    expect(refusal(written([]))).toBeUndefined()
    const short = new Uint8Array(transactionBytesMin - 1)
    const message = `transaction has ${short.length} bytes, at least ${transactionBytesMin} are needed`
    expect(refusal(written([short, ...least(2)]))).toContain(message)
    expect(refusal(written([new Uint8Array(0)]))).toContain('transaction has 0 bytes')
    expect(() => encode(bodyCodec, [short])).toThrow(message)
  })

  it('can have a lower limit of transactions', () => {
    const type = bodyCodecOf(3)
    expect(decode(type, written(least(3)))).toEqual({ ok: true, value: least(3) })
    // The transactions are missing after the count: they are not read.
    expect(decode(type, numberToBytes(4, 4))).toMatchObject({
      error: { message: expect.stringContaining('4 items, at most 3 are allowed') },
    })
  })

  it('at both limits has exactly bytesMax, which is less than the sum for its parts', () => {
    const count = blockTransactionsMax
    const even = Math.floor(blockBytesMax / count)
    const transactions = Array.from(
      { length: count },
      (_, i) => new Uint8Array(i === 0 ? blockBytesMax - even * (count - 1) : even),
    )
    expect(encode(bodyCodec, transactions).length).toBe(bodyCodec.bytesMax)
  })
})

describe('limits', () => {
  it('of blocks follow from those of their parts', () => {
    expect(rawBlockCodec.bytesMax).toBe(headerCodec.bytesMax + bodyCodec.bytesMax)
    expect(compactBlockCodec.bytesMax).toBe(headerCodec.bytesMax + 4 + 32 * blockTransactionsMax)
    expect(certifiedBlockCodec.bytesMax).toBeGreaterThan(rawBlockCodec.bytesMax)
    const hashes = Array.from({ length: blockTransactionsMax + 1 }, () => Hash(new Uint8Array(32)))
    fc.assert(
      fc.property(any.header, (header) => {
        expect(() => encode(compactBlockCodec, { header, transactionHashes: hashes })).toThrow(
          '20001 items, at most 20000 are allowed',
        )
      }),
      { numRuns: 1 },
    )
  })
})

it('transactionsRoot is the Merkle root of the hashes in order', () => {
  fc.assert(
    fc.property(fc.array(any.hash, { maxLength: 20 }), (hashes) => {
      expect(bytesToHex(transactionsRoot(crypto, hashes))).toBe(
        bytesToHex(
          merkleRoot(
            crypto,
            hashes.map((hash) => hexToBytes(hash)),
          ),
        ),
      )
    }),
  )
})
