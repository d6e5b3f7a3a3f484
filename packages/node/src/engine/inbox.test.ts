import { CONSENSUS_LIMITS, selectProposer } from '@quoin/consensus'
import {
  type Address,
  type Crypto,
  concatBytes,
  type Evidence,
  emptyBloom,
  type Gas,
  Hash,
  type Header,
  type Height,
  headerHash,
  nobleCrypto,
  proposalDigest,
  type Round,
  type SigningDomain,
  type TimeMs,
  transactionsRoot,
  type UnsignedProposal,
  type UnsignedVote,
  type Vote,
  voteDigest,
  voteEvidence,
  type Wei,
  ZERO_ADDRESS,
  ZERO_HASH,
} from '@quoin/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LogRecorder, testValidators } from '../../test/chain.ts'
import type { Offence, PeerId } from '../powers.ts'
import { Inbox, type InboxPosition } from './inbox.ts'
import { ENGINE_LIMITS } from './limits.ts'
import { decodeMessageHead, type EngineMessage, encodeMessage, proposalBytesMax } from './messages.ts'

const HEIGHT = 7 as Height
const domain: SigningDomain = { genesisHash: Hash(new Uint8Array(32).fill(3)), restartEpoch: 0 }
const now = testValidators(nobleCrypto, 4)
/** From the next height on, another validator set votes. */
const next = testValidators(nobleCrypto, 5)
const keys = new Map([...now.secretKeys, ...next.secretKeys])
const [first, , , fourth] = now.set.validators
const fifth = next.set.validators.find(({ address }) => !now.secretKeys.has(address))

const signed = (digest: Uint8Array, signer: Address) => nobleCrypto.sign(digest, keys.get(signer)!).signature

function vote(of: Partial<UnsignedVote> & { readonly validator: Address }): Uint8Array {
  const unsigned: UnsignedVote = { kind: 'prevote', height: HEIGHT, round: 0 as Round, valueId: ZERO_HASH, ...of }
  return encodeMessage({
    kind: 'vote',
    vote: { ...unsigned, signature: signed(voteDigest(nobleCrypto, domain, unsigned), unsigned.validator) },
  })
}

function proposal(of: Partial<UnsignedProposal> = {}, timeMs = 1, set = now.set): EngineMessage {
  const height = of.height ?? HEIGHT
  const round = of.round ?? (0 as Round)
  const header: Header = {
    parentHash: ZERO_HASH,
    miner: ZERO_ADDRESS,
    stateRoot: ZERO_HASH,
    transactionsRoot: Hash(transactionsRoot(nobleCrypto, [ZERO_HASH])),
    receiptsRoot: ZERO_HASH,
    logsBloom: emptyBloom(),
    number: height,
    gasLimit: 1 as Gas,
    gasUsed: 0 as Gas,
    timeMs: timeMs as TimeMs,
    extra: { executionVersion: ZERO_HASH, validatorsHash: ZERO_HASH, nextValidatorsHash: ZERO_HASH },
    genesisDigest: undefined,
    baseFeePerGas: 0n as Wei,
  }
  const unsigned: UnsignedProposal = {
    height,
    round,
    valueId: headerHash(nobleCrypto, header),
    polRound: undefined,
    proposer: selectProposer(set, height, round),
    ...of,
  }
  const signature = signed(proposalDigest(nobleCrypto, domain, unsigned), unsigned.proposer)
  const block = { header, transactionHashes: [ZERO_HASH] }
  return { kind: 'proposal', proposal: { ...unsigned, signature }, block, polka: undefined }
}

function setUp(power: Partial<Crypto> = {}) {
  const checked = { signatures: 0 }
  const crypto: Crypto = {
    ...nobleCrypto,
    verify: (...given) => {
      checked.signatures++
      return nobleCrypto.verify(...given)
    },
    ...power,
  }
  const blamed: { peer: PeerId; offence: Offence }[] = []
  const hints: number[] = []
  const evidence: { from: PeerId; found: Evidence }[] = []
  const log = new LogRecorder()
  const inbox = new Inbox({
    crypto,
    domain,
    logger: log,
    sync: { hint: (_, height) => hints.push(height) },
    penalise: (peer, offence) => blamed.push({ peer, offence }),
    onVote: () => {},
    onEvidence: (from, found) => evidence.push({ from, found }),
  })
  let position: InboxPosition = {
    height: HEIGHT,
    round: 0 as Round,
    validators: now.set,
    nextValidators: next.set,
    proposalBytesMax: proposalBytesMax(72_000_000),
    takes: () => true,
  }
  const sort = (bytes: Uint8Array, from = 'peer') => inbox.sort({ from, bytes, receivedMs: 5 }, position)
  const move = (to: Partial<InboxPosition>) => {
    position = { ...position, ...to }
  }
  const take = (bytes: Uint8Array) => {
    const sorted = sort(bytes)
    if (sorted?.kind === 'current') inbox.taken(sorted.head)
    return sorted
  }
  return { inbox, sort, take, move, checked, blamed, hints, evidence, log }
}

describe('what is sorted out by its first bytes', () => {
  it('is evidence of any height, which is passed on as it is', () => {
    const { sort, checked, evidence, blamed, hints } = setUp()
    const of = (height: number, valueId: Hash | undefined): Vote => ({
      ...{ kind: 'prevote', height: height as Height, round: 0 as Round, valueId, validator: first!.address },
      signature: new Uint8Array(64),
    })
    const found = [1, HEIGHT, HEIGHT + 1_000].map((height) => voteEvidence(of(height, undefined), of(height, ZERO_HASH)))
    for (const one of found) expect(sort(encodeMessage({ kind: 'evidence', evidence: one }))).toBeUndefined()
    expect(evidence).toEqual(found.map((one) => ({ from: 'peer', found: one })))
    expect([checked.signatures, hints, blamed]).toEqual([0, [], []])
    const longer = concatBytes(encodeMessage({ kind: 'evidence', evidence: found[0]! }), Uint8Array.of(0))
    expect(sort(longer)).toBeUndefined()
    expect(blamed).toEqual([{ peer: 'peer', offence: 'malformed' }])
    expect(evidence).toHaveLength(3)
  })

  it('is late, or says that this node is behind, whatever follows: no signature is looked at', () => {
    const { sort, checked, hints, blamed } = setUp()
    const validator = first!.address
    expect(sort(vote({ validator, height: (HEIGHT - 1) as Height }))).toMatchObject({ kind: 'late', from: 'peer' })
    for (const ahead of [2, 8, 1_000]) expect(sort(vote({ validator, height: (HEIGHT + ahead) as Height }))).toBeUndefined()
    expect(sort(encodeMessage(proposal({ height: (HEIGHT + 2) as Height })))).toBeUndefined()
    expect([checked.signatures, hints, blamed]).toEqual([0, [HEIGHT + 1, HEIGHT + 7, HEIGHT + 999, HEIGHT + 1], []])
  })

  it('is of rounds that are too far away, ahead or behind', () => {
    const { sort, move, checked, blamed } = setUp()
    const current = 100
    move({ round: current as Round })
    const { roundsAheadMax, pastRoundsMax } = CONSENSUS_LIMITS
    const at = (round: number) => sort(vote({ validator: first!.address, round: round as Round }))?.kind
    const rounds = [current - pastRoundsMax - 1, current - pastRoundsMax, current + roundsAheadMax, current + roundsAheadMax + 1]
    expect(rounds.map(at)).toEqual([undefined, 'current', 'current', undefined])
    const far = (current + ENGINE_LIMITS.proposalRoundsAheadMax + 1) as Round
    expect(sort(encodeMessage(proposal({ round: far })))).toBeUndefined()
    expect(sort(encodeMessage(proposal({ round: (far - 1) as Round })))?.kind).toBe('current')
    expect([checked.signatures, blamed]).toEqual([3, []])
  })

  it('was processed before, whichever peer sends it', () => {
    const { sort, take, checked } = setUp()
    for (const bytes of [vote({ validator: first!.address }), encodeMessage(proposal())]) {
      expect(take(bytes)?.kind).toBe('current')
      const before = checked.signatures
      expect(sort(bytes, 'another')).toBeUndefined()
      expect(checked.signatures).toBe(before)
    }
  })

  it('is the third vote or proposal of a validator in one slot', () => {
    const { sort, checked, blamed } = setUp()
    const valueIds = [1, 2, 3, 4].map((n) => Hash(new Uint8Array(32).fill(n)))
    const votes = valueIds.map((valueId) => sort(vote({ validator: first!.address, valueId }))?.kind)
    expect(votes).toEqual(['current', 'current', undefined, undefined])
    // Another kind, another validator and another round have slots of their own.
    expect(sort(vote({ validator: first!.address, kind: 'precommit' }))?.kind).toBe('current')
    expect(sort(vote({ validator: fourth!.address, valueId: valueIds[3] }))?.kind).toBe('current')
    expect(sort(vote({ validator: first!.address, round: 1 as Round }))?.kind).toBe('current')
    const proposals = [1, 2, 3].map((timeMs) => sort(encodeMessage(proposal({}, timeMs)))?.kind)
    expect(proposals).toEqual(['current', 'current', undefined])
    expect([checked.signatures, blamed]).toEqual([7, []])
  })

  it('is longer than a proposal whose block could be valid', () => {
    const { sort, move, blamed, checked } = setUp()
    const bytes = encodeMessage(proposal())
    move({ proposalBytesMax: bytes.length - 1 })
    expect(sort(bytes)).toBeUndefined()
    expect([blamed, checked.signatures]).toEqual([[{ peer: 'peer', offence: 'oversized' }], 0])
  })
})

describe('what is refused', () => {
  it('is malformed, wrongly signed, out of turn, or another block than the proposed one', () => {
    const { sort, blamed } = setUp()
    const forged = vote({ validator: first!.address })
    forged[forged.length - 1]! ^= 1
    const message = proposal() as Extract<EngineMessage, { kind: 'proposal' }>
    const outOfTurn = now.set.validators.find(({ address }) => address !== message.proposal.proposer)!.address
    const other = { ...message, block: { ...message.block, transactionHashes: [ZERO_HASH, ZERO_HASH] } }
    const cases = [
      Uint8Array.of(99),
      encodeMessage(message).subarray(0, 300),
      forged,
      vote({ validator: fifth!.address }),
      encodeMessage(proposal({ proposer: outOfTurn })),
      encodeMessage(other),
    ]
    for (const bytes of cases) expect(sort(bytes)).toBeUndefined()
    expect(blamed.map(({ offence }) => offence)).toEqual([
      'malformed',
      'malformed',
      'invalid',
      'invalid',
      'out-of-turn',
      'invalid',
    ])
    // A refused message does not fill its slot.
    expect(sort(encodeMessage(message))?.kind).toBe('current')
  })

  it('a re-proposal without its polka waits for one with it, and no peer is penalised', () => {
    const { sort, blamed } = setUp()
    const message = proposal({ round: 2 as Round, polRound: 1 as Round }) as Extract<EngineMessage, { kind: 'proposal' }>
    expect(sort(encodeMessage(message))).toBeUndefined()
    // Its block is not checked, which would be the expensive part.
    const other = { ...message, block: { ...message.block, transactionHashes: [Hash(new Uint8Array(32))] } }
    expect(sort(encodeMessage(other))).toBeUndefined()
    expect(blamed).toEqual([])
  })

  it('any bytes: the result is a value, never an exception', () => {
    const { sort } = setUp()
    const sources = [vote({ validator: first!.address }), encodeMessage(proposal())]
    fc.assert(
      fc.property(
        fc.constantFrom(...sources),
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }),
        fc.nat(),
        (source, changes, cut) => {
          const bytes = source.slice(0, source.length - (cut % 3 === 0 ? cut % source.length : 0))
          for (const [at, value] of changes) if (bytes.length > 0) bytes[at % bytes.length] = value
          expect(() => sort(bytes)).not.toThrow()
        },
      ),
    )
  })

  it('a message whose handling fails, which is a bug: the failure is logged and the sender penalised', () => {
    const { sort, log, blamed } = setUp({
      verify: () => {
        throw new Error('a bug')
      },
    })
    expect(sort(vote({ validator: first!.address }))).toBeUndefined()
    expect([log.lines.map(({ level }) => level), blamed]).toEqual([['error'], [{ peer: 'peer', offence: 'invalid' }]])
  })
})

describe('what comes too early', () => {
  it('is verified by the set of its height, kept, and given back when that begins', () => {
    const { inbox, sort, blamed } = setUp()
    const height = (HEIGHT + 1) as Height
    const early = [vote({ validator: fifth!.address, height }), encodeMessage(proposal({ height }, 1, next.set))]
    for (const bytes of early) expect(sort(bytes)).toBeUndefined()
    const stranger = vote({ validator: first!.address, height })
    stranger[stranger.length - 1]! ^= 1
    sort(stranger)
    sort(vote({ validator: fifth!.address, height, round: ENGINE_LIMITS.earlyRoundsMax as Round }))
    sort(vote({ validator: fifth!.address, height: (height + 1) as Height }))
    expect(blamed.map(({ offence }) => offence)).toEqual(['invalid'])
    expect(inbox.kept(HEIGHT)).toEqual([])
    const heads = early.map((bytes) => decodeMessageHead(bytes))
    expect(inbox.kept(height).map(({ head }) => ({ ok: true, value: head }))).toEqual(heads)
    expect(inbox.kept(height)).toEqual([])
  })

  it('is verified once, whichever peer sends it again', () => {
    const { inbox, sort, checked } = setUp()
    const height = (HEIGHT + 1) as Height
    const early = [vote({ validator: fifth!.address, height }), encodeMessage(proposal({ height }, 1, next.set))]
    for (const bytes of early) sort(bytes)
    const { signatures } = checked
    for (const bytes of early) expect(sort(bytes, 'another')).toBeUndefined()
    expect([checked.signatures, inbox.kept(height).length]).toEqual([signatures, 2])
  })

  it('of this height waits until it begins', () => {
    const { inbox, sort, move } = setUp()
    move({ takes: (kind) => kind === 'proposal' })
    expect(sort(vote({ validator: first!.address }))).toBeUndefined()
    expect(sort(encodeMessage(proposal()))?.kind).toBe('current')
    expect(inbox.kept(HEIGHT)).toHaveLength(1)
  })
})
