import {
  type ChainParameters,
  createValidatorSet,
  type Hash,
  type Height,
  type Power,
  type RosterEntry,
  type Validator,
  type ValidatorSet,
} from '@quoin/protocol'

/** A set of at most this size changes one member a height, whatever its power. With so few members no change is safe (README). */
export const SMALL_SET_COUNT_MAX = 3

/** A validator that is not in the set gets in only if its key proved within so many heights that it is in use. */
export const READY_HEIGHTS = 1_000

type SetBounds = Pick<ChainParameters, 'validatorsMin' | 'validatorsMax'>

/**
 * The set that follows `current` on the way to the one that the state wants. At each height less than a third of the voting power joins, and
 * less than a third leaves, because light clients and the safety of consensus both need consecutive sets to overlap. The oldest change goes
 * first. What does not fit waits for the next height. A change that is too large for any height is made in parts.
 *
 * A validator keeps its id under a new key: both halves of a rotation take effect at one height or neither, so no id ever has power under two
 * keys. A key that is to replace another with a third of the power or more waits until the old one has lost enough.
 *
 * Pure, and defined for all sets and rosters. A change is delayed or refused, but never makes a block invalid.
 *
 * @param height the block whose state has this roster
 */
export function nextValidatorSet(
  current: ValidatorSet,
  roster: readonly RosterEntry[],
  height: Height,
  bounds: SetBounds,
): ValidatorSet {
  const next = new Transition(current, bounds)
  const wanted = new Map(roster.map((entry) => [entry.id, entry]))
  for (const member of current.validators) next.pay(member, wanted.get(member.id))
  const ids = new Set([...current.validators.map(({ id }) => id), ...wanted.keys()])
  const age = (id: Hash) => wanted.get(id)?.changedAt ?? 0
  const oldestFirst = [...ids].sort((a, b) => age(a) - age(b) || (a < b ? -1 : 1))
  for (const id of oldestFirst) next.approach(id, wanted.get(id), height)
  return next.set
}

/** One step from a set towards another. */
class Transition {
  readonly #current: ValidatorSet
  readonly #bounds: SetBounds
  readonly #members: Map<Hash, Validator>
  readonly #isSmall: boolean
  /** The most power that may join, and that may leave, at one height. */
  readonly #room: number
  #joinRoom: number
  #leaveRoom: number
  #hasChanged = false
  #changes = 0

  constructor(current: ValidatorSet, bounds: SetBounds) {
    this.#current = current
    this.#bounds = bounds
    this.#members = new Map(current.validators.map((member) => [member.id, member]))
    this.#isSmall = current.validators.length <= SMALL_SET_COUNT_MAX
    this.#room = this.#isSmall ? Number.MAX_SAFE_INTEGER : Math.floor((current.totalPower - 1) / 3)
    this.#joinRoom = this.#room
    this.#leaveRoom = this.#room
  }

  get set(): ValidatorSet {
    return this.#hasChanged ? createValidatorSet([...this.#members.values()]) : this.#current
  }

  /** A new fee address takes effect at once: it moves no power. */
  pay(member: Validator, wanted: RosterEntry | undefined): void {
    if (wanted === undefined || wanted.feeAddress === member.feeAddress) return
    this.#put({ ...member, feeAddress: wanted.feeAddress })
  }

  /** Brings one validator as near to what is wanted as this height allows. */
  approach(id: Hash, entry: RosterEntry | undefined, height: Height): void {
    if (this.#isSmall && this.#changes > 0) return
    const member = this.#members.get(id)
    const power = entry === undefined || entry.equivocated ? 0 : entry.power
    if (entry === undefined || power === 0) {
      if (member !== undefined) this.#leave(member)
      return
    }
    const isReady = entry.readyAt > 0 && height - entry.readyAt <= READY_HEIGHTS
    if (member === undefined) {
      if (isReady) this.#join(entry)
    } else if (member.address === entry.address) this.#weigh(member, power)
    else if (isReady) this.#rotate(member, entry)
  }

  #leave(member: Validator): void {
    if (this.#members.size <= this.#bounds.validatorsMin || this.#members.size === 1) return
    const part = this.#part(member.power, this.#leaveRoom)
    if (part === 0) return
    this.#leaveRoom -= part
    if (part < member.power) return this.#change({ ...member, power: (member.power - part) as Power })
    this.#members.delete(member.id)
    this.#changed()
  }

  #join({ id, address, publicKey, power, feeAddress }: RosterEntry): void {
    if (this.#members.size >= this.#bounds.validatorsMax || this.#isTaken(address)) return
    const part = this.#part(power, this.#joinRoom)
    if (part === 0) return
    this.#joinRoom -= part
    this.#change({ id, address, publicKey, feeAddress, power: part as Power })
  }

  #weigh(member: Validator, power: Power): void {
    const grows = power > member.power
    const part = this.#part(Math.abs(power - member.power), grows ? this.#joinRoom : this.#leaveRoom)
    if (part === 0) return
    if (grows) this.#joinRoom -= part
    else this.#leaveRoom -= part
    this.#change({ ...member, power: (member.power + (grows ? part : -part)) as Power })
  }

  /** The new key gets the power that the old one has; the next heights bring it to the power that is wanted. */
  #rotate(member: Validator, { address, publicKey }: RosterEntry): void {
    const { power } = member
    if (this.#isTaken(address)) return
    if (power > this.#room) return this.#weigh(member, Math.max(1, power - this.#leaveRoom) as Power)
    if (power > this.#joinRoom || power > this.#leaveRoom) return
    this.#joinRoom -= power
    this.#leaveRoom -= power
    this.#change({ ...member, address, publicKey })
  }

  /** How much of a change is made at this height: all that fits, or nothing yet of what fits into a whole height. */
  #part(power: number, room: number): number {
    if (power <= room) return power
    return power > this.#room ? room : 0
  }

  #isTaken(address: string): boolean {
    return [...this.#members.values()].some((member) => member.address === address)
  }

  #change(member: Validator): void {
    this.#put(member)
    this.#changed()
  }

  #changed(): void {
    this.#hasChanged = true
    this.#changes++
  }

  #put(member: Validator): void {
    this.#members.set(member.id, member)
    this.#hasChanged = true
  }
}
