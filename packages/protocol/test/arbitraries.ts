import fc from 'fast-check'
import type { CompactBlock, RawBlock } from '../src/block.ts'
import { BLOOM_BYTES } from '../src/bloom.ts'
import { Address, Hash } from '../src/bytes.ts'
import {
  type CommitCertificate,
  type CommitSignature,
  type PolkaCertificate,
  type RoundCertificate,
  roundVoteKey,
} from '../src/certificate.ts'
import type { Consortium } from '../src/consortium.ts'
import { SIGNED_KIND, type SignedKind, type SigningDomain } from '../src/domain.ts'
import { type Evidence, proposalEvidence, voteEvidence } from '../src/evidence.ts'
import type { Genesis } from '../src/genesis.ts'
import type { Header } from '../src/header.ts'
import { addressOfPublicKey, publicKeyOf } from '../src/keys.ts'
import { LIMITS } from '../src/limits.ts'
import { nobleCrypto } from '../src/noble.ts'
import { NODE_KINDS, type RegisteredNode } from '../src/node-registry.ts'
import { type ChainId, Gas, Height, POWER_MAX, Power, Round, TimeMs, U32_MAX, U256_MAX, Wei } from '../src/numbers.ts'
import { type ChainParameters, FEE_POLICIES, PARAMETER_RANGES } from '../src/parameters.ts'
import { ACCESS } from '../src/policies.ts'
import type { Proposal } from '../src/proposal.ts'
import type { Log, Receipt } from '../src/receipt.ts'
import { ROLES } from '../src/roles.ts'
import { idOfName } from '../src/short-name.ts'
import { createValidatorSet, type Validator, type ValidatorSet } from '../src/validator-set.ts'
import type { Vote } from '../src/vote.ts'

/** Generators of valid values of every type. Most are small, and the ends of each range are frequent. */

export const bytesOf = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })
export const bytesUpTo = (length: number) => fc.uint8Array({ maxLength: length })

export const hash = bytesOf(32).map((bytes) => Hash(bytes))
export const address = bytesOf(20).map((bytes) => Address(bytes))
export const signature = bytesOf(64)

const upTo = (max: number) =>
  fc.oneof(
    fc.integer({ min: 0, max: Math.min(max, 10) }),
    fc.maxSafeNat().map((n) => n % (max + 1)),
    fc.constant(max),
  )

export const height = upTo(Number.MAX_SAFE_INTEGER - 1).map(Height)
export const round = upTo(U32_MAX).map(Round)
export const gas = upTo(Number.MAX_SAFE_INTEGER - 1).map(Gas)
export const power = upTo(POWER_MAX - 1).map((value) => Power(value + 1))
export const chainId = upTo(Number.MAX_SAFE_INTEGER - 1).map((value) => (value + 1) as ChainId)
export const wei = fc.oneof(fc.bigInt(0n, 300n), fc.bigInt(0n, U256_MAX), fc.constant(U256_MAX)).map(Wei)

/** Printable ASCII. */
export const ascii = (max: number) => fc.string({ unit: 'grapheme-ascii', maxLength: max })

const optional = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined })

/** Sorted lists without duplicates, as in registries, sets and certificates. */
const sortedBy = <T>(item: fc.Arbitrary<T>, key: (value: T) => string, minLength: number, maxLength: number) =>
  fc
    .uniqueArray(item, { selector: key, minLength, maxLength })
    .map((items) => items.toSorted((a, b) => (key(a) < key(b) ? -1 : 1)) as readonly T[])

// Consensus

export const signingDomain: fc.Arbitrary<SigningDomain> = fc.record({ genesisHash: hash, restartEpoch: upTo(U32_MAX) })
export const signedKind = fc.constantFrom(...(Object.keys(SIGNED_KIND) as SignedKind[]))
export const voteKind = fc.constantFrom('prevote' as const, 'precommit' as const)

export const vote: fc.Arbitrary<Vote> = fc.record({
  kind: voteKind,
  height,
  round,
  valueId: optional(hash),
  validator: address,
  signature,
})

export const proposal: fc.Arbitrary<Proposal> = fc
  .record({ height, round, valueId: hash, polRound: optional(upTo(U32_MAX)), proposer: address, signature })
  .map(({ polRound, ...rest }) => ({
    ...rest,
    polRound: polRound === undefined || rest.round === 0 ? undefined : Round(polRound % rest.round),
  }))

const byValidator = ({ validator }: CommitSignature) => validator
const signatures = (max: number) => sortedBy(fc.record({ validator: address, signature }), byValidator, 1, max)

export const commitCertificate: fc.Arbitrary<CommitCertificate> = fc.record({
  height,
  round,
  blockHash: hash,
  signatures: signatures(5),
})

export const polkaCertificate: fc.Arbitrary<PolkaCertificate> = fc.record({
  height,
  round,
  valueId: hash,
  signatures: signatures(5),
})

/** Validators from a small pool, so that one often has votes of both kinds. */
const fewAddresses = fc.integer({ min: 1, max: 4 }).map((n) => Address(new Uint8Array(20).fill(n)))

export const roundCertificate: fc.Arbitrary<RoundCertificate> = fc.record({
  height,
  round: upTo(U32_MAX - 1).map((value) => Round(value + 1)),
  reason: fc.constantFrom('precommit-any' as const, 'skip' as const),
  votes: sortedBy(fc.record({ kind: voteKind, valueId: optional(hash), validator: fewAddresses, signature }), roundVoteKey, 1, 6),
})

export const evidence: fc.Arbitrary<Evidence> = fc.oneof(
  fc
    .tuple(vote, optional(hash), signature)
    .filter(([first, valueId]) => first.valueId !== valueId)
    .map(([first, valueId, other]) => voteEvidence(first, { ...first, valueId, signature: other })),
  fc
    .tuple(proposal, proposal)
    .map(([first, second]) => [first, { ...second, height: first.height, round: first.round, proposer: first.proposer }] as const)
    .map(([first, second]) => [first, { ...second, polRound: first.polRound }] as const)
    .filter(([first, second]) => first.valueId !== second.valueId)
    .map(([first, second]) => proposalEvidence(first, second)),
)

// Blocks

const headerFields = fc.record({
  parentHash: hash,
  miner: address,
  stateRoot: hash,
  transactionsRoot: hash,
  receiptsRoot: hash,
  logsBloom: bytesOf(BLOOM_BYTES),
  number: height,
  gasLimit: upTo(LIMITS.blockGasMax).map(Gas),
  gasUsed: gas,
  timeMs: upTo(LIMITS.timeMsMax).map(TimeMs),
  baseFeePerGas: wei,
  extra: fc.record({ executionVersion: hash, validatorsHash: hash, nextValidatorsHash: hash }),
  genesisDigest: hash,
})

export const header: fc.Arbitrary<Header> = headerFields.map((fields) => ({
  ...fields,
  gasUsed: Gas(fields.gasUsed % (fields.gasLimit + 1)),
  genesisDigest: fields.number === 0 ? fields.genesisDigest : undefined,
}))

export const body = fc.array(fc.uint8Array({ minLength: LIMITS.transactionBytesMin, maxLength: 200 }), {
  maxLength: 6,
}) as fc.Arbitrary<readonly Uint8Array[]>
export const rawBlock: fc.Arbitrary<RawBlock> = fc.record({ header, transactions: body })
export const certifiedBlock = fc.record({ header, transactions: body, certificate: commitCertificate })
export const compactBlock: fc.Arbitrary<CompactBlock> = fc.record({ header, transactionHashes: fc.array(hash, { maxLength: 8 }) })

export const log: fc.Arbitrary<Log> = fc.record({
  address,
  topics: fc.array(hash, { maxLength: LIMITS.logTopicsMax }),
  data: bytesUpTo(70),
})

export const receipt: fc.Arbitrary<Receipt> = fc.record({
  status: fc.constantFrom(0 as const, 1 as const),
  gasUsed: gas,
  cumulativeGasUsed: gas,
  logs: fc.array(log, { maxLength: 4 }),
  errorData: bytesUpTo(40),
  contractAddress: optional(address),
  payer: address,
})

// Validators, parameters and genesis

export const publicKey = bytesOf(33).map(publicKeyOf)

/** Ids of names from a pool that is small enough for some to be equal. */
export const id = fc.stringMatching(/^[a-c](-[x-z0-9]){0,2}$/).map((name) => idOfName(name)!)

export const validator: fc.Arbitrary<Validator> = fc.record({ id, address, publicKey, power, feeAddress: address })

const isSameMember = (a: Validator, b: Validator) => a.address === b.address || a.id === b.id

export const validatorSet: fc.Arbitrary<ValidatorSet> = fc
  .uniqueArray(validator, { comparator: isSameMember, minLength: 1, maxLength: 6 })
  .map(createValidatorSet)

type RangedName = keyof typeof PARAMETER_RANGES
const ranged = ([min, max]: readonly [number, number]) =>
  fc.oneof(fc.constant(min), fc.constant(max), fc.integer({ min, max: Math.min(max, 2 ** 31 - 1) }))
const rangedNames = Object.keys(PARAMETER_RANGES) as RangedName[]
const ranges = Object.fromEntries(rangedNames.map((name) => [name, ranged(PARAMETER_RANGES[name])])) as Record<
  RangedName,
  fc.Arbitrary<number>
>

export const parameters: fc.Arbitrary<ChainParameters> = fc
  .record({ ...ranges, feePolicy: fc.constantFrom(...FEE_POLICIES), initialBaseFee: fc.bigInt(1n, U256_MAX) })
  .map((fields) => ({
    ...fields,
    blockGasMax: Gas(Math.max(fields.blockGasMax, 2 * fields.transactionGasMax)),
    transactionGasMax: Gas(fields.transactionGasMax),
    initialBaseFee: Wei(fields.initialBaseFee),
    heartbeatIntervalMs: Math.max(fields.heartbeatIntervalMs, fields.blockIntervalMs),
    validatorsMax: Math.max(fields.validatorsMax, fields.validatorsMin),
  }))

export const nodeRegistry: fc.Arbitrary<readonly RegisteredNode[]> = sortedBy(
  fc.record({
    peerId: ascii(LIMITS.peerIdCharsMax),
    kind: fc.constantFrom(...NODE_KINDS),
    organisation: id,
    addresses: fc.array(ascii(LIMITS.nodeAddressCharsMax), { maxLength: LIMITS.nodeAddressesMax }),
  }),
  ({ peerId }) => peerId,
  0,
  5,
)

// Genesis, with keys that are points on the curve: its JSON identifies a validator by its key alone

export const realValidator: fc.Arbitrary<Validator> = fc
  .record({ id, secretKey: fc.integer({ min: 1, max: 40 }), power, feeAddress: optional(address) })
  .map(({ secretKey, feeAddress, ...rest }) => {
    const publicKey = publicKeyOf(nobleCrypto.publicKey(new Uint8Array(32).fill(secretKey))!)
    const own = addressOfPublicKey(nobleCrypto, publicKey)!
    return { ...rest, publicKey, address: own, feeAddress: feeAddress ?? own }
  })

const realValidatorSet = fc
  .uniqueArray(realValidator, { comparator: isSameMember, minLength: 1, maxLength: 4 })
  .map(createValidatorSet)

const byAddress = (entry: { readonly address: Address }) => entry.address

/** Any roles that have a meaning. */
export const roles = fc.nat(U32_MAX).map((bits) => (bits & 0xffff_007f) >>> 0)

const visibleText = fc.stringMatching(/^[!-~]{1,20}$/)
const amountUpTo = (max: number) => fc.oneof(fc.constantFrom(0, 1, max), fc.nat(max))

/** Organisations and accounts, with a function that chooses one of the organisations. */
const members = fc.uniqueArray(id, { minLength: 1, maxLength: 3 }).chain((ids) =>
  fc.record({
    organisations: fc.tuple(
      ...ids.toSorted().map((own) =>
        fc.record({
          id: fc.constant(own),
          name: fc
            .string({ minLength: 1, maxLength: 8, unit: 'grapheme' })
            .map((name) => [...name].slice(0, LIMITS.organisationNameBytesMax / 4).join('')),
          votes: amountUpTo(LIMITS.votesMax),
          share: amountUpTo(LIMITS.shareMax - 1).map((share) => share + 1),
          grantable: roles,
        }),
      ),
    ),
    accounts: sortedBy(
      fc
        .record({ address, organisation: fc.constantFrom(...ids), roles, expiry: upTo(2 ** 40) })
        .map((entry) => ((entry.roles & ROLES.voter) === 0 ? entry : { ...entry, expiry: 0 })),
      byAddress,
      0,
      3,
    ),
  }),
)

const consortiumOf = (validators: ValidatorSet) =>
  members.chain(({ organisations, accounts }) => {
    const organisation = fc.constantFrom(...organisations.map((entry) => entry.id))
    const ids = validators.validators.map((member) => member.id).toSorted()
    return fc
      .record({
        nodes: sortedBy(
          fc.record({
            peerId: visibleText,
            kind: fc.constantFrom(...NODE_KINDS),
            organisation,
            addresses: fc.array(visibleText, { maxLength: 2 }),
          }),
          ({ peerId }) => peerId,
          0,
          3,
        ),
        places: fc.tuple(...ids.map(() => organisation)),
        hasNodes: fc.boolean(),
        governor: address,
        participants: sortedBy(address, (entry) => entry, 0, 3),
        policies: fc.record({
          sending: fc.constantFrom(...ACCESS),
          deploying: fc.constantFrom(...ACCESS),
          reading: fc.constantFrom(...ACCESS),
        }),
      })
      .map(({ nodes, places, hasNodes, ...rest }) => {
        const free = hasNodes ? [...nodes] : []
        const seats = ids.map((own, i) => {
          const at = free.findIndex((node) => node.organisation === places[i])
          const peerIds = at < 0 ? [] : free.splice(at, 1).map(({ peerId }) => peerId)
          return { id: own, organisation: places[i]!, peerIds }
        })
        const consortium: Consortium = { organisations, accounts, seats, ...rest }
        return { nodes, consortium }
      })
  })

const plainGenesis: fc.Arbitrary<Genesis> = realValidatorSet.chain((validators) =>
  consortiumOf(validators).chain(({ nodes, consortium }) =>
    fc.record({
      chainId,
      timeMs: upTo(LIMITS.timeMsMax).map(TimeMs),
      development: fc.boolean(),
      executionVersion: hash,
      parameters,
      validators: fc.constant(validators),
      nodes: fc.constant(nodes),
      consortium: fc.constant(consortium),
      alloc: sortedBy(fc.record({ address, balance: wei }), byAddress, 0, 4),
      systemContracts: sortedBy(fc.record({ address, code: bytesUpTo(20) }), byAddress, 0, 3),
      restart: optional(
        fc.record({ epoch: upTo(U32_MAX - 1).map((value) => value + 1), height, blockHash: hash, validators: realValidatorSet }),
      ),
    }),
  ),
)

export const genesis: fc.Arbitrary<Genesis> = fc
  .tuple(plainGenesis, fc.boolean())
  .map(([document, simulated]) => (simulated ? { ...document, simulated } : document))

/** Mutations of an encoding: bytes changed, removed, inserted or repeated. */
export const mutationOf = (bytes: Uint8Array): fc.Arbitrary<Uint8Array> => {
  const at = fc.nat(Math.max(0, bytes.length - 1))
  const byte = fc.oneof(fc.constantFrom(0x00, 0x01, 0x7f, 0x80, 0xc0, 0xff), fc.nat(255))
  const spliced = (from: number, count: number, put: readonly number[]) =>
    Uint8Array.from([...bytes.subarray(0, from), ...put, ...bytes.subarray(from + count)])
  return fc.oneof(
    { weight: 6, arbitrary: fc.tuple(at, byte).map(([from, value]) => spliced(from, 1, [value])) },
    { weight: 2, arbitrary: fc.tuple(at, byte).map(([from, value]) => spliced(from, 0, [value])) },
    { weight: 2, arbitrary: fc.tuple(at, fc.nat(40)).map(([from, count]) => spliced(from, count + 1, [])) },
    { weight: 1, arbitrary: fc.tuple(at, at).map(([from, to]) => spliced(from, 0, [...bytes.subarray(to, to + 32)])) },
    // A length prefix one byte longer than necessary, near the beginning, where formats have their first length.
    { weight: 1, arbitrary: fc.nat(3).map((from) => spliced(from, 1, [(bytes[from] ?? 0) + 1, 0])) },
    { weight: 1, arbitrary: at.map((length) => bytes.slice(0, length)) },
    { weight: 1, arbitrary: bytesUpTo(9).map((tail) => spliced(bytes.length, 0, [...tail])) },
  )
}
