import {
  type Address,
  bytesToHex,
  err,
  type Height,
  type Hex,
  type Nonce,
  ok,
  type Result,
  storageKey,
  type TimeMs,
  type Wei,
} from '@quoin/protocol'
import type { Contracts } from '../contract/contracts.ts'
import { addCode, codeHostOf, type NewCode, prepareCode } from '../contract/creation.ts'
import { GasMeter } from '../contract/gas-meter.ts'
import type { BlockContext } from '../contract/message.ts'
import { readRecord, writeRecord } from '../contract/record.ts'
import { Journal } from '../state/journal.ts'
import { flatKeyOf } from '../state/keys.ts'
import type { KvReader } from '../state/kv.ts'
import { ticksOf } from '../ticks.ts'
import { CALL_LIMITS } from './limits.ts'

/** Overrides of an account for one call (geth's state overrides). An undefined field keeps the state's value. */
export interface AccountOverride {
  readonly balance?: Wei | undefined
  readonly nonce?: Nonce | undefined
  /** A contract container; empty for an account without code. */
  readonly code?: Uint8Array | undefined
  readonly storage?: StorageOverride | undefined
}

export interface StorageOverride {
  /** `replace` replaces the account's whole storage, `change` only the given entries. */
  readonly kind: 'replace' | 'change'
  /** Raw keys with values in storage format; an empty value deletes the entry. */
  readonly entries: readonly (readonly [rawKey: Uint8Array, value: Uint8Array])[]
}

export type StateOverrides = ReadonlyMap<Address, AccountOverride>

/** Overrides of the block for one call. An undefined field keeps the header's value. */
export interface BlockOverrides {
  readonly number?: Height | undefined
  readonly timeMs?: TimeMs | undefined
  readonly gasLimit?: number | undefined
  readonly proposer?: Address | undefined
  readonly baseFee?: Wei | undefined
}

/** Applies overrides to the block that a call sees. */
export function overrideBlock(block: BlockContext, overrides: BlockOverrides): BlockContext {
  return {
    number: overrides.number ?? block.number,
    timeMs: overrides.timeMs ?? block.timeMs,
    gasLimit: overrides.gasLimit ?? block.gasLimit,
    proposer: overrides.proposer ?? block.proposer,
    baseFee: overrides.baseFee ?? block.baseFee,
  }
}

export interface OverrideRefusal {
  readonly code: 'invalid-override'
  readonly message: string
}

/** Validated overrides. The same for every run of a call. */
export interface PreparedOverrides {
  /** Prefixes of the database keys whose entries are replaced, in hex. */
  readonly replaced: ReadonlySet<Hex>
  /** The state with the replaced storage hidden. */
  over(state: KvReader): KvReader
  /** Writes all other overrides; call it before the call runs. */
  write(journal: Journal): void
}

/** Validates overrides. Refuses code that could not be deployed. */
export function prepareOverrides(contracts: Contracts, overrides: StateOverrides): Result<PreparedOverrides, OverrideRefusal> {
  if (overrides.size > CALL_LIMITS.overriddenAccountsMax)
    return refusal(`${overrides.size} accounts are overridden, at most ${CALL_LIMITS.overriddenAccountsMax} are allowed`)
  const codes = new Map<Address, NewCode>()
  const replaced = new Set<Hex>()
  for (const [address, { code, storage }] of overrides) {
    if (storage?.kind === 'replace') replaced.add(storagePrefix(address))
    if (code === undefined || code.length === 0) continue
    // Without the state's codes, which are not at hand here: the code is made again.
    const host = codeHostOf(contracts, new Journal())
    const made = prepareCode(host, new GasMeter(ticksOf(CALL_LIMITS.codeGasMax), undefined), code, undefined)
    if (!made.ok) return refusal(`the code for ${address} is invalid: ${made.error.reason}`)
    if (made.value.constructorArguments.length > 0)
      return refusal(`the code for ${address} is invalid: bytes follow the container`)
    codes.set(address, made.value)
  }
  return ok({
    replaced,
    over: (state) => (replaced.size === 0 ? state : withoutStorage(state, replaced)),
    write(journal) {
      for (const [address, override] of overrides) writeAccount(contracts, journal, address, override, codes.get(address))
    },
  })
}

const refusal = (message: string): Result<never, OverrideRefusal> => err({ code: 'invalid-override', message })

function writeAccount(
  { executionVersion }: Contracts,
  journal: Journal,
  address: Address,
  { balance, nonce, code, storage }: AccountOverride,
  newCode: NewCode | undefined,
): void {
  const { codeHash, ...account } = journal.account(address)
  const plain = { balance: balance ?? account.balance, nonce: nonce ?? account.nonce }
  journal.setAccount(address, { ...plain, codeHash: code === undefined ? codeHash : undefined })
  if (newCode !== undefined) {
    const { version, authority, paused, callers } = readRecord(journal, address) ?? NEW_RECORD
    addCode(journal, newCode)
    journal.setCodeHash(address, newCode.codeHash)
    const { loadGas, codeBytes } = newCode.record
    writeRecord(journal, address, { version, authority, paused, callers, executionVersion, loadGas, codeBytes })
  }
  for (const [rawKey, value] of storage?.entries ?? [])
    journal.setStorage(address, rawKey, value.length === 0 ? undefined : value)
}

/** Record of a contract that exists only in this call. */
const NEW_RECORD = { version: 1, authority: undefined, paused: false, callers: 0 } as const

function withoutStorage(state: KvReader, replaced: ReadonlySet<Hex>): KvReader {
  return { get: (flatKey) => (replaced.has(prefixOf(flatKey)) ? undefined : state.get(flatKey)) }
}

/** The part of a database key by which the storage of an account is replaced. */
export const prefixOf = (flatKey: Uint8Array): Hex => bytesToHex(flatKey.subarray(0, STORAGE_PREFIX_BYTES))

/** Prefix of the database keys of an account's storage: key space, address, kind. */
const storagePrefix = (address: Address): Hex => bytesToHex(flatKeyOf(storageKey(address, new Uint8Array(0))))
const STORAGE_PREFIX_BYTES = 1 + 20 + 1
