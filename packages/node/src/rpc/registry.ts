import {
  type EntryPage,
  type HistoryKv,
  readEntryPage,
  readSystemRecord,
  SYSTEM_ENTRIES,
  SYSTEM_RECORDS,
  type UpcomingSets,
} from '@quoin/execution'
import {
  type AccountEntry,
  type Address,
  type Hash,
  hexToBytes,
  type Organisation,
  type RegisteredNode,
  type RosterEntry,
  utf8ToBytes,
} from '@quoin/protocol'

/** Who belongs to the chain, in lists, after the last committed block. The chain contract's views read the same by key. */
export interface Registry {
  /** @param after id of the last organisation that is known already */
  organisations(after: Hash | undefined, limit: number): Promise<EntryPage<Organisation>>
  accounts(after: Address | undefined, limit: number): Promise<EntryPage<AccountEntry>>
  /** @param after a peer id */
  nodes(after: string | undefined, limit: number): Promise<EntryPage<Omit<RegisteredNode, 'peerId'>>>
  /** All validators that the state knows, and the sets of the next two heights. */
  validators(): { readonly roster: readonly RosterEntry[]; readonly sets: UpcomingSets }
}

const { account, organisation, node } = SYSTEM_ENTRIES

export const createRegistry = (kv: HistoryKv): Registry => ({
  organisations: (after, limit) => readEntryPage(kv, organisation, after && hexToBytes(after), limit),
  accounts: (after, limit) => readEntryPage(kv, account, after && hexToBytes(after), limit),
  nodes: (after, limit) => readEntryPage(kv, node, after === undefined ? undefined : utf8ToBytes(after), limit),
  validators: () => ({
    roster: readSystemRecord(kv, SYSTEM_RECORDS.roster).value,
    sets: readSystemRecord(kv, SYSTEM_RECORDS.sets).value,
  }),
})
