import {
  bytesToHex,
  createValidatorSet,
  type Height,
  idOfName,
  type Power,
  type RosterEntry,
  unwrap,
  type Validator,
  ZERO_HASH,
} from '@quoin/protocol'
import { type Abi, decodeErrorResult } from 'viem'
import { describe, expect, it } from 'vitest'
import { TEST_VALIDATOR, testGenesis } from '../../test/chain.ts'
import { blockOf, chainCall, GOVERNOR, receiptsOf, startGoverned, stored } from '../../test/governed.ts'
import { CHAIN_ABI } from '../contract/native/chain/chain-abi.ts'
import { advanceSets, beginBlock } from './block-records.ts'
import { writeFounding } from './founding.ts'
import { Journal } from './journal.ts'
import { readSystemRecord, recordIn, recordOrNone, SYSTEM_ADDRESS, SYSTEM_RECORDS, writeSystemRecord } from './system-records.ts'

const { sets: SETS, roster: ROSTER, domain: DOMAIN } = SYSTEM_RECORDS
const at = (height: number) => height as Height

describe('the first block', () => {
  it('writes down to which chain signatures are bound, and no other does', () => {
    const journal = new Journal()
    beginBlock(journal, at(2), ZERO_HASH)
    expect(recordOrNone(journal, DOMAIN)).toBeUndefined()
    beginBlock(journal, at(1), ZERO_HASH)
    expect(recordIn(journal, DOMAIN)).toEqual({ genesisHash: ZERO_HASH, restartEpoch: 0 })
  })

  it('is bound to the hash of genesis, and later blocks leave the state as it is', async () => {
    const chain = await startGoverned()
    const genesisHash = chain.head.hash
    await stored(chain, [])
    expect(readSystemRecord(chain.kv, DOMAIN)).toEqual({ value: { genesisHash, restartEpoch: 0 }, problem: undefined })
    const { stateRoot } = chain.head.header
    for (let i = 0; i < 2; i++) await stored(chain, [])
    expect(chain.head.header.stateRoot).toBe(stateRoot)
  })

  it('refuses proofs of keys, as calls on the state before it must, which lacks the record', async () => {
    const chain = await startGoverned()
    const ready = chainCall(GOVERNOR, 0, 'ready', [TEST_VALIDATOR.id, 1n, `0x${'11'.repeat(64)}`])
    const [receipt] = receiptsOf(unwrap(await blockOf(chain, [ready])))
    const { errorName, args } = decodeErrorResult({ abi: CHAIN_ABI as Abi, data: bytesToHex(receipt!.errorData) })
    expect([errorName, ...args!]).toEqual(['Refused', expect.stringContaining('send it in block 2 or later')])
  })
})

describe('the end of a block', () => {
  const newcomer: Validator = { ...TEST_VALIDATOR, id: idOfName('bank-b')!, address: `0x${'0b'.repeat(20)}` as never }
  const entryOf = (validator: Validator, rest: Partial<RosterEntry> = {}): RosterEntry => {
    const history = { readyAt: at(3), changedAt: at(3), rotatedAt: at(0), equivocated: false }
    return { ...validator, organisation: validator.id, peerIds: [], ...history, ...rest }
  }
  const founded = () => {
    const journal = new Journal()
    writeFounding(journal, testGenesis(new Map()))
    return journal
  }

  it('writes nothing where nothing changes', () => {
    const journal = founded()
    const before = journal.changes().length
    const bytes = journal.storage(SYSTEM_ADDRESS, SETS.key)
    advanceSets(journal, at(5))
    expect(journal.changes()).toHaveLength(before)
    expect(journal.storage(SYSTEM_ADDRESS, SETS.key)).toBe(bytes)
  })

  it('moves the sets on by one height, and makes the one after by the roster', () => {
    const journal = founded()
    const present = createValidatorSet([TEST_VALIDATOR])
    const both = createValidatorSet([TEST_VALIDATOR, newcomer])
    writeSystemRecord(journal, ROSTER, [...recordIn(journal, ROSTER), entryOf(newcomer)])
    const shown = () => {
      const { next, afterNext } = recordIn(journal, SETS)
      return [next.validators, afterNext.validators]
    }
    advanceSets(journal, at(3))
    expect(shown()).toEqual([present.validators, both.validators])
    // It has come to rest only when both heights have the same set.
    advanceSets(journal, at(4))
    expect(shown()).toEqual([both.validators, both.validators])
    writeSystemRecord(
      journal,
      ROSTER,
      recordIn(journal, ROSTER).map((entry) => (entry.id === newcomer.id ? { ...entry, power: 0 as Power } : entry)),
    )
    advanceSets(journal, at(5))
    expect(shown()).toEqual([both.validators, present.validators])
  })
})
