import type { Hash, Height, ValidatorSet } from '@quoin/protocol'
import type { Journal } from './journal.ts'
import { nextValidatorSet } from './next-validators.ts'
import { recordIn, SYSTEM_RECORDS, writeSystemRecord } from './system-records.ts'

/**
 * Call at the beginning of a block, before its transactions: the first block writes down to which chain signatures are bound.
 *
 * @param height of the block
 */
export function beginBlock(journal: Journal, height: Height, parentHash: Hash): void {
  if (height === 1) writeSystemRecord(journal, SYSTEM_RECORDS.domain, { genesisHash: parentHash, restartEpoch: 0 })
}

/**
 * Call at the end of a block, after its transactions: the set of the height after next follows from the roster. A block that changes
 * nothing writes nothing.
 */
export function advanceSets(journal: Journal, height: Height): void {
  const { next, afterNext } = recordIn(journal, SYSTEM_RECORDS.sets)
  const roster = recordIn(journal, SYSTEM_RECORDS.roster)
  const following = nextValidatorSet(afterNext, roster, height, recordIn(journal, SYSTEM_RECORDS.parameters))
  if (following === afterNext && hasSameMembers(next, afterNext)) return
  writeSystemRecord(journal, SYSTEM_RECORDS.sets, { next: afterNext, afterNext: following })
}

/** Whether two sets, which are decoded apart from each other, say the same. A key follows from its address. */
const hasSameMembers = (a: ValidatorSet, b: ValidatorSet): boolean =>
  a.validators.length === b.validators.length &&
  a.validators.every((member, i) => {
    const { id, address, power, feeAddress } = b.validators[i]!
    return member.id === id && member.address === address && member.power === power && member.feeAddress === feeAddress
  })
