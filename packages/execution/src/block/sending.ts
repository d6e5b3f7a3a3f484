import {
  type Address,
  type Governance,
  type Hash,
  hasRoles,
  type Policies,
  ROLES,
  standing,
  type TimeMs,
  type UnsignedTransaction,
} from '@quoin/protocol'
import type { TransactionRefusal } from '../executor.ts'
import type { KvReader } from '../state/kv.ts'
import { type Membership, readMembership } from '../state/system-entries.ts'
import { readSystemRecord, SYSTEM_ADDRESS, SYSTEM_RECORDS } from '../state/system-records.ts'
import { LANE } from './lane.ts'

/** Whom the chain lets send. Part of a block's validity, judged on the state of its parent. */
export interface Sending {
  /** Why an account may not send; undefined if it may. */
  refusal(sender: Address): TransactionRefusal | undefined
  /** Whether a transaction goes by the lane, which has rules of its own (`lane.ts`). */
  usesLane(transaction: Pick<UnsignedTransaction, 'to' | 'value'>, sender: Address): boolean
  /** With whom an account shares its turns in the lane: the organisation for which it votes, or nobody else. */
  laneTurn(sender: Address): Hash | Address
}

/** Everyone may send, and nobody uses the lane: for calls that are not judged. */
export const UNJUDGED: Sending = { refusal: () => undefined, usesLane: () => false, laneTurn: (sender) => sender }

/** Memberships that were read from one state. They outlive a block that changes none. */
export type KnownMembers = Map<Address, Membership>

/** Memberships that are kept. More than a block has senders. */
const MEMBERSHIPS_KEPT_MAX = 65_536

const notPermitted = (message: string): TransactionRefusal => ({ code: 'not-permitted', message })

/**
 * The rules of sending in one block.
 *
 * @param reader the state of the block's parent. Each account is read once in most cases
 * @param timeMs the block's own time
 * @param known memberships of that state that were read before; the rules add to them
 */
export function sendingRules(reader: KvReader, timeMs: TimeMs, known: KnownMembers = new Map()): Sending {
  return new SendingRules(
    readSystemRecord(reader, SYSTEM_RECORDS.policies).value,
    readSystemRecord(reader, SYSTEM_RECORDS.governance).value,
    (address) => readMembership(reader, address),
    known,
    timeMs,
  )
}

class SendingRules implements Sending {
  readonly #policies: Policies
  readonly #governance: Governance
  readonly #read: (address: Address) => Membership
  readonly #timeMs: TimeMs
  readonly #known: KnownMembers

  constructor(
    policies: Policies,
    governance: Governance,
    read: (address: Address) => Membership,
    known: KnownMembers,
    timeMs: TimeMs,
  ) {
    this.#policies = policies
    this.#governance = governance
    this.#read = read
    this.#known = known
    this.#timeMs = timeMs
  }

  refusal(sender: Address): TransactionRefusal | undefined {
    const { entry, organisation } = this.#membership(sender)
    const state = standing(entry, organisation, this.#timeMs)
    if (state === 'suspended') return notPermitted(`sender is not permitted to send: account ${sender} is suspended`)
    if (state === 'organisation-suspended')
      return notPermitted(`sender is not permitted to send: the organisation of account ${sender} is suspended`)
    if (this.#policies.sending === 'open') return undefined
    if (state === 'expired') return notPermitted(`sender is not permitted to send: the entry of account ${sender} has expired`)
    if (entry !== undefined && hasRoles(entry.roles, ROLES.sender)) return undefined
    return notPermitted(
      `sender is not permitted to send: on this chain only members send, and account ${sender} lacks the role sender`,
    )
  }

  usesLane({ to, value }: Pick<UnsignedTransaction, 'to' | 'value'>, sender: Address): boolean {
    const { governor } = this.#governance
    return to !== undefined && value === 0n && (to === SYSTEM_ADDRESS || to === governor) && this.#mayUseLane(sender)
  }

  laneTurn(sender: Address): Hash | Address {
    return this.#membership(sender).entry?.organisation ?? sender
  }

  #mayUseLane(sender: Address): boolean {
    const { governor, offer, participants } = this.#governance
    if (sender === governor || participants.includes(sender)) return true
    if (offer !== undefined && sender === offer.to) return true
    const { entry } = this.#membership(sender)
    return entry !== undefined && !entry.suspended && hasRoles(entry.roles, LANE.role)
  }

  #membership(address: Address): Membership {
    let membership = this.#known.get(address)
    if (membership === undefined) {
      membership = this.#read(address)
      if (this.#known.size >= MEMBERSHIPS_KEPT_MAX) this.#known.clear()
      this.#known.set(address, membership)
    }
    return membership
  }
}
