import { codec, DEFAULT_PARAMETERS, hexToBytes, storageKey, utf8ToBytes } from '@quoin/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { testGenesis } from '../../test/chain.ts'
import { TestContracts } from '../../test/contracts.ts'
import { MemoryKv } from '../../test/memory-kv.ts'
import { addressOf } from '../../test/transactions.ts'
import { genesisState } from '../block/genesis.ts'
import { flatOps } from './history.ts'
import { Journal } from './journal.ts'
import { flatKeyOf } from './keys.ts'
import {
  maySend,
  readNodes,
  readParameters,
  readSendPolicy,
  readValidatorSet,
  SYSTEM_ADDRESS,
  SYSTEM_RECORDS,
  settleSystemRecords,
  writeRecord,
} from './system-records.ts'

const genesis = testGenesis(new Map())

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

const readAll = (kv: MemoryKv) => [readParameters(kv), readNodes(kv), readSendPolicy(kv)].map(({ value }) => value)
const validatorsOf = (kv: MemoryKv) => readValidatorSet(kv).value.validators

describe('system records', () => {
  it('hold the values of genesis', () => {
    const kv = genesisKv()
    expect(readAll(kv)).toEqual([genesis.parameters, genesis.nodes, 'open'])
    expect(validatorsOf(kv)).toEqual(genesis.validators.validators)
    expect([readParameters, readValidatorSet, readNodes, readSendPolicy].map((read) => read(kv).problem)).toEqual(
      Array(4).fill(undefined),
    )
    expect(maySend(readSendPolicy(kv).value, addressOf(1))).toBe(true)
    expect(flatKeyOf(storageKey(SYSTEM_ADDRESS, utf8ToBytes('parameters'))).subarray(1, 21)).toEqual(hexToBytes(SYSTEM_ADDRESS))
  })

  it('change as a whole block, and keep the new value as the good one', () => {
    const kv = genesisKv()
    const changed = { ...DEFAULT_PARAMETERS, blockIntervalMs: 700 }
    expect(block(kv, (journal) => writeRecord(journal, SYSTEM_RECORDS.parameters, changed))).toEqual([])
    expect(readParameters(kv)).toEqual({ value: changed, problem: undefined })
    const damaged = block(kv, (journal) => journal.setStorage(SYSTEM_ADDRESS, SYSTEM_RECORDS.parameters.key, Uint8Array.of(1)))
    expect(damaged).toEqual([expect.stringMatching(/^parameters: /)])
    expect(readParameters(kv).value).toEqual(changed)
  })

  it('fall back to the last good value on any bytes, say so, and recover', () => {
    const records = Object.values(SYSTEM_RECORDS)
    fc.assert(
      fc.property(
        fc.constantFrom(...records),
        fc.option(
          fc.oneof(
            fc.uint8Array({ maxLength: 400 }),
            fc.uint8Array({ maxLength: 40 }).map((bytes) => Uint8Array.of(1, ...bytes)),
          ),
          {
            nil: undefined,
          },
        ),
        (record, bytes) => {
          const valid = bytes !== undefined && codec.decode(record.codec as codec.Codec<unknown>, bytes).ok
          fc.pre(!valid)
          const kv = genesisKv()
          const before = JSON.stringify([...readAll(kv), validatorsOf(kv)], (_, value) =>
            typeof value === 'bigint' ? String(value) : value,
          )
          const good = new Journal(kv).storage(SYSTEM_ADDRESS, record.key)
          for (let repeat = 0; repeat < 2; repeat++) {
            const problems = block(kv, (journal) => journal.setStorage(SYSTEM_ADDRESS, record.key, bytes))
            expect(problems).toEqual([expect.stringContaining(record.name)])
            const after = JSON.stringify([...readAll(kv), validatorsOf(kv)], (_, value) =>
              typeof value === 'bigint' ? String(value) : value,
            )
            expect(after).toBe(before)
          }
          const readings = [readParameters(kv), readValidatorSet(kv), readNodes(kv), readSendPolicy(kv)]
          expect(readings.flatMap(({ problem }) => (problem === undefined ? [] : [problem]))).toEqual([
            expect.stringContaining(record.name),
          ])
          expect(block(kv, (journal) => journal.setStorage(SYSTEM_ADDRESS, record.key, good))).toEqual([])
          expect(readParameters(kv).problem).toBeUndefined()
        },
      ),
      { numRuns: 60 },
    )
  })

  it('refuse an unknown layout', () => {
    const kv = genesisKv()
    const present = new Journal(kv).storage(SYSTEM_ADDRESS, SYSTEM_RECORDS.senders.key)!
    block(kv, (journal) =>
      journal.setStorage(SYSTEM_ADDRESS, SYSTEM_RECORDS.senders.key, Uint8Array.of(2, ...present.subarray(1))),
    )
    expect(readSendPolicy(kv)).toMatchObject({ value: 'open', problem: expect.stringContaining('unknown layout 2') })
  })

  it('throw in a database without genesis', () => {
    expect(() => readParameters(new MemoryKv())).toThrow(/no genesis/)
  })
})
