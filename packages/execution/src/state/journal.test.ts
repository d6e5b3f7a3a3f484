import {
  type Account,
  type Address,
  bytesToHex,
  CODES_ADDRESS,
  EMPTY_ACCOUNT,
  Hash,
  type Hex,
  type Log,
  type Nonce,
  type Wei,
} from '@quoin/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MemoryKv } from '../../test/memory-kv.ts'
import { addressOf } from '../../test/transactions.ts'
import { flatOps } from './history.ts'
import { type Checkpoint, Journal } from './journal.ts'
import { stateKeyOf } from './keys.ts'

const addresses = [addressOf(1), addressOf(0x100), addressOf(2)]
const keys = [new Uint8Array(0), Uint8Array.of(0), Uint8Array.of(0, 1), Uint8Array.of(255)]

const accountOf = (n: number): Account => ({ ...EMPTY_ACCOUNT, nonce: n as Nonce, balance: BigInt(n) as Wei })
const logOf = (n: number): Log => ({ address: addressOf(n), topics: [], data: Uint8Array.of(n) })

type Step =
  | { readonly kind: 'account'; readonly address: Address; readonly value: number }
  | { readonly kind: 'storage'; readonly address: Address; readonly key: Uint8Array; readonly value: number | undefined }
  | { readonly kind: 'log'; readonly value: number }
  | { readonly kind: 'checkpoint' | 'revert' | 'read' }

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    kind: fc.constant('account' as const),
    address: fc.constantFrom(...addresses),
    value: fc.integer({ min: 0, max: 3 }),
  }),
  fc.record({
    kind: fc.constant('storage' as const),
    address: fc.constantFrom(...addresses),
    key: fc.constantFrom(...keys),
    value: fc.option(fc.integer({ min: 0, max: 3 }), { nil: undefined }),
  }),
  fc.record({ kind: fc.constant('log' as const), value: fc.integer({ min: 0, max: 255 }) }),
  fc.record({ kind: fc.constantFrom('checkpoint' as const, 'revert' as const, 'read' as const) }),
)

/** Copies of the whole state instead of an undo list. */
interface Copy {
  readonly accounts: Map<Address, number>
  readonly storage: Map<string, number>
  readonly logs: number[]
}

const copyOf = ({ accounts, storage, logs }: Copy): Copy => ({
  accounts: new Map(accounts),
  storage: new Map(storage),
  logs: [...logs],
})
const nameOf = (address: Address, key: Uint8Array): string => `${address}/${bytesToHex(key)}`

function compare(journal: Journal, model: Copy) {
  for (const address of addresses) {
    expect(journal.account(address)).toEqual(accountOf(model.accounts.get(address) ?? 0))
    for (const key of keys) expect(journal.storage(address, key)?.[0]).toBe(model.storage.get(nameOf(address, key)))
  }
  expect(journal.logsSince({ writes: 0, logs: 0, creations: 0 })).toEqual(model.logs.map(logOf))
}

function run(journal: Journal, model: Copy, steps: readonly Step[]): Copy {
  const stack: { readonly checkpoint: Checkpoint; readonly copy: Copy }[] = []
  let state = model
  for (const item of steps) {
    if (item.kind === 'account') {
      journal.setAccount(item.address, accountOf(item.value))
      state.accounts.set(item.address, item.value)
    } else if (item.kind === 'storage') {
      journal.setStorage(item.address, item.key, item.value === undefined ? undefined : Uint8Array.of(item.value))
      if (item.value === undefined) state.storage.delete(nameOf(item.address, item.key))
      else state.storage.set(nameOf(item.address, item.key), item.value)
    } else if (item.kind === 'log') {
      journal.log(logOf(item.value))
      state.logs.push(item.value)
    } else if (item.kind === 'checkpoint') stack.push({ checkpoint: journal.checkpoint(), copy: copyOf(state) })
    else if (item.kind === 'revert') {
      const last = stack.pop()
      if (last === undefined) continue
      journal.revert(last.checkpoint)
      state = last.copy
    } else compare(journal, state)
  }
  return state
}

describe('Journal', () => {
  it('agrees with copies of the whole state, over nested checkpoints and several blocks', () => {
    fc.assert(
      fc.property(fc.array(fc.array(step, { maxLength: 40 }), { minLength: 1, maxLength: 4 }), (blocks) => {
        const kv = new MemoryKv()
        let model: Copy = { accounts: new Map(), storage: new Map(), logs: [] }
        for (const steps of blocks) {
          const journal = new Journal(kv)
          model = run(journal, { ...model, logs: [] }, steps)
          compare(journal, model)
          const changes = journal.changes()
          const names = changes.map(({ flatKey }) => bytesToHex(stateKeyOf(flatKey)))
          expect(names).toEqual([...new Set(names)].toSorted())
          for (const { flatKey, before } of changes) expect(before).toEqual(kv.get(flatKey))
          kv.write(flatOps(changes))
          expect(new Journal(kv).changes()).toEqual([])
          compare(new Journal(kv), { ...model, logs: [] })
          const entries = [...model.accounts.values()].filter((n) => n > 0).length + model.storage.size
          expect(kv.size).toBe(entries)
        }
      }),
    )
  })

  it('lists no change for values that are back at their original', () => {
    const journal = new Journal()
    journal.setAccount(addressOf(1), accountOf(1))
    journal.setStorage(addressOf(1), Uint8Array.of(1), Uint8Array.of(1))
    journal.setAccount(addressOf(1), EMPTY_ACCOUNT)
    journal.setStorage(addressOf(1), Uint8Array.of(1), undefined)
    expect(journal.changes()).toEqual([])
  })

  it('keeps a code under its hash, for all accounts that name it', () => {
    const journal = new Journal()
    const hash = Hash(new Uint8Array(32).fill(5))
    const before = journal.checkpoint()
    journal.addCode(Uint8Array.of(1, 2), hash)
    for (const i of [1, 2]) journal.setCodeHash(addressOf(i), hash)
    for (const i of [1, 2]) expect(journal.codeAt(addressOf(i))).toEqual(Uint8Array.of(1, 2))
    expect(journal.codeAt(addressOf(3))).toBeUndefined()
    expect(journal.changes().map(({ flatKey }) => bytesToHex(stateKeyOf(flatKey)))).toEqual([
      `${addressOf(1)}00`,
      `${addressOf(2)}00`,
      `${CODES_ADDRESS}01${'05'.repeat(32)}`,
    ] as unknown as Hex[])
    journal.revert(before)
    expect([journal.code(hash), journal.codeAt(addressOf(1))]).toEqual([undefined, undefined])
    expect(journal.changes()).toEqual([])
  })

  it('refuses a checkpoint that was already reverted, and values over the limits', () => {
    const journal = new Journal()
    const start = journal.checkpoint()
    journal.log(logOf(1))
    const later = journal.checkpoint()
    journal.revert(start)
    expect(() => journal.revert(later)).toThrow(/already reverted/)
    expect(() => journal.setStorage(addressOf(1), new Uint8Array(129), undefined)).toThrow(/at most 128/)
    expect(() => journal.setStorage(addressOf(1), new Uint8Array(128), new Uint8Array(512 * 1024 + 1))).toThrow(/at most 524288/)
  })
})
