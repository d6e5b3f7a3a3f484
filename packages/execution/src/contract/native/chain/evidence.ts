import {
  type Address,
  bytesToHex,
  codec,
  compressedKey,
  EVIDENCE_HEIGHTS_MAX,
  type Evidence,
  evidenceCodec,
  type Hash,
  type Height,
  type Offence,
  offenceOf,
  type PublicKey,
  type Round,
  SIGNED_ONCE,
  type SignedOnce,
  signedInEvidence,
  ZERO_ADDRESS,
  ZERO_HASH,
} from '@quoin/protocol'
import { SYSTEM_ENTRIES, type TakenEvidence, type ValidatorKeyUse } from '../../../state/system-entries.ts'
import { SYSTEM_RECORDS } from '../../../state/system-records.ts'
import { disk } from '../../../ticks.ts'
import { LIBRARY_GAS } from '../../library/library-gas.ts'
import { bytesOf, type ChainState, chainAction, idOf } from './chain-state.ts'
import { domainOf, find, put, SIGNATURE_GAS } from './validators.ts'

const { validatorKey: KEY, evidence: TAKEN, firstEvidence: FIRST } = SYSTEM_ENTRIES

/** Decodes evidence of any length, and makes its two digests: 10 µs. */
const DECODING = disk(3_000)

/** Decoded evidence and the hash by which it is known. */
interface Read {
  readonly evidence: Evidence
  readonly hash: Hash
}

/** Decodes evidence strictly: one offence has one encoding for each pair of messages. */
function read(chain: ChainState, bytes: Uint8Array): Read {
  if (bytes.length > evidenceCodec.bytesMax)
    chain.refuse('MalformedEvidence', `${bytes.length} bytes, at most ${evidenceCodec.bytesMax} are allowed`)
  chain.pay(DECODING + LIBRARY_GAS.keccak256.base + 3 * LIBRARY_GAS.keccak256.block)
  const decoded = codec.decode(evidenceCodec, bytes)
  if (!decoded.ok) return chain.refuse('MalformedEvidence', decoded.error.message)
  return { evidence: decoded.value, hash: bytesToHex(chain.crypto.keccak256(bytes)) as string as Hash }
}

/** The entry of the key that signed. */
function keyOf(
  chain: ChainState,
  validator: Address,
): ValidatorKeyUse & { readonly votes: NonNullable<ValidatorKeyUse['votes']> } {
  const use = chain.entry(KEY, validator)
  return use?.votes === undefined ? chain.refuse('NotAValidatorKey', validator) : { ...use, votes: use.votes }
}

/**
 * Evidence counts at the heights at which the key was in the validator set, up to this block's and at most `EVIDENCE_HEIGHTS_MAX` back. Not
 * at those at which it was the validator's key: a rotation takes effect two heights later or more, and the old key votes until then. After
 * that it proves nothing: whoever finds an old key could sign for later heights, where no honest node counts it.
 */
function checkTime(
  chain: ChainState,
  { height }: Offence,
  { from, to }: { readonly from: Height; readonly to: Height | undefined },
): void {
  const { number } = chain.block
  const first = Math.max(from, number - EVIDENCE_HEIGHTS_MAX)
  const last = Math.min(to ?? number, number)
  if (height < first || height > last) chain.refuse('EvidenceOutOfTime', BigInt(height), BigInt(first), BigInt(last))
}

/** Checks both signatures over the digests that validators sign. */
function checkSignatures(chain: ChainState, evidence: Evidence, validator: Address, publicKey: PublicKey): void {
  const domain = domainOf(chain)
  for (const { digest, signature } of signedInEvidence(chain.crypto, domain, evidence)) {
    chain.pay(SIGNATURE_GAS)
    if (!chain.crypto.verify(digest, signature, compressedKey(publicKey))) chain.refuse('ForgedEvidence', validator)
  }
}

/** The validator gets no power again. It keeps its entry, also if it was flagged before. One that was removed has none. */
function flag(chain: ChainState, id: Hash): void {
  const entry = find(chain.record(SYSTEM_RECORDS.roster), id)
  if (entry === undefined || entry.equivocated) return
  put(chain, { ...entry, equivocated: true, changedAt: chain.block.number })
}

const kindOf = (chain: ChainState, kind: string): SignedOnce =>
  SIGNED_ONCE.find((known) => known === kind) ?? chain.refuse('Invalid', 'kind', `must be one of ${SIGNED_ONCE.join(', ')}`)

const NONE: TakenEvidence = { hash: ZERO_HASH, takenAt: 0 as Height, reporter: ZERO_ADDRESS }

const answerOf = ({ hash, takenAt, reporter }: TakenEvidence) => [bytesOf(hash), BigInt(takenAt), reporter] as const

/** Evidence that a validator has contradicted itself. Anybody may bring it: only the validator's key can have made it. */
export const EVIDENCE = {
  reportEquivocation: chainAction((chain, bytes: Uint8Array) => {
    const { evidence, hash } = read(chain, bytes)
    const offence = offenceOf(evidence)
    const { height, round, kind, validator } = offence
    const { id, publicKey, votes } = keyOf(chain, validator)
    checkTime(chain, offence, votes)
    const known = chain.entry(TAKEN, id, height, round, kind)
    if (known !== undefined) chain.refuse('AlreadyReported', bytesOf(id), bytesOf(known.hash))
    checkSignatures(chain, evidence, validator, publicKey)
    const taken: TakenEvidence = { hash, takenAt: chain.block.number, reporter: chain.sender }
    chain.setEntry(TAKEN, taken, id, height, round, kind)
    if (chain.entry(FIRST, id) === undefined) chain.setEntry(FIRST, { ...taken, height, round, kind }, id)
    flag(chain, id)
    chain.emit('Equivocated', bytesOf(id), BigInt(height), bytesOf(hash), chain.sender)
  }),
  equivocation: chainAction((chain, id: Uint8Array, height: bigint, round: bigint, kind: string) => {
    const found = chain.entry(TAKEN, idOf(id), checkHeight(chain, height), Number(round) as Round, kindOf(chain, kind))
    return [found !== undefined, ...answerOf(found ?? NONE)]
  }),
  firstEquivocation: chainAction((chain, id: Uint8Array) => {
    const found = chain.entry(FIRST, idOf(id))
    if (found === undefined) return [false, 0n, 0n, '', ...answerOf(NONE)]
    return [true, BigInt(found.height), BigInt(found.round), found.kind, ...answerOf(found)]
  }),
}

function checkHeight(chain: ChainState, height: bigint): Height {
  if (height > BigInt(Number.MAX_SAFE_INTEGER)) chain.refuse('Invalid', 'height', `is ${height}, must be below 2^53`)
  return Number(height) as Height
}
