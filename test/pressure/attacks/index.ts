import { type Attack, untilAborted } from './attack.ts'
import { BYZANTINE_ATTACKS, byzantineAttacks } from './byzantine.ts'
import { callAttacks } from './calls.ts'
import { connectionAttacks } from './connections.ts'
import { OBSERVER_ATTACKS, observerAttacks } from './observer.ts'
import { poolAttacks } from './pool.ts'
import { readAttacks } from './reads.ts'
import { subscriptionAttacks } from './subscriptions.ts'
import { unreadAttacks } from './unread.ts'
import { wireAttacks } from './wire.ts'

/** The same run without an attack: the figures of all others are compared with it. */
const control: Attack = {
  name: 'nothing',
  what: 'nobody attacks: how much the figures move by themselves',
  front: 'lifted',
  prepare:
    async ({ signal }) =>
    () =>
      untilAborted(signal),
}

/** Every attack, in the order in which they run. */
export const ATTACKS: readonly Attack[] = [
  control,
  ...readAttacks,
  ...connectionAttacks,
  ...wireAttacks,
  ...unreadAttacks,
  ...callAttacks,
  ...subscriptionAttacks,
  ...poolAttacks,
  ...observerAttacks,
  ...byzantineAttacks,
]

/** Names of the attacks by peers, which genesis must list as nodes. */
export const PEER_ATTACKS: readonly string[] = [...Object.values(OBSERVER_ATTACKS), ...Object.values(BYZANTINE_ATTACKS)]

export function attackOf(name: string): Attack {
  const attack = ATTACKS.find((each) => each.name === name)
  if (attack === undefined) throw new Error(`unknown attack "${name}"`)
  return attack
}
