import type { AccountOverride, BlockOverrides, Call, StateOverrides } from '@quoin/execution'
import {
  type Address,
  emptyBytes,
  type Hash,
  type Height,
  LIMITS,
  type Nonce,
  type TimeMs,
  U32_MAX,
  type Wei,
  ZERO_ADDRESS,
} from '@quoin/protocol'
import { z } from 'zod'
import { invalidParams } from './errors.ts'
import * as forms from './forms/index.ts'
import { hexBytes } from './hex.ts'
import type { RpcLimits } from './limits.ts'
import {
  by,
  isGiven,
  type Members,
  Misfit,
  member,
  optional,
  reader,
  readList,
  readObject,
  requireFew,
  requireKnown,
  shown,
} from './reader.ts'
import { address, bigQuantity, data, hash, quantity } from './schema.ts'

/** Readers for the parameters of `eth_call` and `eth_estimateGas`, in the types of the execution package. */

const readAddress = by(address)
const readHash = by(hash)
const readData = by(data)
const readBig = by(bigQuantity)
const readQuantity = by(quantity)
/** go-ethereum takes 32 bytes, execution-apis a quantity of 256 bits. */
const readRandao = by(z.union([hash, bigQuantity], { error: 'must be 32 bytes in hex, or a hex quantity' }))
const readWei = (value: unknown): Wei => readBig(value) as Wei

/** Gas above 2^53 - 1 is clamped: it means as much as the limit allows. */
function readGas(value: unknown): number {
  const gas = readBig(value)
  return Number(gas < MOST_GAS ? gas : MOST_GAS)
}
const MOST_GAS = BigInt(Number.MAX_SAFE_INTEGER)

/** Moves a precompiled contract of Ethereum to another address. */
const MOVED_TO = 'movePrecompileToAddress'

type AccessLimits = Pick<RpcLimits, 'accessEntriesMax' | 'accessKeysMax'>

function readAccessList(value: unknown, { accessEntriesMax, accessKeysMax }: AccessLimits): Call['accessList'] {
  let keys = 0
  return readList(value, accessEntriesMax, 'entries', (entry) => {
    const object = readObject(entry)
    const named = member(object, 'address', readAddress)
    const storageKeys = member(object, 'storageKeys', (list): readonly Hash[] =>
      readList(list, accessKeysMax - keys, 'storage keys after those of earlier entries', readHash),
    )
    keys += storageKeys.length
    return { address: named, storageKeys }
  })
}

const ACCESS_LIST = forms.list(forms.open({ address: forms.address, storageKeys: forms.list(forms.hash) }))

/** The members of a call. Either name of its data may be used. */
export const callMembers = {
  ...{ from: forms.address, to: forms.orNull(forms.address), gas: forms.uint256, gasPrice: forms.uint256 },
  ...{ maxFeePerGas: forms.uint256, maxPriorityFeePerGas: forms.uint256, value: forms.uint256 },
  ...{ data: forms.bytes, input: forms.bytes, accessList: ACCESS_LIST },
} as const
const CALL = forms.component('Call', forms.notBoth(forms.open({}, callMembers), ['gasPrice', 'maxFeePerGas']))

/** The transaction object. Unknown members and the nonce are ignored, as in geth. */
export const callObject = reader(CALL, (value, limits): Call => {
  const object = readObject(value)
  const from = optional(object, 'from', readAddress)
  const to = optional(object, 'to', readAddress)
  const gas = optional(object, 'gas', readGas)
  const gasPrice = optional(object, 'gasPrice', readWei)
  const maxFeePerGas = optional(object, 'maxFeePerGas', readWei)
  optional(object, 'maxPriorityFeePerGas', readWei)
  const sent = optional(object, 'value', readWei)
  const older = optional(object, 'data', readData)
  const input = optional(object, 'input', readData)
  const accessList = optional(object, 'accessList', (list) => readAccessList(list, limits))
  if (gasPrice !== undefined && maxFeePerGas !== undefined) throw new Misfit('has both gasPrice and maxFeePerGas')
  if (input !== undefined && older !== undefined && !isSame(input, older))
    throw new Misfit('has both data and input, and they are not equal')
  return {
    from: from ?? ZERO_ADDRESS,
    to,
    data: input ?? older ?? emptyBytes(),
    value: sent ?? (0n as Wei),
    accessList: accessList ?? [],
    gas,
    maxFeePerGas: gasPrice ?? maxFeePerGas ?? (0n as Wei),
  }
})

const isSame = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0

/** A 32-byte key and a 32-byte value. */
const ENTRY_BYTES = 64

/** Packs keys and values into few buffers: a worker message with one buffer for each costs four times as much. */
class PackedBytes {
  readonly #roomBytes: number
  #bytes: Uint8Array
  #end = 0

  constructor(entries: number) {
    this.#roomBytes = ENTRY_BYTES * entries
    this.#bytes = new Uint8Array(this.#roomBytes)
  }

  add(bytes: Uint8Array): Uint8Array {
    if (this.#end + bytes.length > this.#bytes.length) {
      this.#bytes = new Uint8Array(Math.max(this.#roomBytes, bytes.length))
      this.#end = 0
    }
    const from = this.#end
    this.#bytes.set(bytes, from)
    this.#end += bytes.length
    return this.#bytes.subarray(from, this.#end)
  }
}

const KEY_CHARS_MAX = 2 + 2 * LIMITS.stateKeyBytesMax

function readKey(name: string): Uint8Array {
  const key = name.length > KEY_CHARS_MAX ? undefined : hexBytes(name)
  if (key !== undefined) return key
  throw new Misfit(
    `has the invalid key ${shown(name)}: each key must be a storage key, hex of at most ${LIMITS.stateKeyBytesMax} bytes`,
  )
}

type StorageEntries = NonNullable<AccountOverride['storage']>['entries']

/** Storage by raw keys, at most `max`. Contracts of this chain choose their keys freely, so any bytes may be a key. */
function readStorage(value: unknown, max: number): StorageEntries {
  const object = readObject(value)
  const names = Object.keys(object)
  requireFew(names.length, max, 'storage entries after those of earlier accounts')
  const packed = new PackedBytes(names.length)
  return names.map((name) => {
    const key = packed.add(readKey(name))
    return [key, packed.add(storedForm(member(object, name, readData)))] as const
  })
}

/**
 * Converts a storage value of a request to the stored form. A value of 32 bytes, as Ethereum's tools write it, is a number: storage keeps
 * numbers without leading zeros, and does not store 0. Any other value is the stored bytes themselves. `eth_getStorageAt` does the reverse.
 */
export function storedForm(value: Uint8Array): Uint8Array {
  if (value.length !== 32) return value
  const start = value.findIndex((byte) => byte !== 0)
  return start < 0 ? emptyBytes() : value.subarray(start)
}

function readNonce(value: unknown): Nonce {
  const nonce = readQuantity(value)
  if (nonce > U32_MAX) throw new Misfit(`is above ${U32_MAX}`)
  return nonce as Nonce
}

const ACCOUNT_MEMBERS: ReadonlySet<string> = new Set(['balance', 'nonce', 'code', 'state', 'stateDiff'])

function readAccount(value: unknown, entriesMax: number): AccountOverride {
  const object = readObject(value)
  // The reason is go-ethereum's. This chain has no precompiles.
  if (isGiven(object, MOVED_TO)) throw new Misfit(`has ${MOVED_TO}, but the account is not a precompile`)
  requireKnown(object, ACCOUNT_MEMBERS)
  if (isGiven(object, 'state') && isGiven(object, 'stateDiff')) throw new Misfit('has both state and stateDiff')
  return {
    balance: optional(object, 'balance', readWei),
    nonce: optional(object, 'nonce', readNonce),
    code: optional(object, 'code', readData),
    storage: readOverriddenStorage(object, entriesMax),
  }
}

function readOverriddenStorage(object: Members, entriesMax: number): AccountOverride['storage'] {
  const read = (given: unknown): StorageEntries => readStorage(given, entriesMax)
  const state = optional(object, 'state', read)
  if (state !== undefined) return { kind: 'replace', entries: state }
  const changed = optional(object, 'stateDiff', read)
  return changed === undefined ? undefined : { kind: 'change', entries: changed }
}

const storageForm = forms.mapOf(forms.bytes, `0x([0-9a-f]{2}){0,${LIMITS.stateKeyBytesMax}}`)
const ACCOUNT_OVERRIDE = forms.notBoth(
  forms.closed(
    {},
    { balance: forms.uint256, nonce: forms.uint32, code: forms.bytes, state: storageForm, stateDiff: storageForm },
  ),
  ['state', 'stateDiff'],
)
const STATE_OVERRIDES = forms.component('StateOverrides', forms.mapOf(ACCOUNT_OVERRIDE, '0x[0-9a-fA-F]{40}'))

/** State overrides by address, as in geth. */
export const stateOverrides = reader(STATE_OVERRIDES, (value, { overridesMax, overrideEntriesMax }): StateOverrides => {
  const overrides = new Map<Address, AccountOverride>()
  if (value === undefined) return overrides
  const object = readObject(value)
  const names = Object.keys(object)
  requireFew(names.length, overridesMax, 'accounts')
  let entries = 0
  for (const name of names) {
    const account = address.usual(name)
    if (account === undefined)
      throw new Misfit(`has the invalid key ${shown(name)}: each key must be an address, 0x and 40 hex digits`)
    const override = member(object, name, (given) => readAccount(given, overrideEntriesMax - entries))
    entries += override.storage?.entries.length ?? 0
    overrides.set(account, override)
  }
  return overrides
})

const MILLISECONDS = 1_000
const SECONDS_MAX = Math.floor(LIMITS.timeMsMax / MILLISECONDS)

function readTime(value: unknown): TimeMs {
  const seconds = readQuantity(value)
  if (seconds > SECONDS_MAX) throw new Misfit(`is above ${SECONDS_MAX}`)
  return (MILLISECONDS * seconds) as TimeMs
}

/** Those of the second line have no effect: no contract of this chain can read them. Tools send them with the others. */
const BLOCK_MEMBERS: ReadonlySet<string> = new Set([
  ...['number', 'time', 'gasLimit', 'feeRecipient', 'baseFeePerGas'],
  ...['difficulty', 'prevRandao', 'blobBaseFee'],
])
/** Members that go-ethereum knows, and refuses in calls. */
const REFUSED_MEMBERS = ['beaconRoot', 'withdrawals'] as const

const BLOCK_OVERRIDES = forms.component(
  'BlockOverrides',
  forms.closed(
    {},
    {
      ...{ number: forms.uint53, time: forms.uint53, gasLimit: forms.uint53, feeRecipient: forms.address },
      ...{ baseFeePerGas: forms.uint256, difficulty: forms.uint256, blobBaseFee: forms.uint256 },
      prevRandao: forms.anyOf(forms.hash, forms.uint256),
    },
  ),
)

/** Block overrides, as in go-ethereum (internal/ethapi/override). */
export const blockOverrides = reader(BLOCK_OVERRIDES, (value): BlockOverrides => {
  const object = value === undefined ? {} : readObject(value)
  for (const name of REFUSED_MEMBERS)
    if (isGiven(object, name)) throw invalidParams(`block override "${name}" is not supported for this RPC method`)
  requireKnown(object, BLOCK_MEMBERS)
  optional(object, 'difficulty', readBig)
  optional(object, 'prevRandao', readRandao)
  optional(object, 'blobBaseFee', readBig)
  return {
    number: optional(object, 'number', readQuantity) as Height | undefined,
    timeMs: optional(object, 'time', readTime),
    gasLimit: optional(object, 'gasLimit', readQuantity),
    proposer: optional(object, 'feeRecipient', readAddress),
    baseFee: optional(object, 'baseFeePerGas', readWei),
  }
})
