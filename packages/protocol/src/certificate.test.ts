import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import * as any from '../test/arbitraries.ts'
import { checkRoundTrip, checkStrict } from '../test/codec-laws.ts'
import { Address, concatBytes, Hash, hexToBytes, numberToBytes } from './bytes.ts'
import {
  commitCertificateCodec,
  commitVotes,
  polkaCertificateCodec,
  polkaVotes,
  type RoundCertificate,
  type RoundVote,
  roundCertificateCodec,
  roundVotes,
} from './certificate.ts'
import { type Codec, decode, encode } from './codec.ts'
import { LIMITS } from './limits.ts'
import { Height, Round } from './numbers.ts'

const address = (byte: number) => Address(new Uint8Array(20).fill(byte))
const signature = new Uint8Array(64).fill(0xcc)
const valueId = Hash(new Uint8Array(32).fill(0xaa))
const place = { height: Height(7), round: Round(2) }

/** `count` different addresses in ascending order. */
const addresses = (count: number) => Array.from({ length: count }, (_, i) => Address(numberToBytes(i, 20)))

const refusal = <T>(type: Codec<T>, bytes: Uint8Array) => {
  const decoded = decode(type, bytes)
  return decoded.ok ? undefined : decoded.error.message
}

describe.each([
  [
    'a commit certificate',
    commitCertificateCodec,
    any.commitCertificate,
    (signatures: readonly Signer[]) => ({ ...place, blockHash: valueId, signatures }),
  ],
  [
    'a polka certificate',
    polkaCertificateCodec,
    any.polkaCertificate,
    (signatures: readonly Signer[]) => ({ ...place, valueId, signatures }),
  ],
] as const)('%s', (_name, codec, values, make) => {
  const type = codec as Codec<unknown>
  const signed = (...signers: readonly number[]) => make(signers.map((byte) => ({ validator: address(byte), signature })))
  /** Encodes without any check. */
  const written = (signers: readonly Address[]) =>
    concatBytes(
      numberToBytes(place.height, 8),
      numberToBytes(place.round, 4),
      hexToBytes(valueId),
      numberToBytes(signers.length, 4),
      ...signers.flatMap((signer) => [hexToBytes(signer), signature]),
    )

  it('round-trips, in one encoding', () => {
    fc.assert(fc.property(values as fc.Arbitrary<unknown>, (value) => void checkRoundTrip(type, value)))
    expect(checkRoundTrip(type, signed(1, 2))).toEqual(written([address(1), address(2)]))
    checkStrict(type, written([address(1), address(2)]))
  })

  it.each([
    ['no signature', [], 'the certificate has no signatures'],
    ['one validator twice', [1, 1], 'signatures must be sorted by validator, without duplicates'],
    ['validators out of order', [2, 1], 'signatures must be sorted by validator, without duplicates'],
    ['one validator twice, apart', [1, 2, 1], 'signatures must be sorted by validator, without duplicates'],
  ] as const)('does not exist with %s', (_what, signers, message) => {
    expect(() => encode(type, signed(...signers))).toThrow(message)
    expect(refusal(type, written(signers.map(address)))).toContain(message)
  })

  it('has at most one signature of each validator, and then exactly bytesMax', () => {
    const all = addresses(LIMITS.validatorsMax)
    const full = make(all.map((validator) => ({ validator, signature })))
    expect(encode(type, full).length).toBe(type.bytesMax)
    checkRoundTrip(type, full)
    expect(refusal(type, written(addresses(LIMITS.validatorsMax + 1)))).toBeDefined()
  })
})

interface Signer {
  readonly validator: Address
  readonly signature: Uint8Array
}

describe('a round certificate', () => {
  const vote = (byte: number, kind: RoundVote['kind']): RoundVote => ({
    kind,
    valueId: undefined,
    validator: address(byte),
    signature,
  })
  const certificate = (...votes: readonly RoundVote[]): RoundCertificate => ({ ...place, reason: 'skip', votes })
  const written = (votes: readonly RoundVote[]) =>
    concatBytes(
      numberToBytes(place.height, 8),
      numberToBytes(place.round, 4),
      Uint8Array.of(1),
      numberToBytes(votes.length, 4),
      ...votes.flatMap(({ kind, validator }) => [Uint8Array.of(kind === 'prevote' ? 0 : 1, 0), hexToBytes(validator), signature]),
    )

  it('round-trips, in one encoding', () => {
    fc.assert(fc.property(any.roundCertificate, (value) => void checkRoundTrip(roundCertificateCodec, value)))
    const both = [vote(1, 'prevote'), vote(1, 'precommit'), vote(2, 'prevote')]
    expect(checkRoundTrip(roundCertificateCodec, certificate(...both))).toEqual(written(both))
    checkStrict(roundCertificateCodec, written(both))
  })

  it.each([
    ['no vote', [], 'the certificate has no votes'],
    [
      'one vote twice',
      [vote(1, 'prevote'), vote(1, 'prevote')],
      'votes must be sorted by validator and kind, without duplicates',
    ],
    [
      'kinds out of order',
      [vote(1, 'precommit'), vote(1, 'prevote')],
      'votes must be sorted by validator and kind, without duplicates',
    ],
    [
      'validators out of order',
      [vote(2, 'prevote'), vote(1, 'precommit')],
      'votes must be sorted by validator and kind, without duplicates',
    ],
  ] as const)('does not exist with %s', (_what, votes, message) => {
    expect(() => encode(roundCertificateCodec, certificate(...votes))).toThrow(message)
    expect(refusal(roundCertificateCodec, written(votes))).toContain(message)
  })

  it('does not exist for round 0, in which every node begins', () => {
    const votes = [vote(1, 'prevote')]
    expect(() => encode(roundCertificateCodec, { ...certificate(...votes), round: Round(0) })).toThrow('of round 0')
    expect(refusal(roundCertificateCodec, written(votes).with(11, 0))).toContain('a round certificate must not be of round 0')
  })

  it('has at most two votes of each validator, and then exactly bytesMax', () => {
    const full = certificate(
      ...addresses(LIMITS.validatorsMax).flatMap((validator) =>
        (['prevote', 'precommit'] as const).map((kind) => ({ kind, valueId, validator, signature })),
      ),
    )
    expect(encode(roundCertificateCodec, full).length).toBe(roundCertificateCodec.bytesMax)
    const more = addresses(2 * LIMITS.validatorsMax + 1).map((validator) => ({ ...vote(0, 'prevote'), validator }))
    expect(refusal(roundCertificateCodec, written(more))).toContain('257 items, at most 256 are allowed')
  })
})

describe('the votes of a certificate', () => {
  it('are precommits, or prevotes, for its value in its round', () => {
    fc.assert(
      fc.property(any.commitCertificate, any.polkaCertificate, (commit, polka) => {
        const { height, round } = commit
        expect(commitVotes(commit)).toEqual(
          commit.signatures.map((entry) => ({ kind: 'precommit', height, round, valueId: commit.blockHash, ...entry })),
        )
        expect(polkaVotes(polka)).toEqual(
          polka.signatures.map((entry) => ({
            kind: 'prevote',
            height: polka.height,
            round: polka.round,
            valueId: polka.valueId,
            ...entry,
          })),
        )
      }),
    )
  })

  it('are of the round before (L47) or of this one (L55)', () => {
    fc.assert(
      fc.property(any.roundCertificate, (certificate) => {
        const back = certificate.reason === 'precommit-any' ? 1 : 0
        expect(roundVotes(certificate)).toEqual(
          certificate.votes.map((vote) => ({ ...vote, height: certificate.height, round: certificate.round - back })),
        )
      }),
    )
  })
})
