import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import * as any from '../test/arbitraries.ts'
import { checkRoundTrip, checkStrict } from '../test/codec-laws.ts'
import { Address, bytesToHex, concatBytes, Hash, hexToBytes, numberToBytes } from './bytes.ts'
import { decode, encode, fixedBytes } from './codec.ts'
import { SIGNED_KIND, type SigningDomain, signingDigest } from './domain.ts'
import { nobleCrypto as crypto } from './noble.ts'
import { Height, Round } from './numbers.ts'
import { type Proposal, proposalCodec, proposalDigest } from './proposal.ts'
import { type Vote, voteCodec, voteDigest } from './vote.ts'

const hash = (byte: number) => Hash(new Uint8Array(32).fill(byte))
const sha256 = (...parts: readonly Uint8Array[]) =>
  bytesToHex(
    createHash('sha256')
      .update(concatBytes(...parts))
      .digest(),
  )

const vote: Vote = {
  kind: 'precommit',
  height: Height(7),
  round: Round(1),
  valueId: hash(0xaa),
  validator: Address(new Uint8Array(20).fill(0xbb)),
  signature: new Uint8Array(64).fill(0xcc),
}
const proposal: Proposal = {
  height: Height(7),
  round: Round(2),
  valueId: hash(0xaa),
  polRound: Round(1),
  proposer: vote.validator,
  signature: vote.signature,
}
const domain: SigningDomain = { genesisHash: hash(1), restartEpoch: 2 }

describe('a vote', () => {
  it('is its fields in order', () => {
    const tail = `${'bb'.repeat(20)}${'cc'.repeat(64)}`
    expect(bytesToHex(encode(voteCodec, vote))).toBe(`0x01${'0000000000000007'}${'00000001'}01${'aa'.repeat(32)}${tail}`)
    const nil = { ...vote, kind: 'prevote', valueId: undefined } as const
    expect(bytesToHex(encode(voteCodec, nil))).toBe(`0x00${'0000000000000007'}${'00000001'}00${tail}`)
  })

  it('round-trips, in one encoding', () => {
    fc.assert(fc.property(any.vote, (value) => void checkRoundTrip(voteCodec, value)))
    checkStrict(voteCodec, encode(voteCodec, vote))
    checkStrict(voteCodec, encode(voteCodec, { ...vote, valueId: undefined }))
  })
})

describe('a proposal', () => {
  it('round-trips, in one encoding', () => {
    fc.assert(fc.property(any.proposal, (value) => void checkRoundTrip(proposalCodec, value)))
    checkStrict(proposalCodec, encode(proposalCodec, proposal))
    checkStrict(proposalCodec, encode(proposalCodec, { ...proposal, polRound: undefined }))
  })

  it('needs a proof of lock of an earlier round', () => {
    for (const polRound of [2, 3]) {
      const message = `proof-of-lock round ${polRound} must be before round 2`
      expect(() => encode(proposalCodec, { ...proposal, polRound: Round(polRound) })).toThrow(message)
      const bytes = encode(proposalCodec, proposal).with(8 + 4 + 32 + 1 + 3, polRound)
      expect(decode(proposalCodec, bytes)).toMatchObject({ ok: false, error: { message: expect.stringContaining(message) } })
    }
    expect(() => encode(proposalCodec, { ...proposal, round: Round(0), polRound: Round(0) })).toThrow(RangeError)
  })
})

describe('the signed digest', () => {
  it('is SHA-256 of genesis hash, restart epoch, kind and content', () => {
    const { genesisHash, restartEpoch } = domain
    const head = (kind: number) => concatBytes(hexToBytes(genesisHash), numberToBytes(restartEpoch, 4), Uint8Array.of(kind))
    const place = (round: number) => concatBytes(numberToBytes(7, 8), numberToBytes(round, 4))
    const id = hexToBytes(hash(0xaa))
    const digest = (value: Vote) => bytesToHex(voteDigest(crypto, domain, value))
    expect(digest(vote)).toBe(sha256(head(2), place(1), Uint8Array.of(1), id))
    expect(digest({ ...vote, kind: 'prevote', valueId: undefined })).toBe(sha256(head(1), place(1), Uint8Array.of(0)))
    expect(bytesToHex(proposalDigest(crypto, domain, proposal))).toBe(
      sha256(head(3), place(2), id, Uint8Array.of(1), numberToBytes(1, 4)),
    )
    expect(bytesToHex(proposalDigest(crypto, domain, { ...proposal, polRound: undefined }))).toBe(
      sha256(head(3), place(2), id, Uint8Array.of(0)),
    )
  })

  it('has a kind of its own for each message', () => {
    const kinds = Object.values(SIGNED_KIND)
    expect(new Set(kinds).size).toBe(kinds.length)
    expect(SIGNED_KIND).toEqual({ prevote: 1, precommit: 2, proposal: 3, handshake: 4, ready: 5, rotation: 6 })
  })

  it('does not depend on the signer, which the key identifies', () => {
    const other = { ...vote, validator: Address(new Uint8Array(20)), signature: new Uint8Array(64) }
    expect(voteDigest(crypto, domain, other)).toEqual(voteDigest(crypto, domain, vote))
  })
})

/** Everything in which two signed messages can differ. There are few values of each, so that they are often equal in both. */
const few = {
  genesisHash: fc.constantFrom(hash(1), hash(2)),
  restartEpoch: fc.constantFrom(0, 1),
  kind: fc.constantFrom('prevote' as const, 'precommit' as const, 'proposal' as const),
  height: fc.constantFrom(Height(1), Height(2), Height(2 ** 32 + 1)),
  round: fc.constantFrom(Round(1), Round(2)),
  valueId: fc.constantFrom(undefined, hash(0), hash(1)),
  polRound: fc.constantFrom(undefined, Round(0)),
}
const message = fc.record(few).map(({ polRound, valueId, ...rest }) => ({
  ...rest,
  valueId: rest.kind === 'proposal' ? (valueId ?? hash(0)) : valueId,
  polRound: rest.kind === 'proposal' ? polRound : undefined,
}))
type Message = typeof message extends fc.Arbitrary<infer T> ? T : never

function digestOf({ genesisHash, restartEpoch, kind, polRound, valueId, ...place }: Message): string {
  const bound = { genesisHash, restartEpoch }
  const digest =
    kind === 'proposal'
      ? proposalDigest(crypto, bound, { ...place, valueId: valueId!, polRound })
      : voteDigest(crypto, bound, { ...place, kind, valueId })
  return bytesToHex(digest)
}

describe('two digests', () => {
  it('are the same only for the same genesis, epoch, kind, height, round and value', () => {
    fc.assert(
      fc.property(message, message, (a, b) => {
        expect(digestOf(a) === digestOf(b)).toBe(JSON.stringify(a) === JSON.stringify(b))
      }),
      { numRuns: 1_000 },
    )
  })

  it('differ when one thing alone differs', () => {
    const base: Message = {
      genesisHash: hash(1),
      restartEpoch: 0,
      kind: 'prevote',
      height: Height(1),
      round: Round(1),
      valueId: hash(0),
      polRound: undefined,
    }
    const changed: readonly Message[] = [
      base,
      { ...base, genesisHash: hash(2) },
      { ...base, restartEpoch: 1 },
      { ...base, kind: 'precommit' },
      { ...base, kind: 'proposal' },
      { ...base, kind: 'proposal', polRound: Round(0) },
      { ...base, height: Height(2) },
      { ...base, height: Height(2 ** 32 + 1) },
      { ...base, round: Round(2) },
      { ...base, valueId: undefined },
      { ...base, valueId: hash(1) },
    ]
    expect(new Set(changed.map(digestOf)).size).toBe(changed.length)
  })

  it('of any two domains, kinds and contents differ', () => {
    const payload = fixedBytes(4)
    const signed = fc.tuple(any.signingDomain, any.signedKind, any.bytesOf(4))
    const digest = ([bound, kind, content]: readonly [SigningDomain, keyof typeof SIGNED_KIND, Uint8Array]) =>
      bytesToHex(signingDigest(crypto, bound, kind, payload, content))
    const key = ([{ genesisHash, restartEpoch }, kind, content]: readonly [SigningDomain, string, Uint8Array]) =>
      `${genesisHash}/${restartEpoch}/${kind}/${bytesToHex(content)}`
    fc.assert(
      fc.property(signed, signed, (a, b) => {
        expect(digest(a) === digest(b)).toBe(key(a) === key(b))
      }),
    )
  })
})
