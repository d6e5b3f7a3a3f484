import { createRequire } from 'node:module'
import { type Curve, hashPairsBy, nobleCrypto } from '@quoin/protocol'
import { describe, expect, it } from 'vitest'
import { CANDIDATES, type Candidates, type LoadedCrypto, loadCrypto } from './load.ts'
import { answersHash, curveQuestions, hashQuestions, NOBLE_ANSWERS } from './self-test.ts'

const NONE: Candidates = { curve: [], keccak256: [], sha256: [], hashPairs: [] }

const choice = (crypto: LoadedCrypto, job: string) => crypto.chosen.find((chosen) => chosen.job === job)?.backend

async function refusalOf(curve: Partial<Curve>): Promise<string | undefined> {
  const { refused, chosen } = await loadCrypto({
    ...NONE,
    curve: [{ backend: 'faulty', load: () => ({ ...nobleCrypto, ...curve }) }],
  })
  expect(chosen[0]).toEqual({ job: 'curve', backend: refused.length === 0 ? 'faulty' : 'noble' })
  return refused[0]?.reason
}

describe('loadCrypto', () => {
  it('chooses the fast libraries if they exist', async () => {
    const crypto = await loadCrypto()
    const native = ['linux-x64', 'darwin-arm64', 'win32-x64'].includes(`${process.platform}-${process.arch}`)
    expect(choice(crypto, 'curve')).toBe(native ? 'secp256k1-native' : 'ox-wasm')
    expect(choice(crypto, 'keccak256')).toBe('ox-wasm')
    expect(choice(crypto, 'sha256')).toBe('node-crypto')
    expect(choice(crypto, 'hashPairs')).toBe(
      `${process.platform}-${process.arch}` === 'darwin-x64' ? 'node-crypto-loop' : 'hashtree',
    )
    if (native) expect(crypto.name).toBe('secp256k1-native+ox-wasm+node-crypto+hashtree')
  })

  it('never loads the elliptic fallback of secp256k1', async () => {
    await loadCrypto()
    const loaded = Object.keys(createRequire(import.meta.url).cache)
    expect(loaded.filter((file) => /[\\/](secp256k1[\\/](index|elliptic)\.js|elliptic[\\/])/.test(file))).toEqual([])
  })

  it('skips libraries that do not load, with the first line of the reason', async () => {
    const crypto = await loadCrypto({
      ...CANDIDATES,
      curve: [
        {
          backend: 'absent',
          load: () => {
            throw new Error('No native build was found\n    loaded from: here')
          },
        },
        { backend: 'rejecting', load: () => Promise.reject(new Error('no WebAssembly')) },
        ...CANDIDATES.curve.filter(({ backend }) => backend === 'ox-wasm'),
      ],
    })
    expect(crypto.refused).toEqual([
      { job: 'curve', backend: 'absent', reason: 'No native build was found' },
      { job: 'curve', backend: 'rejecting', reason: 'no WebAssembly' },
    ])
    expect(crypto.name).toBe('ox-wasm+node-crypto+hashtree')
  })

  it('falls back to noble, and hashes pairs by the SHA-256 it chose', async () => {
    const portable = await loadCrypto(NONE)
    expect(portable.name).toBe('noble+noble-loop')
    expect(portable.refused).toEqual([])
    expect(portable.sha256(Uint8Array.of(1))).toEqual(nobleCrypto.sha256(Uint8Array.of(1)))
    const without = await loadCrypto({ ...CANDIDATES, hashPairs: [] })
    expect(choice(without, 'hashPairs')).toBe('node-crypto-loop')
    const [input, output] = [new Uint8Array(128).fill(3), new Uint8Array(64)]
    without.hashPairs(input, output, 2)
    expect(output.slice(32)).toEqual(nobleCrypto.sha256(input.subarray(64)))
  })
})

it('the self-test contains the hash of all answers of noble', () => {
  const hashAnswers = (name: 'keccak256' | 'sha256') => answersHash(hashQuestions(name).map(({ ask }) => ask(nobleCrypto[name])))
  expect({
    curve: answersHash(curveQuestions().map(({ ask }) => ask(nobleCrypto))),
    keccak256: hashAnswers('keccak256'),
    sha256: hashAnswers('sha256'),
  }).toEqual(NOBLE_ANSWERS)
})

describe('the self-test refuses a curve that', () => {
  const { recover, verify, sign, publicKey, decompress } = nobleCrypto
  const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n
  const toBigInt = (bytes: Uint8Array) => BigInt(`0x${Buffer.from(bytes).toString('hex')}`)
  const lowered = (signature: Uint8Array): readonly [Uint8Array, boolean] => {
    const s = toBigInt(signature.subarray(32))
    if (2n * s < order || s >= order) return [signature, false]
    const low = signature.slice()
    low.set(Buffer.from((order - s).toString(16).padStart(64, '0'), 'hex'), 32)
    return [low, true]
  }

  it('recovers from a high s', async () => {
    const reason = await refusalOf({
      recover(digest, signature, yParity) {
        const [low, flipped] = lowered(signature)
        return recover(digest, low, (flipped ? 1 - yParity : yParity) as 0 | 1)
      },
    })
    expect(reason).toContain('recover, high s')
  })

  it('verifies a high s', async () => {
    expect(await refusalOf({ verify: (digest, signature, key) => verify(digest, lowered(signature)[0], key) })).toContain(
      'verify, high s',
    )
  })

  it('ignores the y parity', async () => {
    expect(await refusalOf({ recover: (digest, signature) => recover(digest, signature, 0) })).toContain('y parity 1')
  })

  it('throws if no key can be recovered', async () => {
    const reason = await refusalOf({
      recover(digest, signature, yParity) {
        const key = recover(digest, signature, yParity)
        if (key === undefined) throw new Error('Public key could not be recover')
        return key
      },
    })
    expect(reason).toBe('Public key could not be recover')
  })

  it('invents a key at infinity', async () => {
    const seven = Uint8Array.of(...new Uint8Array(31), 7)
    const reason = await refusalOf({
      recover: (digest, signature, yParity) =>
        recover(digest, signature, yParity) ?? (Buffer.compare(digest, seven) === 0 ? new Uint8Array(64) : undefined),
    })
    expect(reason).toContain('key at infinity')
  })

  it('signs a digest above the order without reducing it', async () => {
    // As libsecp256k1 does without the reduction in `strictCurve`: another nonce, so another signature.
    const reason = await refusalOf({
      sign: (digest, key) => sign(toBigInt(digest) < order ? digest : nobleCrypto.sha256(digest), key),
    })
    expect(reason).toMatch(/^sign of digest [23]/)
  })

  it('accepts bytes that are not a key', async () => {
    expect(await refusalOf({ verify: (digest, signature, key) => key[0] === 4 || verify(digest, signature, key) })).toContain(
      'off the curve',
    )
    expect(await refusalOf({ decompress: (key) => decompress(key) ?? new Uint8Array(64) })).toContain('decompress')
    expect(await refusalOf({ publicKey: (key) => publicKey(key) ?? new Uint8Array(33) })).toContain('publicKey')
  })

  it('does not sign as RFC 6979 says', async () => {
    expect(await refusalOf({ sign: (digest, key) => sign(digest.toReversed(), key) })).toContain('sign of digest 0')
  })

  it('has no fault: it is used', async () => {
    expect(await refusalOf({})).toBeUndefined()
  })
})

describe('the self-test refuses hashes that', () => {
  it('are SHA3-256 instead of keccak', async () => {
    const { createHash } = await import('node:crypto')
    const sha3 = (bytes: Uint8Array) => new Uint8Array(createHash('sha3-256').update(bytes).digest())
    const { refused } = await loadCrypto({ ...NONE, keccak256: [{ backend: 'faulty', load: () => sha3 }] })
    expect(refused[0]?.reason).toContain('keccak256 of 0 bytes')
  })

  it('are wrong for a long input only', async () => {
    const truncating = (bytes: Uint8Array) => nobleCrypto.sha256(bytes.subarray(0, 65_536))
    const { refused } = await loadCrypto({ ...NONE, sha256: [{ backend: 'faulty', load: () => truncating }] })
    expect(refused[0]?.reason).toContain('sha256 of 70000 bytes')
  })

  it('read a pair after it was overwritten', async () => {
    const backwards = (input: Uint8Array, output: Uint8Array, count: number) => {
      for (let i = count - 1; i >= 0; i--) output.set(nobleCrypto.sha256(input.subarray(64 * i, 64 * i + 64)), 32 * i)
    }
    const { refused } = await loadCrypto({ ...NONE, hashPairs: [{ backend: 'faulty', load: () => backwards }] })
    expect(refused[0]?.reason).toContain('over the input')
  })

  it('are wrong above a number of lanes', async () => {
    const right = hashPairsBy(nobleCrypto.sha256)
    const { refused } = await loadCrypto({
      ...NONE,
      hashPairs: [{ backend: 'faulty', load: () => (input, output, count) => right(input, output, Math.min(count, 16)) }],
    })
    expect(refused[0]?.reason).toContain('hashPairs of 17: differs from noble at byte 512')
  })
})
