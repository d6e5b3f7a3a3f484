import type { Crypto } from '@quoin/protocol'
import { keyOf } from './signer.ts'

/** Attackers' accounts that the chain knows, per group: the setup gives each of them FUNDED_WEI. */
export const FUNDED_KEYS = 20
export const FUNDED_WEI = 10n ** 18n

/** A group is used up by one round of one attack, or serves all. */
export const fundedKey = (crypto: Crypto, group: string, index: number): ReturnType<typeof keyOf> =>
  keyOf(crypto, `pressure funded ${group} ${index}`)

/** Groups that the setup funds for this many rounds. */
export const fundedGroups = (rounds: number): readonly string[] => [
  'burners',
  ...Array.from({ length: rounds }, (_, round) => drainedGroup(round)),
]

export const drainedGroup = (round: number): string => `drained ${round}`
