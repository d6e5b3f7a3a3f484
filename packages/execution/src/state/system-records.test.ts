import { codec, DEFAULT_PARAMETERS, hexToBytes, storageKey, utf8ToBytes } from '@quoin/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { testGenesis } from '../../test/chain.ts'
import { TestContracts } from '../../test/contracts.ts'
import { MemoryKv } from '../../test/memory-kv.ts'
import { genesisState } from '../block/genesis.ts'
import { flatOps } from './history.ts'
import { Journal } from './journal.ts'
import { flatKeyOf } from './keys.ts'
import {
  type Reading,
  readParameters,
  readSystemRecord,
  recordIn,
  recordOrNone,
  SYSTEM_ADDRESS,
  SYSTEM_RECORDS,
  type SystemRecord,
  settleSystemRecords,
  writeSystemRecord,
} from './system-records.ts'

const genesis = testGenesis(new Map())
const { parameters, domain, policies } = SYSTEM_RECORDS
/** Those that genesis writes. The domain is written by the first block. */
const FOUNDED = Object.values(SYSTEM_RECORDS).filter((record) => record !== domain) as readonly SystemRecord<unknown>[]

function genesisKv(): MemoryKv {
  const kv = new MemoryKv()
  kv.write(flatOps(genesisState(new TestContracts().machine.contracts, genesis).changes()))
  return kv
}

/** One block that changes the records, ended as execution ends it. */
function block(kv: MemoryKv, edit: (journal: Journal) => void): readonly string[] {
  const journal = new Journal(kv)
  edit(journal)
  const problems = settleSystemRecords(journal)
  kv.write(flatOps(journal.changes()))
  return problems
}

const put = (record: SystemRecord<unknown>, bytes: Uint8Array | undefined) => (journal: Journal) =>
  journal.setStorage(SYSTEM_ADDRESS, record.key, bytes)
const readAll = (kv: MemoryKv): readonly Reading<unknown>[] => FOUNDED.map((record) => readSystemRecord(kv, record))
const valuesOf = (kv: MemoryKv): string =>
  JSON.stringify(readAll(kv), (key, value) => (key === 'problem' ? undefined : typeof value === 'bigint' ? String(value) : value))

/** Bytes of any kind, many of which begin as a record does. */
const anyBytes = fc.option(
  fc.oneof(
    fc.uint8Array({ maxLength: 400 }),
    fc.uint8Array({ maxLength: 40 }).map((bytes) => Uint8Array.of(1, ...bytes)),
  ),
  { nil: undefined },
)

describe('system records', () => {
  it('hold the values of genesis', () => {
    const kv = genesisKv()
    expect(readAll(kv).map(({ problem }) => problem)).toEqual(FOUNDED.map(() => undefined))
    expect(readParameters(kv).value).toEqual(genesis.parameters)
    expect(readSystemRecord(kv, policies).value).toEqual(genesis.consortium.policies)
    const { next, afterNext } = readSystemRecord(kv, SYSTEM_RECORDS.sets).value
    for (const set of [next, afterNext]) expect(set.validators).toEqual(genesis.validators.validators)
    expect(readSystemRecord(kv, SYSTEM_RECORDS.nodes).value).toEqual(genesis.nodes.map(({ addresses: _, ...node }) => node))
    expect(flatKeyOf(storageKey(SYSTEM_ADDRESS, utf8ToBytes('parameters'))).subarray(1, 21)).toEqual(hexToBytes(SYSTEM_ADDRESS))
  })

  it('change as a whole block, and keep the new value as the good one', () => {
    const kv = genesisKv()
    const changed = { ...DEFAULT_PARAMETERS, blockIntervalMs: 700 }
    expect(block(kv, (journal) => writeSystemRecord(journal, parameters, changed))).toEqual([])
    expect(readParameters(kv)).toEqual({ value: changed, problem: undefined })
    const damaged = block(kv, put(parameters, Uint8Array.of(1)))
    expect(damaged).toEqual([expect.stringMatching(/^parameters: /)])
    expect(readParameters(kv).value).toEqual(changed)
  })

  it('are settled only in a block that changed them: one that stays malformed is named once and keeps its good copy', () => {
    const kv = genesisKv()
    expect(block(kv, put(parameters, Uint8Array.of(1)))).toHaveLength(1)
    expect(
      block(kv, (journal) => writeSystemRecord(journal, policies, { ...genesis.consortium.policies, sending: 'members' })),
    ).toEqual([])
    const journal = new Journal(kv)
    expect(settleSystemRecords(journal)).toEqual([])
    expect(journal.changes()).toEqual([])
    // A write of the bytes that are there is no change, so nothing of it reaches the state.
    put(policies, journal.storage(SYSTEM_ADDRESS, policies.key))(journal)
    settleSystemRecords(journal)
    expect(journal.changes()).toEqual([])
  })

  it('fall back to the last good value on any bytes, say so, and recover', () => {
    fc.assert(
      fc.property(fc.constantFrom(...FOUNDED), anyBytes, (record, bytes) => {
        const valid = bytes !== undefined && codec.decode(record.codec, bytes).ok
        fc.pre(!valid)
        const kv = genesisKv()
        const before = valuesOf(kv)
        const good = new Journal(kv).storage(SYSTEM_ADDRESS, record.key)
        expect(block(kv, put(record, bytes))).toEqual([expect.stringContaining(record.name)])
        expect(valuesOf(kv)).toBe(before)
        expect(readAll(kv).flatMap(({ problem }) => problem ?? [])).toEqual([expect.stringContaining(record.name)])
        // Messages of the next block see the last good value too.
        const value = recordIn(new Journal(kv), record)
        expect(codec.encode(record.codec, { layout: 1, value })).toEqual(good)
        expect(block(kv, put(record, good))).toEqual([])
        expect(readAll(kv).flatMap(({ problem }) => problem ?? [])).toEqual([])
      }),
      { numRuns: 60 },
    )
  })

  it('refuse an unknown layout', () => {
    const kv = genesisKv()
    const present = new Journal(kv).storage(SYSTEM_ADDRESS, policies.key)!
    block(kv, put(policies, Uint8Array.of(2, ...present.subarray(1))))
    expect(readSystemRecord(kv, policies)).toMatchObject({
      value: genesis.consortium.policies,
      problem: expect.stringContaining('unknown layout 2'),
    })
  })

  it('in a journal are what the messages so far have left', () => {
    const journal = new Journal(genesisKv())
    const before = recordIn(journal, policies)
    const checkpoint = journal.checkpoint()
    writeSystemRecord(journal, policies, { ...before, deploying: 'members' })
    expect(recordIn(journal, policies).deploying).toBe('members')
    journal.revert(checkpoint)
    expect(recordIn(journal, policies)).toEqual(before)
  })

  it('throw in a database without genesis, unless they may be absent', () => {
    expect(() => readParameters(new MemoryKv())).toThrow(/no genesis/)
    expect(recordOrNone(new Journal(), policies)).toBeUndefined()
    expect(recordOrNone(new Journal(genesisKv()), policies)).toEqual(genesis.consortium.policies)
  })
})
