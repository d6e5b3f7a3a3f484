import {
  type Consortium,
  type Genesis,
  type Hash,
  type Height,
  hasRoles,
  NO_SCHEDULE,
  type Organisation,
  ROLES,
  type RosterEntry,
  ZERO_HASH,
} from '@quoin/protocol'
import type { Journal } from './journal.ts'
import { SYSTEM_ENTRIES, writeEntry } from './system-entries.ts'
import { SYSTEM_RECORDS, writeSystemRecord } from './system-records.ts'

type Founded = Pick<Genesis, 'parameters' | 'validators' | 'nodes' | 'consortium'>

/** Writes what the chain contract holds in block 0. Those who found the chain need no proof that their keys are in use. */
export function writeFounding(journal: Journal, { parameters, validators, nodes, consortium }: Founded): void {
  const { accounts, seats, governor, participants, policies, organisations } = consortium
  writeSystemRecord(journal, SYSTEM_RECORDS.parameters, parameters)
  writeSystemRecord(journal, SYSTEM_RECORDS.sets, { next: validators, afterNext: validators })
  writeSystemRecord(journal, SYSTEM_RECORDS.policies, policies)
  writeSystemRecord(journal, SYSTEM_RECORDS.schedule, NO_SCHEDULE)
  writeSystemRecord(journal, SYSTEM_RECORDS.governance, { governor, offer: undefined, participants })
  const roster = seats.map((seat): RosterEntry => {
    const beginning = { readyAt: 0 as Height, changedAt: 0 as Height, rotatedAt: 0 as Height, equivocated: false }
    return { ...validators.withId(seat.id)!, ...seat, ...beginning }
  })
  writeSystemRecord(journal, SYSTEM_RECORDS.roster, roster)
  // The sets of the first two heights are those of genesis.
  const genesisVotes = { from: 1 as Height, to: undefined }
  for (const { id, publicKey, address } of roster)
    writeEntry(journal, SYSTEM_ENTRIES.validatorKey, { id, publicKey, until: undefined, votes: genesisVotes }, address)
  writeSystemRecord(
    journal,
    SYSTEM_RECORDS.nodes,
    nodes.map(({ peerId, kind, organisation }) => ({ peerId, kind, organisation })),
  )
  for (const { peerId, ...details } of nodes) writeEntry(journal, SYSTEM_ENTRIES.node, details, peerId)
  for (const { address, ...entry } of accounts)
    writeEntry(journal, SYSTEM_ENTRIES.account, { ...entry, suspended: false }, address)
  const counts = countMembers(consortium, nodes)
  let votes = 0
  for (const { id, ...fields } of organisations) {
    const organisation: Organisation = { ...fields, ...counts(id), suspended: false, checkpoints: 1 }
    // Votes count once somebody can cast them: `organisations.ts`.
    const counted = organisation.voters === 0 ? 0 : organisation.votes
    votes += counted
    writeEntry(journal, SYSTEM_ENTRIES.organisation, organisation, id)
    writeEntry(journal, SYSTEM_ENTRIES.checkpoint, { height: 0, votes: counted }, id, 0)
  }
  writeEntry(journal, SYSTEM_ENTRIES.checkpoint, { height: 0, votes }, ZERO_HASH, 0)
  writeSystemRecord(journal, SYSTEM_RECORDS.totals, { organisations: organisations.length, votes, checkpoints: 1 })
}

const countMembers =
  ({ accounts, seats }: Consortium, nodes: Genesis['nodes']) =>
  (id: Hash): Pick<Organisation, 'members' | 'voters'> => {
    const its = <T extends { readonly organisation: Hash }>(all: readonly T[]) =>
      all.filter(({ organisation }) => organisation === id)
    return {
      members: its(accounts).length + its(seats).length + its(nodes).length,
      voters: its(accounts).filter(({ roles }) => hasRoles(roles, ROLES.voter)).length,
    }
  }
