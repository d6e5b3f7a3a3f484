import {
  bodyCodec,
  type ContractContainer,
  certifiedBlockCodec,
  commitCertificateCodec,
  compactBlockCodec,
  concatBytes,
  consortiumCodec,
  decodeContainer,
  decodeTransaction,
  encodeContainer,
  encodeRlp,
  evidenceCodec,
  genesisDigest,
  genesisToJson,
  Hash,
  headerCodec,
  logCodec,
  nodeRegistryCodec,
  parametersCodec,
  parseGenesis,
  polkaCertificateCodec,
  proposalCodec,
  publicKeyCodec,
  RlpFailure,
  RlpReader,
  type RlpValue,
  rawBlockCodec,
  receiptCodec,
  receiptsCodec,
  recoverSender,
  roundCertificateCodec,
  type StateProof,
  stateProofCodec,
  stateProofDepthMax,
  type Transaction,
  type ValidatorSet,
  validatorCodec,
  validatorSetCodec,
  verifyStateProof,
  voteCodec,
} from '@quoin/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { loadCrypto } from '../../packages/node/src/crypto/load.ts'
import { container } from '../../packages/protocol/test/abi-arbitraries.ts'
import * as any from '../../packages/protocol/test/arbitraries.ts'
import * as governed from '../../packages/protocol/test/governed-arbitraries.ts'
import { CHAIN_ID, reencode } from '../../packages/protocol/test/transactions.ts'
import { codecTarget, fuzz, fuzzTargets, resultTarget, type Target, throwingTarget } from './fuzz.ts'

const crypto = await loadCrypto()
const membersOf = ({ validators }: ValidatorSet) => validators

const notZero = any.bytesOf(32).filter((bytes) => bytes.some((byte) => byte !== 0))
const stateProof: fc.Arbitrary<StateProof> = fc.record({
  siblings: fc.array(fc.option(notZero, { nil: undefined }), { maxLength: 9 }),
  terminal: fc.oneof(
    fc.constant({ kind: 'key' } as const),
    fc.constant({ kind: 'empty' } as const),
    fc.record({ kind: fc.constant('other' as const), key: any.bytesOf(32), valueHash: any.bytesOf(32) }),
  ),
})

/** The fields in a transaction's bytes. It is not signed: any r and low s have the form of a signature. */
type Fields = Omit<Transaction, 'hash' | 'raw'>
const accessList = fc.array(fc.record({ address: any.address, storageKeys: fc.array(any.hash, { maxLength: 2 }) }), {
  maxLength: 2,
})
const transaction: fc.Arbitrary<Fields> = fc
  .record({
    type: fc.constantFrom(0 as const, 1 as const, 2 as const),
    chainId: fc.constant(CHAIN_ID),
    nonce: fc.nat(2 ** 31 - 1),
    maxPriorityFeePerGas: any.wei,
    maxFeePerGas: any.wei,
    gasLimit: any.gas,
    to: fc.option(any.address, { nil: undefined }),
    value: any.wei,
    data: any.bytesUpTo(70),
    accessList,
    yParity: fc.constantFrom(0 as const, 1 as const),
    signature: any.bytesOf(64).map((bytes) => bytes.with(0, 1).with(32, 0x7e)),
  })
  .map((fields) => ({
    ...fields,
    nonce: fields.nonce as Transaction['nonce'],
    maxPriorityFeePerGas: fields.type === 2 ? fields.maxPriorityFeePerGas : fields.maxFeePerGas,
    accessList: fields.type === 0 ? [] : fields.accessList,
  }))

const fieldsOf = ({ hash: _, raw: __, ...fields }: Transaction): Fields => fields
const transactionTarget: Target = resultTarget<Fields>(
  (fields) => reencode(fields as Transaction),
  (bytes) => {
    const decoded = decodeTransaction(crypto, CHAIN_ID, bytes)
    if (!decoded.ok) return decoded
    expect(recoverSender(crypto, decoded.value)).toSatisfy((sender) => sender === undefined || /^0x[0-9a-f]{40}$/.test(sender))
    return { ok: true, value: fieldsOf(decoded.value) }
  },
  transaction,
)

/** Creation data: a container, and the bytes after it. */
interface Creation {
  readonly container: ContractContainer
  readonly constructorArguments: Uint8Array
}
const creation: fc.Arbitrary<Creation> = fc.record({ container, constructorArguments: any.bytesUpTo(40) })
const creationTarget: Target = resultTarget(
  ({ container: value, constructorArguments }) => concatBytes(encodeContainer(value), constructorArguments),
  (bytes) => {
    const decoded = decodeContainer(bytes)
    if (!decoded.ok) return decoded
    const { container: value, code, constructorArguments } = decoded.value
    expect(concatBytes(code, constructorArguments)).toEqual(bytes)
    return { ok: true, value: { container: value, constructorArguments } }
  },
  creation,
)

const { rlp } = fc.letrec<{ rlp: RlpValue }>((tie) => ({
  rlp: fc.oneof({ depthSize: 'small' }, any.bytesUpTo(60), fc.array(tie('rlp'), { maxLength: 5 })),
}))
function readRlp(reader: RlpReader): RlpValue {
  const { kind, start, end } = reader.item()
  if (kind === 'bytes') return reader.bytes.slice(start, end)
  const inside = new RlpReader(reader.bytes, start, end)
  const items: RlpValue[] = []
  while (!inside.done) items.push(readRlp(inside))
  return items
}
function decodeRlp(bytes: Uint8Array): RlpValue {
  const reader = new RlpReader(bytes)
  const value = readRlp(reader)
  reader.finish()
  return value
}

fuzzTargets({
  RLP: throwingTarget(encodeRlp, decodeRlp, RlpFailure, rlp),
  transaction: transactionTarget,
  'creation data': creationTarget,
  headerCodec: codecTarget(headerCodec, any.header),
  bodyCodec: codecTarget(bodyCodec, any.body),
  rawBlockCodec: codecTarget(rawBlockCodec, any.rawBlock),
  compactBlockCodec: codecTarget(compactBlockCodec, any.compactBlock),
  certifiedBlockCodec: codecTarget(certifiedBlockCodec, any.certifiedBlock),
  logCodec: codecTarget(logCodec, any.log),
  receiptCodec: codecTarget(receiptCodec, any.receipt),
  receiptsCodec: codecTarget(receiptsCodec, fc.array(any.receipt, { maxLength: 3 })),
  voteCodec: codecTarget(voteCodec, any.vote),
  proposalCodec: codecTarget(proposalCodec, any.proposal),
  commitCertificateCodec: codecTarget(commitCertificateCodec, any.commitCertificate),
  polkaCertificateCodec: codecTarget(polkaCertificateCodec, any.polkaCertificate),
  roundCertificateCodec: codecTarget(roundCertificateCodec, any.roundCertificate),
  evidenceCodec: codecTarget(evidenceCodec, any.evidence),
  publicKeyCodec: codecTarget(publicKeyCodec, any.publicKey),
  validatorCodec: codecTarget(validatorCodec, any.validator),
  validatorSetCodec: codecTarget(validatorSetCodec, any.validatorSet, membersOf),
  parametersCodec: codecTarget(parametersCodec, any.parameters),
  nodeRegistryCodec: codecTarget(nodeRegistryCodec, any.nodeRegistry),
  consortiumCodec: codecTarget(consortiumCodec, governed.consortium),
  stateProofCodec: codecTarget(stateProofCodec, stateProof),
})

describe('verifyStateProof', () => {
  it('answers for every proof that decodes', () => {
    const anyLength = fc.uint8Array({ minLength: 30, maxLength: 34 })
    const proof: fc.Arbitrary<StateProof> = fc.record({
      siblings: fc.array(fc.option(anyLength, { nil: undefined }), { maxLength: stateProofDepthMax + 2 }),
      terminal: fc.oneof(
        fc.constantFrom({ kind: 'key' } as const, { kind: 'empty' } as const),
        fc.record({ kind: fc.constant('other' as const), key: anyLength, valueHash: anyLength }),
      ),
    })
    fuzz(
      fc.property(
        any.bytesOf(32),
        anyLength,
        fc.option(any.bytesUpTo(9), { nil: undefined }),
        proof,
        (root, key, value, shown) => {
          expect(verifyStateProof(crypto, Hash(root), key, value, shown)).toBe(false)
        },
      ),
      200,
    )
  })
})

describe('genesis as JSON', () => {
  /** Values that occur in a document, put anywhere in it. */
  const piece = fc.oneof(
    { weight: 3, arbitrary: fc.jsonValue({ maxDepth: 1 }) },
    {
      weight: 1,
      arbitrary: fc.constantFrom<unknown>('0x', `0x${'00'.repeat(20)}`, `0x${'00'.repeat(32)}`, '1', 0, 1, 100, -1, null, [], {}),
    },
  )

  function replaced(json: unknown, path: readonly number[], value: unknown): unknown {
    if (path.length === 0 || typeof json !== 'object' || json === null) return value
    const keys = Object.keys(json)
    if (keys.length === 0) return value
    const key = keys[path[0]! % keys.length]!
    const inner = replaced((json as Readonly<Record<string, unknown>>)[key], path.slice(1), value)
    return Array.isArray(json) ? json.with(Number(key), inner) : { ...json, [key]: inner }
  }

  it('is read, or refused by the name of a field', () => {
    const document = any.genesis.map((genesis) => JSON.parse(JSON.stringify(genesisToJson(genesis))) as unknown)
    const changes = fc.array(fc.tuple(fc.array(fc.nat(30), { minLength: 1, maxLength: 4 }), piece), {
      minLength: 1,
      maxLength: 2,
    })
    fuzz(
      fc.property(document, changes, (json, edits) => {
        const changed = edits.reduce((current, [path, value]) => replaced(current, path, value), json)
        const parsed = parseGenesis(crypto, changed)
        if (parsed.ok) {
          const again = parseGenesis(crypto, JSON.parse(JSON.stringify(genesisToJson(parsed.value))))
          expect(again.ok && genesisDigest(crypto, again.value)).toBe(genesisDigest(crypto, parsed.value))
        } else expect(parsed.error.message).toMatch(/^.+: ./s)
      }),
      300,
    )
  })

  it('is refused when it is anything else', () => {
    fuzz(
      fc.property(fc.jsonValue(), (json) => {
        expect(parseGenesis(crypto, json)).toMatchObject({ ok: false, error: { code: 'invalid-genesis' } })
      }),
      200,
    )
  })
})
