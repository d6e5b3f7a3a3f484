import {
  type Address,
  addressOfPublicKey,
  type Crypto,
  createValidatorSet,
  idOfName,
  nobleCrypto,
  Power,
  type Proposal,
  proposalDigest,
  publicKeyOf,
  type RoundCertificate,
  type SigningDomain,
  type UnsignedVote,
  type Vote,
  voteDigest,
} from '@quoin/protocol'
import { describe, expect, it } from 'vitest'
import { height, round, value } from '../test/fixtures.ts'
import { commitCertificate, polkaCertificate, roundCertificate } from './certificate-keeper.ts'
import { verifyCommitCertificate, verifyPolkaCertificate, verifyProposal, verifyRoundCertificate, verifyVote } from './verify.ts'

const crypto: Crypto = nobleCrypto
const domain: SigningDomain = { genesisHash: value('genesis'), restartEpoch: 0 }
const a = value('a')

const secrets = [1, 2, 3, 4, 5].map((n) => new Uint8Array(32).fill(n))
const keys = secrets.map((secret) => publicKeyOf(crypto.publicKey(secret)!))
const addresses = keys.map((key) => addressOfPublicKey(crypto, key)!)
/** The fifth key is not in the set. */
const set = createValidatorSet(
  keys.slice(0, 4).map((publicKey, i) => ({
    id: idOfName(`v${i}`)!,
    address: addresses[i]!,
    publicKey,
    power: Power(1),
    feeAddress: addresses[i]!,
  })),
)

function signed(i: number, kind: Vote['kind'], r = 1, of: 'a' | 'b' | 'nil' = 'a', under = domain): Vote {
  const valueId = of === 'nil' ? undefined : value(of)
  const unsigned: UnsignedVote = { kind, height: height(7), round: round(r), valueId, validator: addresses[i]! }
  return { ...unsigned, signature: crypto.sign(voteDigest(crypto, under, unsigned), secrets[i]!).signature }
}

const precommits = [0, 1, 2].map((i) => signed(i, 'precommit'))
const commit = commitCertificate(height(7), round(1), a, precommits)
const verdict = (result: { ok: boolean; error?: { code: string } }) => (result.ok ? 'ok' : result.error!.code)
const check = (certificate: typeof commit, isVerified?: (vote: Vote) => boolean) =>
  verdict(verifyCommitCertificate(crypto, domain, set, certificate, isVerified))

describe('commit certificate', () => {
  it('of 3 of 4', () => expect(check(commit)).toBe('ok'))

  it('with too little power is refused before a signature is looked at', () => {
    let verified = 0
    const counting: Crypto = { ...crypto, verify: () => ++verified > 0 }
    const result = verifyCommitCertificate(counting, domain, set, { ...commit, signatures: commit.signatures.slice(1) })
    expect(result).toEqual({ ok: false, error: { code: 'power', power: 2, total: 4 } })
    expect(verified).toBe(0)
  })

  it('that names a validator twice', () => {
    const [one, two] = commit.signatures as [(typeof commit.signatures)[0], (typeof commit.signatures)[0]]
    expect(check({ ...commit, signatures: [one, one, two] })).toBe('duplicate')
  })

  it('with a stranger', () => {
    expect(check(commitCertificate(height(7), round(1), a, [...precommits, signed(4, 'precommit')]))).toBe('unknown-validator')
  })

  it('for another height, round or block than was signed', () => {
    expect(check({ ...commit, height: height(8) })).toBe('signature')
    expect(check({ ...commit, round: round(2) })).toBe('signature')
    expect(check({ ...commit, blockHash: value('b') })).toBe('signature')
  })

  it('made of prevotes, or of another chain’s or restart’s precommits', () => {
    const prevotes = [0, 1, 2].map((i) => signed(i, 'prevote'))
    expect(check(commitCertificate(height(7), round(1), a, prevotes))).toBe('signature')
    for (const under of [
      { ...domain, genesisHash: value('other') },
      { ...domain, restartEpoch: 1 },
    ]) {
      const foreign = [0, 1, 2].map((i) => signed(i, 'precommit', 1, 'a', under))
      expect(check(commitCertificate(height(7), round(1), a, foreign))).toBe('signature')
    }
  })

  it('with one signature bent, or put under another name', () => {
    const [one, two, three] = commit.signatures as [
      (typeof commit.signatures)[0],
      (typeof commit.signatures)[0],
      (typeof commit.signatures)[0],
    ]
    const bent = { ...three, signature: three.signature.map((byte, i) => (i === 20 ? byte ^ 1 : byte)) }
    expect(check({ ...commit, signatures: [one, two, bent] })).toBe('signature')
    expect(check({ ...commit, signatures: [{ ...one, signature: two.signature }, two, three] })).toBe('signature')
  })

  it('believes the cache of verified votes, which is asked for whole votes', () => {
    const asked: Vote[] = []
    const unsigned = { ...commit, signatures: commit.signatures.map((entry) => ({ ...entry, signature: new Uint8Array(64) })) }
    expect(check(unsigned, (vote) => asked.push(vote) > 0)).toBe('ok')
    expect(asked.map(({ signature, ...vote }) => vote)).toEqual(
      unsigned.signatures.map(({ validator }) => ({ kind: 'precommit', height: 7, round: 1, valueId: a, validator })),
    )
    expect(check(unsigned, () => false)).toBe('signature')
  })

  it('leaves nil precommits out when it is made', () => {
    const nil = signed(3, 'precommit', 1, 'nil')
    expect(commitCertificate(height(7), round(1), a, [nil, ...precommits])).toEqual(commit)
  })
})

describe('polka certificate', () => {
  const polka = polkaCertificate(
    height(7),
    round(1),
    a,
    [0, 1, 2].map((i) => signed(i, 'prevote')),
  )
  it('of 3 of 4', () => expect(verdict(verifyPolkaCertificate(crypto, domain, set, polka))).toBe('ok'))
  it('made of precommits', () => {
    const wrong = polkaCertificate(height(7), round(1), a, precommits)
    expect(verdict(verifyPolkaCertificate(crypto, domain, set, wrong))).toBe('signature')
  })
})

describe('round certificate', () => {
  const verify = (certificate: RoundCertificate) => verdict(verifyRoundCertificate(crypto, domain, set, certificate))
  const mixed = [signed(0, 'precommit', 1, 'nil'), signed(1, 'precommit'), signed(2, 'precommit', 1, 'b')]

  it('of precommits of the round before, for anything', () => {
    expect(verify(roundCertificate(height(7), round(2), 'precommit-any', mixed))).toBe('ok')
    expect(verify(roundCertificate(height(7), round(2), 'precommit-any', mixed.slice(1)))).toBe('power')
    expect(verify(roundCertificate(height(7), round(3), 'precommit-any', mixed))).toBe('signature')
    const prevotes = [0, 1, 2].map((i) => signed(i, 'prevote'))
    expect(verify(roundCertificate(height(7), round(2), 'precommit-any', prevotes))).toBe('reason')
  })

  it('of votes of f+1 in the round itself, each validator’s power once', () => {
    const both = [signed(0, 'prevote', 2), signed(1, 'precommit', 2)]
    expect(verify(roundCertificate(height(7), round(2), 'skip', both))).toBe('ok')
    const one = [signed(0, 'prevote', 2), signed(0, 'precommit', 2)]
    const padded = { height: height(7), round: round(2), reason: 'skip' as const, votes: one }
    expect(verify(padded)).toBe('power')
    expect(verify({ ...padded, votes: [one[0]!, one[0]!, both[1]!] })).toBe('duplicate')
  })

  it('of round 0 is refused', () => {
    expect(verify(roundCertificate(height(7), round(0), 'skip', [signed(0, 'prevote', 0), signed(1, 'prevote', 0)]))).toBe(
      'reason',
    )
  })
})

describe('votes and proposals', () => {
  it('of a member, with its own signature', () => {
    const vote = signed(0, 'prevote')
    expect(verdict(verifyVote(crypto, domain, set, vote))).toBe('ok')
    expect(verdict(verifyVote(crypto, domain, set, { ...vote, validator: addresses[1] as Address }))).toBe('signature')
    expect(verdict(verifyVote(crypto, domain, set, signed(4, 'prevote')))).toBe('unknown-validator')
  })

  it('bind the proof-of-lock round', () => {
    const unsigned = { height: height(7), round: round(2), valueId: a, polRound: round(1), proposer: addresses[0]! }
    const proposal: Proposal = {
      ...unsigned,
      signature: crypto.sign(proposalDigest(crypto, domain, unsigned), secrets[0]!).signature,
    }
    expect(verdict(verifyProposal(crypto, domain, set, proposal))).toBe('ok')
    expect(verdict(verifyProposal(crypto, domain, set, { ...proposal, polRound: round(0) }))).toBe('signature')
    expect(verdict(verifyProposal(crypto, domain, set, { ...proposal, polRound: undefined }))).toBe('signature')
    expect(verdict(verifyProposal(crypto, domain, set, { ...proposal, proposer: addresses[4]! }))).toBe('unknown-validator')
  })
})
