import {
  type Address,
  addressOfPublicKey,
  bytesToHex,
  codec,
  concatBytes,
  createValidatorSet,
  nobleCrypto as crypto,
  EVIDENCE_HEIGHTS_MAX,
  type Evidence,
  evidenceCodec,
  type Hash,
  type Height,
  Hash as hashOf,
  idOfName,
  ownSeat,
  type Power,
  type Proposal,
  proposalCodec,
  proposalDigest,
  proposalEvidence,
  publicKeyOf,
  type Round,
  rotationDigest,
  type SigningDomain,
  type UnsignedVote,
  ungovernedConsortium,
  type Validator,
  type ValidatorSet,
  type Vote,
  voteCodec,
  voteDigest,
  voteEvidence,
} from '@quoin/protocol'
import fc from 'fast-check'
import { type Abi, decodeErrorResult, type Hex, keccak256, parseEventLogs } from 'viem'
import { describe, expect, it } from 'vitest'
import { testGenesis } from '../../../../test/chain.ts'
import { OTHER, TEST_BLOCK, TestContracts, USER } from '../../../../test/contracts.ts'
import { advanceSets } from '../../../state/block-records.ts'
import { writeFounding } from '../../../state/founding.ts'
import { Journal } from '../../../state/journal.ts'
import { recordIn, SYSTEM_ADDRESS, SYSTEM_RECORDS, writeSystemRecord } from '../../../state/system-records.ts'
import { CHAIN_ABI } from './chain-abi.ts'

const abi = CHAIN_ABI as Abi
const domain: SigningDomain = { genesisHash: hashOf(new Uint8Array(32).fill(9)), restartEpoch: 0 }
const CURVE_ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n
const secret = (n: number) => new Uint8Array(32).fill(n)
const keyOf = (n: number) => publicKeyOf(crypto.publicKey(secret(n))!)
const addressOfKey = (n: number): Address => addressOfPublicKey(crypto, keyOf(n))!
const idOf = (n: number): Hash => idOfName(`v${n}`)!
const block = (n: number) => hashOf(new Uint8Array(32).fill(n))

/** Validator `v<n>` with key n. */
const validatorOf = (n: number): Validator => ({
  id: idOf(n),
  address: addressOfKey(n),
  publicKey: keyOf(n),
  power: 1 as Power,
  feeAddress: addressOfKey(n),
})

/** A chain of validators v1 to v<count> that USER governs, in block 7. */
class Chain {
  readonly journal = new Journal()
  #contracts: TestContracts
  /** Sets by height, as the records say. */
  readonly sets = new Map<number, ValidatorSet>()

  constructor(count = 5, validatorsMin = 4) {
    const validators = Array.from({ length: count }, (_, i) => validatorOf(i + 1))
    const genesis = testGenesis(new Map(), { validatorsMin })
    const consortium = ungovernedConsortium(validators.map((validator, i) => ownSeat(validator, `peer-${i + 1}`)))
    writeFounding(this.journal, {
      ...genesis,
      validators: createValidatorSet(validators),
      consortium: { ...consortium, governor: USER },
    })
    writeSystemRecord(this.journal, SYSTEM_RECORDS.domain, domain)
    this.#contracts = this.#at(7)
  }

  #at(number: number): TestContracts {
    return new TestContracts(this.journal, { ...TEST_BLOCK, number: number as Height })
  }

  at(number: number): this {
    this.#contracts = this.#at(number)
    return this
  }

  /** Ends block `height`, as execution does. */
  end(height: number): void {
    advanceSets(this.journal, height as Height)
    const { next, afterNext } = recordIn(this.journal, SYSTEM_RECORDS.sets)
    this.sets.set(height + 1, next)
    this.sets.set(height + 2, afterNext)
  }

  does(name: string, args: readonly unknown[], from: Address = USER): unknown {
    return this.#contracts.call({ address: SYSTEM_ADDRESS, abi }, name, args, { from })
  }

  tells(name: string, ...args: readonly unknown[]): readonly unknown[] {
    return this.does(name, args) as readonly unknown[]
  }

  report(bytes: Uint8Array, from: Address = OTHER): void {
    this.does('reportEquivocation', [bytesToHex(bytes)], from)
  }

  attempt(bytes: Uint8Array) {
    return this.#contracts.attempt({ address: SYSTEM_ADDRESS, abi }, 'reportEquivocation', [bytesToHex(bytes)], { from: OTHER })
  }

  /** The error with which a report fails; it must leave nothing behind. */
  refusal(bytes: Uint8Array): readonly [string, ...unknown[]] {
    const before = this.journal.changes().length
    const outcome = this.attempt(bytes)
    if (outcome.ok) throw new Error('the report succeeded')
    expect(this.journal.changes()).toHaveLength(before)
    const decoded = decodeErrorResult({ abi, data: bytesToHex(outcome.data) as Hex })
    return [decoded.errorName, ...(decoded.args ?? [])]
  }

  entry(n: number) {
    return recordIn(this.journal, SYSTEM_RECORDS.roster).find(({ id }) => id === idOf(n))
  }
}

interface Said {
  readonly key: number
  readonly kind: 'prevote' | 'precommit'
  readonly height: number
  readonly round: number
  /** Block 1 if it is left out; undefined for nil. */
  readonly value: Hash | undefined
  /** Address that the message names. */
  readonly as: Address
  readonly under: SigningDomain
}

function vote(said: Partial<Said> = {}): Vote {
  const { key = 2, kind = 'prevote', height = 5, round = 0, under = domain } = said
  const value = 'value' in said ? said.value : block(1)
  const unsigned: UnsignedVote = {
    ...{ kind, height: height as Height, round: round as Round, valueId: value },
    validator: said.as ?? addressOfKey(key),
  }
  return { ...unsigned, signature: crypto.sign(voteDigest(crypto, under, unsigned), secret(key)).signature }
}

function proposal(n: number, polRound?: number, key = 2): Proposal {
  const unsigned = {
    ...{ height: 5 as Height, round: 3 as Round, valueId: block(n), proposer: addressOfKey(key) },
    polRound: polRound as Round | undefined,
  }
  return { ...unsigned, signature: crypto.sign(proposalDigest(crypto, domain, unsigned), secret(key)).signature }
}

const encode = (evidence: Evidence) => codec.encode(evidenceCodec, evidence)
const votes = (a: Partial<Said>, b: Partial<Said>) => encode(voteEvidence(vote(a), vote({ value: block(2), ...b })))
/** Evidence of votes for blocks 1 and 2. */
const twoVotes = (said: Partial<Said> = {}) => encode(voteEvidence(vote(said), vote({ ...said, value: block(2) })))
/** Encodes two votes as they are, without a check. */
const raw = (first: Vote, second: Vote) =>
  concatBytes(Uint8Array.of(0), codec.encode(voteCodec, first), codec.encode(voteCodec, second))
const rawProposals = (first: Proposal, second: Proposal) =>
  concatBytes(Uint8Array.of(1), codec.encode(proposalCodec, first), codec.encode(proposalCodec, second))

/** The other signature of the same message: n - s. */
function highS(one: Vote): Vote {
  const s = CURVE_ORDER - BigInt(bytesToHex(one.signature.subarray(32)))
  const bytes = Uint8Array.from(s.toString(16).padStart(64, '0').match(/../g)!, (byte) => Number.parseInt(byte, 16))
  return { ...one, signature: concatBytes(one.signature.subarray(0, 32), bytes) }
}

describe('evidence of a contradiction', () => {
  it.each([
    ['two prevotes', twoVotes(), 'prevote', 0],
    ['a prevote and one for nil', votes({}, { value: undefined }), 'prevote', 0],
    ['two precommits of a late round', twoVotes({ kind: 'precommit', round: 4_000_000_000 }), 'precommit', 4_000_000_000],
    ['two proposals', encode(proposalEvidence(proposal(1), proposal(2))), 'proposal', 3],
    ['a proposal, fresh and again', encode(proposalEvidence(proposal(1), proposal(1, 2))), 'proposal', 3],
  ])('of %s flags the validator and is kept', (_what, bytes, kind, round) => {
    const chain = new Chain()
    expect(chain.tells('equivocation', idOf(2), 5, round, kind)[0]).toBe(false)
    const before = chain.journal.checkpoint()
    chain.report(bytes)
    expect(chain.entry(2)).toMatchObject({ equivocated: true, changedAt: 7, power: 1 })
    expect(chain.tells('validator', idOf(2))[7]).toBe(true)
    const taken = [keccak256(bytes), 7n, expect.stringMatching(new RegExp(OTHER, 'i'))]
    expect(chain.tells('equivocation', idOf(2), 5, round, kind)).toEqual([true, ...taken])
    expect(chain.tells('firstEquivocation', idOf(2))).toEqual([true, 5n, round, kind, ...taken])
    const [log] = parseEventLogs({
      abi,
      logs: chain.journal
        .logsSince(before)
        .map(({ topics, data }) => ({ address: SYSTEM_ADDRESS, topics, data: bytesToHex(data) })) as never,
    }) as unknown as readonly { readonly eventName: string; readonly args: object }[]
    expect(log).toMatchObject({ eventName: 'Equivocated', args: { id: idOf(2), height: 5n, evidenceHash: keccak256(bytes) } })
  })

  const two = vote({ value: block(2) })
  it.each<[string, Uint8Array, string]>([
    ['the same vote twice', raw(vote(), vote()), 'MalformedEvidence'],
    ['the same vote with both of its signatures', raw(vote(), highS(vote())), 'MalformedEvidence'],
    ['votes of two heights', raw(vote(), vote({ height: 6, value: block(2) })), 'MalformedEvidence'],
    ['votes of two rounds', raw(vote(), vote({ round: 1, value: block(2) })), 'MalformedEvidence'],
    ['a prevote and a precommit', raw(vote(), vote({ kind: 'precommit', value: block(2) })), 'MalformedEvidence'],
    ['votes of two validators', raw(vote(), vote({ key: 3, value: block(2) })), 'MalformedEvidence'],
    ['votes in the wrong order', raw(two, vote()), 'MalformedEvidence'],
    ['the same proposal twice', rawProposals(proposal(1), proposal(1)), 'MalformedEvidence'],
    ['proposals in the wrong order', rawProposals(proposal(2), proposal(1)), 'MalformedEvidence'],
    ['bytes appended', concatBytes(twoVotes(), Uint8Array.of(0)), 'MalformedEvidence'],
    ['bytes cut off', twoVotes().subarray(0, -1), 'MalformedEvidence'],
    ['an unknown kind', concatBytes(Uint8Array.of(2), twoVotes().subarray(1)), 'MalformedEvidence'],
    ['nothing', new Uint8Array(0), 'MalformedEvidence'],
    ['far too many bytes', new Uint8Array(4_096), 'MalformedEvidence'],
    ['a wrong first signature', encode(voteEvidence({ ...vote(), signature: two.signature }, two)), 'ForgedEvidence'],
    ['a wrong second signature', encode(voteEvidence(vote(), { ...two, signature: vote().signature })), 'ForgedEvidence'],
    ['no signature', encode(voteEvidence(vote(), { ...two, signature: new Uint8Array(64) })), 'ForgedEvidence'],
    ['a high s', encode(voteEvidence(vote(), highS(two))), 'ForgedEvidence'],
    ['another chain', twoVotes({ under: { ...domain, genesisHash: block(8) } }), 'ForgedEvidence'],
    ['another restart of the chain', twoVotes({ under: { ...domain, restartEpoch: 1 } }), 'ForgedEvidence'],
    ['one message of another chain', votes({}, { under: { ...domain, restartEpoch: 1 } }), 'ForgedEvidence'],
    ['votes that name another validator', twoVotes({ as: addressOfKey(3) }), 'ForgedEvidence'],
    ['a key that never was one', twoVotes({ key: 60 }), 'NotAValidatorKey'],
    ['height 0', twoVotes({ height: 0 }), 'EvidenceOutOfTime'],
    ['a height of the future', twoVotes({ height: 8 }), 'EvidenceOutOfTime'],
  ])('is refused for %s', (_what, bytes, error) => {
    expect(new Chain().refusal(bytes)[0]).toBe(error)
  })

  it('counts up to the block itself and for 100,000 heights', () => {
    expect(() => new Chain().report(twoVotes({ height: 7 }))).not.toThrow()
    expect(() => new Chain().at(5 + EVIDENCE_HEIGHTS_MAX).report(twoVotes())).not.toThrow()
    expect(new Chain().at(6 + EVIDENCE_HEIGHTS_MAX).refusal(twoVotes())).toEqual(['EvidenceOutOfTime', 5n, 6n, 100_006n])
  })

  it('counts once, whichever two of its messages are brought', () => {
    const chain = new Chain()
    chain.report(twoVotes())
    const before = chain.entry(2)
    const known = ['AlreadyReported', idOf(2), keccak256(twoVotes())]
    expect(chain.refusal(twoVotes())).toEqual(known)
    expect(chain.refusal(votes({}, { value: block(3) }))).toEqual(known)
    expect(chain.at(9).refusal(votes({}, { value: undefined }))).toEqual(known)
    chain.report(twoVotes({ round: 1 }))
    chain.report(twoVotes({ height: 4 }))
    expect(chain.entry(2)).toEqual(before)
    expect(chain.tells('firstEquivocation', idOf(2))).toMatchObject({ 1: 5n, 2: 0 })
  })

  it('accuses one validator only', () => {
    const chain = new Chain()
    chain.report(twoVotes())
    expect([1, 3, 4, 5].map((n) => chain.entry(n)!.equivocated)).toEqual([false, false, false, false])
    expect(chain.tells('firstEquivocation', idOf(3))[0]).toBe(false)
  })

  it('costs two checks of signatures and the writes', () => {
    const gas = (chain: Chain, bytes: Uint8Array) => chain.attempt(bytes).gasUsed / 10
    const chain = new Chain()
    const [first, replay] = [gas(chain, twoVotes()), gas(chain, twoVotes())]
    const wrong = gas(chain, votes({ round: 1 }, { round: 1, under: { ...domain, restartEpoch: 1 } }))
    const largest = gas(new Chain(128, 1), twoVotes())
    // A check of a signature costs 35,000. The writes are mostly those of the roster, twice.
    expect(first).toBeGreaterThan(70_000)
    expect(first).toBeLessThan(250_000)
    expect(replay).toBeLessThan(25_000)
    expect(largest).toBeLessThan(2_000_000)
    expect(wrong).toBeGreaterThan(70_000)
  })
})

describe('the set after evidence', () => {
  it('loses the validator two heights later', () => {
    const chain = new Chain(5)
    chain.report(twoVotes({ key: 3 }))
    chain.end(7)
    expect([8, 9].map((height) => chain.sets.get(height)!.withId(idOf(3)) !== undefined)).toEqual([true, false])
    expect(chain.sets.get(9)!.validators).toHaveLength(4)
    expect(chain.entry(3)).toMatchObject({ equivocated: true })
  })

  it('of the least size keeps the validator, until another joins', () => {
    const chain = new Chain(4)
    chain.report(twoVotes({ key: 3 }))
    chain.end(7)
    expect(chain.sets.get(9)!.withId(idOf(3))).toBeDefined()
    const roster = recordIn(chain.journal, SYSTEM_RECORDS.roster)
    const added = { ...roster[0]!, ...validatorOf(5), peerIds: ['peer-5'], readyAt: 8 as Height, changedAt: 8 as Height }
    writeSystemRecord(chain.journal, SYSTEM_RECORDS.roster, [...roster, added])
    for (const height of [8, 9]) chain.end(height)
    expect(
      chain.sets
        .get(11)!
        .validators.map(({ id }) => id)
        .toSorted(),
    ).toEqual([1, 2, 4, 5].map(idOf).toSorted())
  })

  it('takes the validator back under no key and no id', () => {
    const chain = new Chain(5)
    chain.report(twoVotes({ key: 3 }))
    chain.end(7)
    chain.end(8)
    chain.at(9)
    const rotate = [
      idOf(3),
      bytesToHex(keyOf(40)),
      bytesToHex(crypto.sign(rotationDigest(crypto, domain, idOf(3), addressOfKey(3)), secret(40)).signature),
    ]
    expect(() => chain.does('rotateKey', rotate)).toThrow('has equivocated')
    expect(() => chain.does('setPower', [idOf(3), 1])).toThrow('has equivocated')
    chain.does('setPower', [idOf(3), 0])
    chain.does('removeValidator', [idOf(3)])
    expect(() => chain.does('addValidator', [idOf(3), idOf(3), bytesToHex(keyOf(40)), 1, OTHER, ['peer-3']])).toThrow(
      'take another id',
    )
    // Evidence of an earlier height is still taken, for the record.
    chain.report(twoVotes({ key: 3, height: 2 }))
  })
})

describe('a key that was replaced', () => {
  const rotate = (chain: Chain, n: number, from: number, to: number) =>
    chain.does('rotateKey', [
      idOf(n),
      bytesToHex(keyOf(to)),
      bytesToHex(crypto.sign(rotationDigest(crypto, domain, idOf(n), addressOfKey(from)), secret(to)).signature),
    ])

  it('answers for the heights at which it voted, not for later ones, and its successor for no earlier ones', () => {
    const chain = new Chain()
    rotate(chain, 2, 2, 41)
    for (let height = 7; height <= 12; height++) chain.end(height)
    chain.at(13)
    expect(chain.refusal(twoVotes({ height: 9 }))).toEqual(['EvidenceOutOfTime', 9n, 1n, 8n])
    expect(chain.refusal(twoVotes({ key: 41, height: 8 }))).toEqual(['EvidenceOutOfTime', 8n, 9n, 13n])
    chain.report(twoVotes({ height: 8 }))
    expect(chain.entry(2)).toMatchObject({ equivocated: true, address: addressOfKey(41) })
    chain.end(13)
    expect(chain.sets.get(15)!.withId(idOf(2))).toBeUndefined()
  })

  it('and never was in a set answers for nothing', () => {
    const chain = new Chain()
    rotate(chain, 2, 2, 41)
    expect(chain.refusal(twoVotes({ key: 41, height: 7 }))[0]).toBe('NotAValidatorKey')
  })

  it('answers exactly for the sets that it was in, whenever rotations and removals take effect', () => {
    const change = fc.record({
      height: fc.integer({ min: 2, max: 10 }),
      who: fc.integer({ min: 1, max: 5 }),
      leaves: fc.boolean(),
    })
    fc.assert(
      fc.property(fc.uniqueArray(change, { maxLength: 4, selector: ({ who }) => who }), (changes) => {
        const chain = new Chain(5, 1)
        for (let height = 1; height <= 13; height++) {
          chain.at(height)
          for (const { who, leaves } of changes.filter((one) => one.height === height))
            if (leaves) chain.does('setPower', [idOf(who), 0])
            else rotate(chain, who, who, who + 40)
          chain.end(height)
        }
        chain.at(14)
        for (const key of [1, 2, 3, 4, 5, 41, 42, 43, 44, 45])
          for (const height of [2, 5, 8, 11, 14]) {
            const voted = height === 2 ? key <= 5 : chain.sets.get(height)!.get(addressOfKey(key)) !== undefined
            // A wrong signature costs less time than a right one, and is judged last.
            const outcome = chain.attempt(encode(voteEvidence(forged(key, height, 1), forged(key, height, 2))))
            const error = outcome.ok ? '' : decodeErrorResult({ abi, data: bytesToHex(outcome.data) as Hex }).errorName
            expect([key, height, error === 'ForgedEvidence']).toEqual([key, height, voted])
          }
      }),
      { numRuns: 8 },
    )
  })
})

const forged = (key: number, height: number, value: number): Vote => ({
  ...{ kind: 'prevote', height: height as Height, round: 0 as Round, valueId: block(value), validator: addressOfKey(key) },
  signature: new Uint8Array(64).fill(1),
})
