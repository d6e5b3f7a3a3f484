import { type Address, createValidatorSet, LIMITS, type Power, type Validator, type ValidatorSet } from '@quoin/protocol'

/** A set of at most this size may add one member and remove one per height. With so few members no change is safe (README). */
export const smallSetCountMax = 3

/** A change of one validator's power. `from` 0 means joining; `to` 0 means leaving. */
interface Change {
  readonly validator: Validator
  readonly from: number
  readonly to: number
}

/**
 * The set that follows `current` on the way to the set that the state requests. At each height less than a third of the voting power joins,
 * and less than a third leaves, because light clients and the safety of consensus both need consecutive sets to overlap. Changes that do
 * not fit wait for later heights. They are applied in order of address, each as soon as it fits. A change that never fits, because it alone
 * moves a third of the power, is never applied. Sets of up to `smallSetCountMax` members add one and remove one per height.
 *
 * Pure, and defined for all sets: a change is delayed or refused, but never makes a block invalid.
 */
export function nextValidatorSet(current: ValidatorSet, wanted: ValidatorSet): ValidatorSet {
  const { joining, leaving } = changes(current, wanted)
  const left = taken(leaving, current)
  const joined = taken(joining, current)
  const members = new Map<Address, Validator>(
    current.validators.map((validator) => [validator.address, withFee(validator, wanted.get(validator.address))]),
  )
  for (const { validator, to } of left) {
    if (to === 0) members.delete(validator.address)
    else members.set(validator.address, { ...validator, power: to as Power })
  }
  for (const { validator, from, to } of joined) {
    if (from === 0 && members.size === LIMITS.validatorsMax) continue
    members.set(validator.address, { ...validator, power: to as Power })
  }
  return createValidatorSet([...members.values()])
}

const withFee = (validator: Validator, wanted: Validator | undefined): Validator => ({
  ...validator,
  feeAddress: wanted?.feeAddress ?? validator.feeAddress,
})

/** Changes of power, in order of address. */
function changes(current: ValidatorSet, wanted: ValidatorSet): { readonly joining: Change[]; readonly leaving: Change[] } {
  const joining: Change[] = []
  const leaving: Change[] = []
  for (const validator of wanted.validators) {
    const from = current.get(validator.address)?.power ?? 0
    if (validator.power > from) joining.push({ validator, from, to: validator.power })
    else if (validator.power < from) leaving.push({ validator, from, to: validator.power })
  }
  for (const validator of current.validators) {
    if (wanted.get(validator.address) === undefined) leaving.push({ validator, from: validator.power, to: 0 })
  }
  leaving.sort((a, b) => (a.validator.address < b.validator.address ? -1 : 1))
  return { joining, leaving }
}

function taken(wanted: readonly Change[], current: ValidatorSet): readonly Change[] {
  if (current.validators.length <= smallSetCountMax) return wanted.slice(0, 1)
  let moved = 0
  return wanted.filter(({ from, to }) => {
    const power = Math.abs(to - from)
    if (3 * (moved + power) >= current.totalPower) return false
    moved += power
    return true
  })
}
