import { hasRoles, ROLES, ZERO_HASH } from '@quoin/protocol'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import * as any from '../../../protocol/test/arbitraries.ts'
import { writeFounding } from './founding.ts'
import { Journal } from './journal.ts'
import { entryIn, SYSTEM_ENTRIES } from './system-entries.ts'
import { parseRecord, recordIn, recordOrNone, SYSTEM_ADDRESS, SYSTEM_RECORDS, type SystemRecord } from './system-records.ts'

it('the state of block 0 says what genesis says, and counts it', () => {
  fc.assert(
    fc.property(any.genesis, (genesis) => {
      const journal = new Journal()
      writeFounding(journal, genesis)
      const { organisations, accounts, seats, governor, participants, policies } = genesis.consortium

      let sum = 0
      for (const { id, ...terms } of organisations) {
        const members = [...accounts, ...seats, ...genesis.nodes].filter(({ organisation }) => organisation === id).length
        const voters = accounts.filter((entry) => entry.organisation === id && hasRoles(entry.roles, ROLES.voter)).length
        const counted = { members, voters, checkpoints: 1, suspended: false }
        expect(entryIn(journal, SYSTEM_ENTRIES.organisation, id)).toEqual({ ...terms, ...counted })
        // Votes count once there is a voter to cast them.
        const counting = voters > 0 ? terms.votes : 0
        sum += counting
        expect(entryIn(journal, SYSTEM_ENTRIES.checkpoint, id, 0)).toEqual({ height: 0, votes: counting })
      }
      expect(recordIn(journal, SYSTEM_RECORDS.totals)).toEqual({
        organisations: organisations.length,
        votes: sum,
        checkpoints: 1,
      })
      expect(entryIn(journal, SYSTEM_ENTRIES.checkpoint, ZERO_HASH, 0)).toEqual({ height: 0, votes: sum })
      for (const { address, ...entry } of accounts)
        expect(entryIn(journal, SYSTEM_ENTRIES.account, address)).toEqual({ ...entry, suspended: false })

      const roster = recordIn(journal, SYSTEM_RECORDS.roster)
      expect(roster.map(({ id, organisation, peerIds }) => ({ id, organisation, peerIds }))).toEqual(seats)
      for (const { id, publicKey, address, power, feeAddress, ...history } of roster) {
        expect(genesis.validators.withId(id)).toEqual({ id, publicKey, address, power, feeAddress })
        expect(history).toMatchObject({ readyAt: 0, changedAt: 0, rotatedAt: 0, equivocated: false })
        const votes = { from: 1, to: undefined }
        expect(entryIn(journal, SYSTEM_ENTRIES.validatorKey, address)).toEqual({ id, publicKey, until: undefined, votes })
      }
      expect(roster).toHaveLength(genesis.validators.validators.length)

      const listed = recordIn(journal, SYSTEM_RECORDS.nodes)
      const nodes = listed.map((node) => ({ ...node, ...entryIn(journal, SYSTEM_ENTRIES.node, node.peerId) }))
      expect(nodes).toEqual(genesis.nodes)
      expect(recordIn(journal, SYSTEM_RECORDS.governance)).toEqual({ governor, offer: undefined, participants })
      expect(recordIn(journal, SYSTEM_RECORDS.policies)).toEqual(policies)
      expect(recordIn(journal, SYSTEM_RECORDS.parameters)).toEqual(genesis.parameters)

      for (const record of Object.values(SYSTEM_RECORDS) as readonly SystemRecord<unknown>[]) {
        if (record === SYSTEM_RECORDS.domain) expect(recordOrNone(journal, record)).toBeUndefined()
        else expect(parseRecord(record, journal.storage(SYSTEM_ADDRESS, record.key)).ok).toBe(true)
      }
    }),
    { numRuns: 40 },
  )
})
