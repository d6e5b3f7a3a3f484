import type { Address, Hash } from '@quoin/protocol'
import type { KvReader } from './kv.ts'
import { type FirstEvidence, readEntry, SYSTEM_ENTRIES } from './system-entries.ts'

/** What a state says about a key that has signed two messages. */
export interface EvidenceStanding {
  /** The validator whose key it is or was; undefined if it never was one's. */
  readonly id: Hash | undefined
  /** The first evidence that the chain has taken against the validator: more changes nothing. */
  readonly taken: FirstEvidence | undefined
}

export function evidenceStanding(reader: KvReader, validator: Address): EvidenceStanding {
  const id = readEntry(reader, SYSTEM_ENTRIES.validatorKey, validator)?.id
  return { id, taken: id && readEntry(reader, SYSTEM_ENTRIES.firstEvidence, id) }
}
