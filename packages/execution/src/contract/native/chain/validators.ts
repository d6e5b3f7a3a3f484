import {
  type Address,
  addressOfUncompressedKey,
  compressedKey,
  type Hash,
  type Height,
  idProblem,
  LIMITS,
  POWER_MAX,
  type Power,
  PUBLIC_KEY_BYTES,
  type PublicKey,
  type RosterEntry,
  readyDigest,
  rotationDigest,
  type SigningDomain,
  ZERO_HASH,
} from '@quoin/protocol'
import { READY_HEIGHTS } from '../../../state/next-validators.ts'
import { SYSTEM_ENTRIES } from '../../../state/system-entries.ts'
import { SYSTEM_RECORDS } from '../../../state/system-records.ts'
import { LIBRARY_GAS } from '../../library/library-gas.ts'
import { mustHaveRole } from './accounts.ts'
import { addressOf, bytesOf, type ChainState, chainAction, idOf } from './chain-state.ts'
import { governs, mustGovern } from './governing.ts'
import { entryOf } from './nodes.ts'
import { countMembers, organisationOf } from './organisations.ts'

const { roster: ROSTER, sets: SETS, domain: DOMAIN } = SYSTEM_RECORDS
const { validatorKey: KEY } = SYSTEM_ENTRIES
const { validatorsMax, validatorPeersMax } = LIMITS

/** A validator's key is rotated at most once in so many blocks. */
export const ROTATION_HEIGHTS = 1_000

/** Checks one signature, or decompresses one key. */
const SIGNATURE_GAS = LIBRARY_GAS.recover.base

const find = (roster: readonly RosterEntry[], id: Hash): RosterEntry | undefined => roster.find((entry) => entry.id === id)

function validatorOf(chain: ChainState, id: Hash): RosterEntry {
  return find(chain.record(ROSTER), id) ?? chain.refuse('UnknownValidator', bytesOf(id))
}

const sorted = (entries: readonly RosterEntry[]): readonly RosterEntry[] => entries.toSorted((a, b) => (a.id < b.id ? -1 : 1))

function put(chain: ChainState, entry: RosterEntry): void {
  const others = chain.record(ROSTER).filter(({ id }) => id !== entry.id)
  chain.setRecord(ROSTER, sorted([...others, entry]))
}

/** A key that no validator has or ever had, and its address. */
function freshKey(chain: ChainState, bytes: Uint8Array): { readonly publicKey: PublicKey; readonly address: Address } {
  chain.pay(SIGNATURE_GAS)
  const isKey = bytes.length === PUBLIC_KEY_BYTES && bytes[0] === 1
  const uncompressed = isKey ? chain.crypto.decompress(bytes.subarray(1)) : undefined
  if (uncompressed === undefined)
    return chain.refuse('Invalid', 'publicKey', 'must be 0x01 and a compressed point on the curve secp256k1, 34 bytes')
  const address = addressOfUncompressedKey(chain.crypto, uncompressed)
  if (chain.entry(KEY, address) !== undefined) chain.refuse('Refused', 'the key is or was the key of a validator: make a new one')
  return { publicKey: bytes as PublicKey, address }
}

function checkPower(chain: ChainState, power: bigint): Power {
  if (power > BigInt(POWER_MAX)) chain.refuse('Invalid', 'power', `is ${power}, at most ${POWER_MAX} is allowed`)
  return Number(power) as Power
}

/** Nodes of the validator's organisation that no other validator runs on, sorted. */
function checkPeerIds(chain: ChainState, id: Hash, organisation: Hash, given: readonly string[]): readonly string[] {
  const { length } = given
  if (length < 1 || length > validatorPeersMax)
    chain.refuse('Invalid', 'peerIds', `has ${length} entries, must have 1 to ${validatorPeersMax}`)
  const peerIds = [...new Set(given)].sort()
  if (peerIds.length < length) chain.refuse('Invalid', 'peerIds', 'has a peer id twice')
  for (const peerId of peerIds) {
    const node = entryOf(chain, peerId)
    if (node === undefined) return chain.refuse('UnknownNode', peerId)
    if (node.organisation !== organisation || node.kind !== 'validator')
      chain.refuse('Refused', `the node ${peerId} is not registered as a validator of this organisation`)
    const other = chain.record(ROSTER).find((entry) => entry.id !== id && entry.peerIds.includes(peerId))
    if (other !== undefined) chain.refuse('Refused', `the node ${peerId} belongs to another validator`)
  }
  return peerIds
}

/** Checks a signature over a digest of the chain's own domain. */
function checkSignature(chain: ChainState, publicKey: PublicKey, signature: Uint8Array, digest: Uint8Array): void {
  chain.pay(SIGNATURE_GAS)
  if (signature.length !== 64 || !chain.crypto.verify(digest, signature, compressedKey(publicKey)))
    chain.refuse('Invalid', 'signature', 'is not the signature of this key for this chain')
}

/**
 * To which chain signatures are bound. The first block writes it down, so the state before it, on which calls and replays of that block
 * run, lacks it. In that block it is refused too, so that all of them agree.
 */
function domainOf(chain: ChainState): SigningDomain {
  const domain = chain.block.number <= 1 ? undefined : chain.recordOrNone(DOMAIN)
  return domain ?? chain.refuse('Refused', 'the chain has no block after genesis yet: send it in block 2 or later')
}

/** Validators as governance wants them. The sets of the next heights follow (`next-validators.ts`). */
export const VALIDATORS = {
  addValidator: chainAction(
    (
      chain,
      givenId: Uint8Array,
      givenOrganisation: Uint8Array,
      key: Uint8Array,
      givenPower: bigint,
      feeAddress: string,
      givenPeerIds: readonly string[],
    ) => {
      mustGovern(chain)
      const [id, organisation] = [idOf(givenId), idOf(givenOrganisation)]
      const problem = idProblem(id)
      if (problem !== undefined) chain.refuse('Invalid', 'id', problem)
      const power = checkPower(chain, givenPower)
      organisationOf(chain, organisation)
      const roster = chain.record(ROSTER)
      if (find(roster, id) !== undefined) chain.refuse('Refused', 'there is a validator with this id')
      if (chain.record(SETS).afterNext.withId(id) !== undefined) chain.refuse('Refused', 'a validator with this id still votes')
      if (roster.length >= validatorsMax) chain.refuse('Refused', `there are ${validatorsMax} validators, more are not allowed`)
      const peerIds = checkPeerIds(chain, id, organisation, givenPeerIds)
      const { publicKey, address } = freshKey(chain, key)
      const none = 0 as Height
      const history = { readyAt: none, changedAt: chain.block.number, rotatedAt: none, equivocated: false }
      put(chain, { id, organisation, publicKey, address, power, feeAddress: addressOf(feeAddress), peerIds, ...history })
      chain.setEntry(KEY, { id, until: undefined }, address)
      countMembers(chain, organisation, 1)
      chain.emit('ValidatorAdded', givenId, givenOrganisation, publicKey, givenPower, feeAddress, peerIds)
    },
  ),
  setPower: chainAction((chain, id: Uint8Array, power: bigint) => {
    mustGovern(chain)
    const entry = validatorOf(chain, idOf(id))
    if (entry.equivocated && power > 0n)
      chain.refuse(
        'Refused',
        'the validator has equivocated and gets no power again: remove it, and add one with another id and key',
      )
    put(chain, { ...entry, power: checkPower(chain, power), changedAt: chain.block.number })
    chain.emit('PowerChanged', id, power)
  }),
  setFeeAddress: chainAction((chain, id: Uint8Array, feeAddress: string) => {
    const entry = validatorOf(chain, idOf(id))
    if (!governs(chain)) mustHaveRole(chain, entry.organisation, 'operator')
    put(chain, { ...entry, feeAddress: addressOf(feeAddress) })
    chain.emit('FeeAddressChanged', id, feeAddress)
  }),
  setPeerIds: chainAction((chain, id: Uint8Array, given: readonly string[]) => {
    const entry = validatorOf(chain, idOf(id))
    if (!governs(chain)) mustHaveRole(chain, entry.organisation, 'operator')
    const peerIds = checkPeerIds(chain, entry.id, entry.organisation, given)
    put(chain, { ...entry, peerIds })
    chain.emit('PeerIdsChanged', id, peerIds)
  }),
  rotateKey: chainAction((chain, id: Uint8Array, key: Uint8Array, signature: Uint8Array) => {
    const entry = validatorOf(chain, idOf(id))
    const { number } = chain.block
    if (!governs(chain)) mustHaveRole(chain, entry.organisation, 'operator')
    if (entry.equivocated) chain.refuse('Refused', 'the validator has equivocated')
    if (entry.rotatedAt > 0 && number - entry.rotatedAt < ROTATION_HEIGHTS)
      chain.refuse('Refused', `the key was rotated in block ${entry.rotatedAt}; once in ${ROTATION_HEIGHTS} blocks is allowed`)
    const { publicKey, address } = freshKey(chain, key)
    checkSignature(chain, publicKey, signature, rotationDigest(chain.crypto, domainOf(chain), entry.id, entry.address))
    put(chain, { ...entry, publicKey, address, rotatedAt: number, changedAt: number, readyAt: number })
    chain.setEntry(KEY, { id: entry.id, until: number }, entry.address)
    chain.setEntry(KEY, { id: entry.id, until: undefined }, address)
    chain.emit('KeyRotated', id, publicKey, chain.sender)
  }),
  /** Anybody may bring the proof: only the key can make it. */
  ready: chainAction((chain, id: Uint8Array, height: bigint, signature: Uint8Array) => {
    const entry = validatorOf(chain, idOf(id))
    const { number } = chain.block
    if (height < 1n || height > BigInt(number) || BigInt(number) - height > BigInt(READY_HEIGHTS))
      chain.refuse('Invalid', 'height', `is ${height}, must be one of the last ${READY_HEIGHTS} up to ${number}`)
    if (height <= BigInt(entry.readyAt)) chain.refuse('Refused', `the key was ready in block ${entry.readyAt}`)
    const readyAt = Number(height) as Height
    checkSignature(chain, entry.publicKey, signature, readyDigest(chain.crypto, domainOf(chain), entry.id, readyAt))
    put(chain, { ...entry, readyAt })
    chain.emit('ValidatorReady', id, height)
  }),
  removeValidator: chainAction((chain, id: Uint8Array) => {
    mustGovern(chain)
    const entry = validatorOf(chain, idOf(id))
    const { next, afterNext } = chain.record(SETS)
    if (entry.power > 0) chain.refuse('Refused', 'the validator has power: set it to 0 first')
    if (next.withId(entry.id) !== undefined || afterNext.withId(entry.id) !== undefined)
      chain.refuse('Refused', 'the validator still votes: wait until it has left the set')
    chain.setRecord(
      ROSTER,
      chain.record(ROSTER).filter((other) => other.id !== entry.id),
    )
    chain.setEntry(KEY, { id: entry.id, until: chain.block.number }, entry.address)
    countMembers(chain, entry.organisation, -1)
    chain.emit('ValidatorRemoved', id)
  }),
  validator: chainAction((chain, id: Uint8Array) => {
    const entry = find(chain.record(ROSTER), idOf(id))
    const { next, afterNext } = chain.record(SETS)
    const powers = [next, afterNext].map((set) => BigInt(set.withId(idOf(id))?.power ?? 0))
    if (entry === undefined)
      return [false, bytesOf(ZERO_HASH), new Uint8Array(0), 0n, addressOf(`0x${'00'.repeat(20)}`), [], 0n, false, ...powers]
    const { organisation, publicKey, power, feeAddress, peerIds, readyAt, equivocated } = entry
    return [true, bytesOf(organisation), publicKey, BigInt(power), feeAddress, peerIds, BigInt(readyAt), equivocated, ...powers]
  }),
}
