import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import * as any from '../test/arbitraries.ts'
import { checkRoundTrip, checkStrict } from '../test/codec-laws.ts'
import { Address, compareBytes, concatBytes, Hash } from './bytes.ts'
import { decode, encode } from './codec.ts'
import { type Evidence, evidenceCodec, proposalEvidence, voteEvidence } from './evidence.ts'
import { Height, Round } from './numbers.ts'
import { type Proposal, proposalCodec } from './proposal.ts'
import { type Vote, voteCodec } from './vote.ts'

const hash = (byte: number) => Hash(new Uint8Array(32).fill(byte))
const voter = Address(new Uint8Array(20).fill(0xbb))
const signature = new Uint8Array(64).fill(0xcc)

const vote: Vote = { kind: 'prevote', height: Height(7), round: Round(20), valueId: hash(1), validator: voter, signature }
const proposal: Proposal = {
  height: Height(7),
  round: Round(20),
  valueId: hash(1),
  polRound: undefined,
  proposer: voter,
  signature,
}

/** Expects the encoder to refuse the evidence, and the decoder to refuse bytes that were encoded without checks. */
function expectRefused(evidence: Evidence, message: string): void {
  expect(() => encode(evidenceCodec, evidence)).toThrow(message)
  const written =
    evidence.kind === 'votes'
      ? [Uint8Array.of(0), encode(voteCodec, evidence.first), encode(voteCodec, evidence.second)]
      : [Uint8Array.of(1), encode(proposalCodec, evidence.first), encode(proposalCodec, evidence.second)]
  expect(decode(evidenceCodec, concatBytes(...written))).toMatchObject({
    ok: false,
    error: { message: expect.stringContaining(message) },
  })
}

describe('evidence', () => {
  it('round-trips, in one encoding', () => {
    fc.assert(fc.property(any.evidence, (evidence) => void checkRoundTrip(evidenceCodec, evidence)))
    const other = { ...vote, valueId: undefined }
    checkStrict(evidenceCodec, encode(evidenceCodec, voteEvidence(vote, other)))
    checkStrict(evidenceCodec, encode(evidenceCodec, proposalEvidence(proposal, { ...proposal, polRound: Round(3) })))
  })

  it('is the same whichever of the two was seen first, the lesser encoding in front', () => {
    const turned = (evidence: Evidence) =>
      evidence.kind === 'votes'
        ? voteEvidence(evidence.second, evidence.first)
        : proposalEvidence(evidence.second, evidence.first)
    fc.assert(
      fc.property(any.evidence, (evidence) => {
        expect(turned(evidence)).toEqual(evidence)
        const [first, second] =
          evidence.kind === 'votes'
            ? [encode(voteCodec, evidence.first), encode(voteCodec, evidence.second)]
            : [encode(proposalCodec, evidence.first), encode(proposalCodec, evidence.second)]
        expect(compareBytes(first, second)).toBeLessThan(0)
      }),
    )
  })

  it('orders proposals of one block by their proof-of-lock round, as a number', () => {
    const of = (polRound: number | undefined): Proposal => ({
      ...proposal,
      polRound: polRound === undefined ? undefined : Round(polRound),
    })
    for (const [lesser, greater] of [
      [undefined, 0],
      [9, 10],
      [2, 19],
    ] as const) {
      expect(proposalEvidence(of(greater), of(lesser)).first).toEqual(of(lesser))
      checkRoundTrip(evidenceCodec, proposalEvidence(of(greater), of(lesser)))
      expectRefused({ kind: 'proposals', first: of(greater), second: of(lesser) }, 'two different proposals in canonical order')
    }
  })

  it.each<[string, Partial<Vote>, string]>([
    ['one vote', {}, 'evidence must be two different votes in canonical order'],
    [
      'one vote under two signatures',
      { signature: new Uint8Array(64) },
      'evidence must be two different votes in canonical order',
    ],
    ['votes out of order', { valueId: undefined }, 'evidence must be two different votes in canonical order'],
    ['votes of two heights', { height: Height(8), valueId: hash(2) }, 'evidence must be of one height and round'],
    ['votes of two rounds', { round: Round(21), valueId: hash(2) }, 'evidence must be of one height and round'],
    [
      'votes of two voters',
      { validator: Address(new Uint8Array(20)), valueId: hash(2) },
      'evidence must be of one validator and one kind of vote',
    ],
    ['votes of two kinds', { kind: 'precommit', valueId: hash(2) }, 'evidence must be of one validator and one kind of vote'],
  ])('is not %s', (_what, changes, message) => {
    expectRefused({ kind: 'votes', first: vote, second: { ...vote, ...changes } }, message)
  })

  it.each<[string, Partial<Proposal>, string]>([
    ['one proposal', {}, 'evidence must be two different proposals in canonical order'],
    [
      'one proposal under two signatures',
      { signature: new Uint8Array(64) },
      'evidence must be two different proposals in canonical order',
    ],
    ['proposals out of order', { valueId: hash(0) }, 'evidence must be two different proposals in canonical order'],
    ['proposals of two heights', { height: Height(8), valueId: hash(2) }, 'evidence must be of one height and round'],
    ['proposals of two rounds', { round: Round(21), valueId: hash(2) }, 'evidence must be of one height and round'],
    [
      'proposals of two proposers',
      { proposer: Address(new Uint8Array(20)), valueId: hash(2) },
      'evidence must be of one proposer',
    ],
  ])('is not %s', (_what, changes, message) => {
    expectRefused({ kind: 'proposals', first: proposal, second: { ...proposal, ...changes } }, message)
  })
})
