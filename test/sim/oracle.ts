import { findNative } from '@quoin/execution/contract'
import {
  Address,
  bytesToHex,
  commitVotes,
  Hash,
  Height,
  type Proposal,
  polkaVotes,
  type Receipt,
  receiptsRoot,
  roundVotes,
  unwrap,
  type ValidatorSet,
  type Vote,
} from '@quoin/protocol'
import { decodeMessage, decodeMessageHead, type EngineMessage, messagePosition } from '../../packages/node/src/engine/messages.ts'
import type { Kv, PeerId } from '../../packages/node/src/powers.ts'
import type { BlockReader } from '../../packages/node/src/store/types.ts'
import { simCrypto } from './crypto.ts'

/** An invariant was violated. */
export class Violation extends Error {}

export interface ContractCounts {
  created: number
  /** Transactions with logs: calls and upgrades that had an effect. */
  logged: number
  failed: number
}

/**
 * Watches the messages that nodes send and the blocks that they commit, and judges them by the paper's rules without using production
 * predicates. Signatures are assumed valid; voting power is counted here.
 */
export class Oracle {
  /** Powers of the validators by height, as the first node that knew them stored them. */
  readonly #sets = new Map<number, ReadonlyMap<Address, number>>()
  readonly #faulty: ReadonlySet<Address>
  readonly #committed = new Map<number, { readonly hash: Hash; readonly by: PeerId }>()
  /** What each validator said, over all its lives: `validator/kind/height/round` to the value. */
  readonly #said = new Map<string, string>()
  /** Prevoters of a value: `height/round/value`. */
  readonly #prevoters = new Map<string, Set<Address>>()
  /** A validator's last precommit for a value in a height. */
  readonly #locks = new Map<string, { readonly round: number; readonly valueId: Hash }>()
  readonly #times = new Map<number, number>()
  height = 0
  /** Blocks that were decided in a later round than the first. */
  roundsLost = 0
  readonly contracts: ContractCounts = { created: 0, logged: 0, failed: 0 }

  /** Messages of `faulty` validators are not judged, but their votes count. */
  constructor(validators: ValidatorSet, faulty: readonly Address[] = []) {
    for (const height of [1, 2]) this.#sets.set(height, powersOf(validators))
    this.#faulty = new Set(faulty)
  }

  /** Number of heights whose set differs from the one before. */
  sets = 0

  /** Whether a validator ever prevoted nil. */
  saidNil(validator: Address): boolean {
    return [...this.#said].some(([what, value]) => what.startsWith(`${validator}/prevote/`) && value === 'nil')
  }

  /** A message of the ordered stream leaves a node whose last block has height `head`. */
  observe(from: PeerId, bytes: Uint8Array, head: number): void {
    const decoded = decodeMessage(bytes)
    if (!decoded.ok) throw new Violation(`${from} sent an undecodable message: ${decoded.error.message}`)
    const message = decoded.value
    const isSettled = message.kind === 'status' || message.kind === 'commitCertificate' || message.kind === 'evidence'
    const { height } = messagePosition(unwrap(decodeMessageHead(bytes)))
    if (!isSettled && height <= head)
      throw new Violation(`${from} sends a ${message.kind} of height ${height}, but its head is block ${head}`)
    this.#note(message)
  }

  /**
   * A message of a lying node, if it decodes. Votes of liars count for other nodes; votes that it sends in another validator's name do not
   * count.
   */
  overhear(bytes: Uint8Array): void {
    const decoded = decodeMessage(bytes)
    if (!decoded.ok) return
    for (const vote of votesOf(decoded.value)) if (this.#faulty.has(vote.validator)) this.#onVote(vote)
  }

  #note(message: EngineMessage): void {
    if (message.kind === 'proposal') this.#onProposal(message.proposal)
    for (const vote of votesOf(message)) this.#onVote(vote)
  }

  /** A node has a new head, or restarted with one. */
  committed(by: PeerId, blocks: BlockReader): void {
    const { header, hash } = blocks.head
    const known = this.#committed.get(header.number)
    if (known !== undefined && known.hash !== hash) {
      throw new Violation(`agreement: block ${header.number} is ${known.hash} on ${known.by} and ${hash} on ${by}`)
    }
    this.#committed.set(header.number, known ?? { hash, by })
    this.height = Math.max(this.height, header.number)
    if (header.number === 0) return
    this.#checkSet(by, blocks, header.number + 2)
    if (known === undefined && (blocks.certificate(header.number)?.round ?? 0) > 0) this.roundsLost++
    const receipts = this.#checkReceipts(by, blocks)
    if (known === undefined) for (const receipt of receipts) this.#count(receipt)
    const parent = this.#committed.get(header.number - 1)
    if (parent !== undefined && parent.hash !== header.parentHash)
      throw new Violation(`block ${header.number} on ${by} has parent ${header.parentHash}, but ${parent.hash} was committed`)
    this.#times.set(header.number, header.timeMs)
    const before = this.#times.get(header.number - 1)
    if (before !== undefined && header.timeMs <= before)
      throw new Violation(`time of block ${header.number} is not after its parent's`)
  }

  /** All nodes know the same validators of a height. Less than a third of the power of more than three joins, and less than a third leaves. */
  #checkSet(by: PeerId, blocks: BlockReader, height: number): void {
    const set = blocks.validators(Height(height))
    if (set === undefined) throw new Violation(`${by} does not know the validators of height ${height}`)
    const powers = powersOf(set)
    const known = this.#sets.get(height)
    if (known !== undefined) {
      if (textOf(known) !== textOf(powers))
        throw new Violation(`${by} has other validators of height ${height} than another node`)
      return
    }
    if (new Set(set.validators.map(({ id }) => id)).size < powers.size)
      throw new Violation(`a validator has two keys at height ${height}`)
    this.#sets.set(height, powers)
    const before = this.#sets.get(height - 1)
    if (before === undefined || textOf(before) === textOf(powers)) return
    this.sets++
    if (before.size <= 3) return
    const total = sum(before.values())
    const joined = sum([...powers].map(([address, power]) => Math.max(0, power - (before.get(address) ?? 0))))
    const left = sum([...before].map(([address, power]) => Math.max(0, power - (powers.get(address) ?? 0))))
    if (3 * joined >= total || 3 * left >= total)
      throw new Violation(`of the power ${total}, ${joined} joined and ${left} left at height ${height}`)
  }

  /**
   * Checks that the receipts that a node stores for its last block match the block's header. State root and gas are in the header itself.
   */
  #checkReceipts(by: PeerId, blocks: BlockReader): readonly Receipt[] {
    const { number, receiptsRoot: wanted } = blocks.head.header
    const receipts = blocks.receipts(number)
    if (receipts === undefined || Hash(receiptsRoot(simCrypto, receipts)) !== wanted)
      throw new Violation(`${by} stores receipts of block ${number} that do not match its header`)
    return receipts
  }

  #count({ status, logs, contractAddress }: Receipt): void {
    if (status === 0) this.contracts.failed++
    else if (contractAddress !== undefined) this.contracts.created++
    else if (logs.length > 0) this.contracts.logged++
  }

  #onProposal({ height, round, proposer, valueId, polRound }: Proposal): void {
    if (!this.#faulty.has(proposer)) this.#once(`${proposer}/proposal/${height}/${round}`, `${valueId}/${polRound ?? ''}`)
  }

  #onVote({ kind, height, round, validator, valueId }: Vote): void {
    const isFaulty = this.#faulty.has(validator)
    const isNew = isFaulty || this.#once(`${validator}/${kind}/${height}/${round}`, valueId ?? 'nil')
    if (!isNew || valueId === undefined || (isFaulty && kind === 'precommit')) return
    if (kind === 'precommit') {
      const lock = this.#locks.get(`${validator}/${height}`)
      if (lock === undefined || round > lock.round) this.#locks.set(`${validator}/${height}`, { round, valueId })
      if (!this.#hasPolka(height, round, valueId, validator))
        throw new Violation(`${validator} precommits ${valueId} in ${height}/${round} without a polka`)
      return
    }
    if (!isFaulty) this.#checkLock(height, round, validator, valueId)
    const key = `${height}/${round}/${valueId}`
    const prevoters = this.#prevoters.get(key) ?? new Set()
    this.#prevoters.set(key, prevoters.add(validator))
  }

  /** L22, L28: a locked validator prevotes another value only after a polka for it in the round of its lock or later. */
  #checkLock(height: number, round: number, validator: Address, valueId: Hash): void {
    const lock = this.#locks.get(`${validator}/${height}`)
    if (lock === undefined || lock.round >= round || lock.valueId === valueId) return
    for (let polRound = lock.round; polRound < round; polRound++) if (this.#hasPolka(height, polRound, valueId, validator)) return
    throw new Violation(
      `lock: ${validator} prevotes ${valueId} in ${height}/${round}, locked on ${lock.valueId} since round ${lock.round}`,
    )
  }

  /** Whether `by` can have seen a polka. Its own prevote counts even if unseen, because it may have had no peer to send it to. */
  #hasPolka(height: number, round: number, valueId: Hash, by: Address): boolean {
    const powers = this.#sets.get(height)
    if (powers === undefined) throw new Violation(`${by} votes at height ${height}, whose validators nobody can know`)
    const prevoters = this.#prevoters.get(`${height}/${round}/${valueId}`) ?? []
    const power = sum([...prevoters].map((address) => powers.get(address) ?? 0))
    const unseen = this.#said.has(`${by}/prevote/${height}/${round}`) ? 0 : (powers.get(by) ?? 0)
    return 3 * (power + unseen) > 2 * sum(powers.values())
  }

  /** Throws if something else was said at this step. Returns true the first time. */
  #once(what: string, value: string): boolean {
    const known = this.#said.get(what)
    if (known !== undefined && known !== value) throw new Violation(`signed twice: ${what} for ${known} and ${value}`)
    this.#said.set(what, value)
    return known === undefined
  }
}

const powersOf = ({ validators }: ValidatorSet): ReadonlyMap<Address, number> =>
  new Map(validators.map(({ address, power }) => [address, power]))
const textOf = (powers: ReadonlyMap<Address, number>): string => JSON.stringify([...powers])
const sum = (numbers: Iterable<number>): number => [...numbers].reduce((total, number) => total + number, 0)

/**
 * Checks that each code in the state on a node's disk has its image, whatever crashes happened (`packages/execution/src/state/keys.ts`).
 */
export async function checkImages(by: PeerId, kv: Kv): Promise<void> {
  const images = new Set<string>()
  for await (const [key] of kv.scan({ from: Uint8Array.of(0x21), to: Uint8Array.of(0x22) }))
    images.add(bytesToHex(key.subarray(9)))
  for await (const [key, code] of kv.scan({ from: Uint8Array.of(0x10), to: Uint8Array.of(0x11) })) {
    const address = bytesToHex(key.subarray(1, 21))
    const isCode = key.length === 22 && key[21] === 1 && findNative(Address(address)) === undefined
    if (isCode && !images.has(bytesToHex(simCrypto.keccak256(code))))
      throw new Violation(`${by} has no image of the code of ${address}`)
  }
}

/** Votes in a message, prevotes first. */
function votesOf(message: EngineMessage): readonly Vote[] {
  switch (message.kind) {
    case 'vote':
      return [message.vote]
    case 'proposal':
      return message.polka === undefined ? [] : polkaVotes(message.polka)
    case 'polkaCertificate':
      return polkaVotes(message.certificate)
    case 'commitCertificate':
      return commitVotes(message.certificate)
    case 'roundCertificate':
      return [...roundVotes(message.certificate)].sort((a, b) => (a.kind < b.kind ? 1 : -1))
    default:
      return []
  }
}
