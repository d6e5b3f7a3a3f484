import { type Address, bytesToHex, codec, type Hash, SIGNED_ONCE, U32_MAX, utf8ToBytes } from '@quoin/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import * as any from '../../../protocol/test/arbitraries.ts'
import * as governed from '../../../protocol/test/governed-arbitraries.ts'
import { MemoryKv } from '../../test/memory-kv.ts'
import { flatOps } from './history.ts'
import { Journal } from './journal.ts'
import { type EntryKind, entryIn, membershipIn, readEntry, readMembership, SYSTEM_ENTRIES, writeEntry } from './system-entries.ts'
import { SYSTEM_ADDRESS, SYSTEM_RECORDS } from './system-records.ts'

/** A kind of entry with its keys and values, for tests that treat all alike. */
interface Case {
  readonly kind: EntryKind<readonly unknown[], unknown>
  readonly parts: fc.Arbitrary<readonly unknown[]>
  readonly value: fc.Arbitrary<unknown>
}
const caseOf = <K extends readonly unknown[], T>(kind: EntryKind<K, T>, parts: fc.Arbitrary<K>, value: fc.Arbitrary<T>): Case =>
  ({ kind, parts, value }) as unknown as Case

const peerId = fc.stringMatching(/^[!-~]{1,64}$/)
const CASES: Readonly<Record<keyof typeof SYSTEM_ENTRIES, Case>> = {
  account: caseOf(SYSTEM_ENTRIES.account, fc.tuple(any.address), governed.accountEntry),
  organisation: caseOf(SYSTEM_ENTRIES.organisation, fc.tuple(any.hash), governed.organisation),
  node: caseOf(SYSTEM_ENTRIES.node, fc.tuple(peerId), governed.nodeDetails),
  validatorKey: caseOf(SYSTEM_ENTRIES.validatorKey, fc.tuple(any.address), governed.validatorKeyUse),
  checkpoint: caseOf(SYSTEM_ENTRIES.checkpoint, fc.tuple(any.hash, fc.nat(U32_MAX)), governed.votesCheckpoint),
  offer: caseOf(SYSTEM_ENTRIES.offer, fc.tuple(any.address, any.hash), governed.accountEntry),
  evidence: caseOf(
    SYSTEM_ENTRIES.evidence,
    fc.tuple(any.hash, any.height, any.round, fc.constantFrom(...SIGNED_ONCE)),
    governed.takenEvidence,
  ),
  firstEvidence: caseOf(SYSTEM_ENTRIES.firstEvidence, fc.tuple(any.hash), governed.firstEvidence),
  approval: caseOf(
    SYSTEM_ENTRIES.approval,
    fc.tuple(any.address),
    fc.record({ codeHash: any.hash, dataHash: any.hash, lastHeight: any.height }),
  ),
  roleName: caseOf(SYSTEM_ENTRIES.roleName, fc.tuple(fc.integer({ min: 16, max: 31 })), any.ascii(31)),
}
const anyCase = fc.constantFrom(...Object.values(CASES))

const committed = (write: (journal: Journal) => void): MemoryKv => {
  const [kv, journal] = [new MemoryKv(), new Journal()]
  write(journal)
  kv.write(flatOps(journal.changes()))
  return kv
}

describe('an entry', () => {
  it.each(Object.entries(CASES))(
    '%s is read as written, in the block and after it, and removed',
    (_name, { kind, parts, value }) => {
      fc.assert(
        fc.property(parts, value, (key, written) => {
          const kv = committed((journal) => {
            writeEntry(journal, kind, written, ...key)
            expect(entryIn(journal, kind, ...key)).toEqual(written)
          })
          expect(readEntry(kv, kind, ...key)).toEqual(written)
          const journal = new Journal(kv)
          expect(entryIn(journal, kind, ...key)).toEqual(written)
          writeEntry(journal, kind, undefined, ...key)
          expect(entryIn(journal, kind, ...key)).toBeUndefined()
        }),
        { numRuns: 40 },
      )
    },
  )

  it('has a key of its own, which is neither that of another nor of a record', () => {
    const records = Object.values(SYSTEM_RECORDS).flatMap(({ key, goodKey }) => [bytesToHex(key), bytesToHex(goodKey)])
    const keyed = anyCase.chain((one) =>
      one.parts.map((parts) => ({ kind: one.kind, parts, key: bytesToHex(one.kind.key(...parts)) })),
    )
    fc.assert(
      fc.property(keyed, keyed, (a, b) => {
        const isSame = a.kind === b.kind && JSON.stringify(a.parts) === JSON.stringify(b.parts)
        expect(a.key === b.key).toBe(isSame)
        expect(records).not.toContain(a.key)
      }),
      { numRuns: 300 },
    )
    // No name of a record begins with the first byte of an entry.
    for (const name of Object.keys(SYSTEM_RECORDS)) expect(utf8ToBytes(name)[0]).toBeGreaterThan(32)
  })

  it('of any other bytes is none', () => {
    fc.assert(
      fc.property(
        anyCase.chain((one) => one.parts.map((parts) => [one, parts] as const)),
        any.bytesUpTo(80),
        ([{ kind }, parts], bytes) => {
          fc.pre(!codec.decode(kind.codec, bytes).ok)
          const kv = committed((journal) => journal.setStorage(SYSTEM_ADDRESS, kind.key(...parts), bytes))
          expect(readEntry(kv, kind, ...parts)).toBeUndefined()
          expect(entryIn(new Journal(kv), kind, ...parts)).toBeUndefined()
        },
      ),
      { numRuns: 100 },
    )
  })
})

it('a membership is an entry with its organisation, of which either may be missing', () => {
  fc.assert(
    fc.property(any.address, governed.accountEntry, fc.option(governed.organisation), (address: Address, entry, organisation) => {
      const kv = committed((journal) => {
        writeEntry(journal, SYSTEM_ENTRIES.account, entry, address)
        if (organisation !== null) writeEntry(journal, SYSTEM_ENTRIES.organisation, organisation, entry.organisation as Hash)
      })
      const membership = { entry, organisation: organisation ?? undefined }
      expect(readMembership(kv, address)).toEqual(membership)
      expect(membershipIn(new Journal(kv), address)).toEqual(membership)
      expect(readMembership(new MemoryKv(), address)).toEqual({ entry: undefined, organisation: undefined })
    }),
    { numRuns: 40 },
  )
})
