import type { Address, Hash, Height, ValidatorSet } from '@quoin/protocol'
import type { Journal } from './journal.ts'
import { nextValidatorSet } from './next-validators.ts'
import { entryIn, SYSTEM_ENTRIES, type ValidatorKeyUse, writeEntry } from './system-entries.ts'
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
  noteVotes(journal, afterNext, following, (height + 2) as Height)
  writeSystemRecord(journal, SYSTEM_RECORDS.sets, { next: afterNext, afterNext: following })
}

/**
 * Notes in the entries of validators' keys which come into the set of a height and which leave it, so that evidence can be judged long
 * after. A key that comes back keeps its first height: it answers for the time in between as well.
 *
 * @param height of `after`
 */
function noteVotes(journal: Journal, before: ValidatorSet, after: ValidatorSet, height: Height): void {
  if (before === after) return
  const note = (address: Address, votes: (use: ValidatorKeyUse) => ValidatorKeyUse['votes']) => {
    const use = entryIn(journal, SYSTEM_ENTRIES.validatorKey, address)
    if (use !== undefined) writeEntry(journal, SYSTEM_ENTRIES.validatorKey, { ...use, votes: votes(use) }, address)
  }
  const [old, fresh] = [before, after].map(({ validators }) => new Set(validators.map(({ address }) => address)))
  for (const address of old!)
    if (!fresh!.has(address)) note(address, ({ votes }) => ({ from: votes?.from ?? height, to: (height - 1) as Height }))
  for (const address of fresh!)
    if (!old!.has(address)) note(address, ({ votes }) => ({ from: votes?.from ?? height, to: undefined }))
}

/** Whether two sets, which are decoded apart from each other, say the same. A key follows from its address. */
const hasSameMembers = (a: ValidatorSet, b: ValidatorSet): boolean =>
  a.validators.length === b.validators.length &&
  a.validators.every((member, i) => {
    const { id, address, power, feeAddress } = b.validators[i]!
    return member.id === id && member.address === address && member.power === power && member.feeAddress === feeAddress
  })
