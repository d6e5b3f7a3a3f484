import { type Address, bytesToHex, codec, err, type Hash, hexToBytes, type Result, unwrap } from '@quoin/protocol'
import { keyTextOf } from '../../../state/keys.ts'
import { type EntryKind, entryIn } from '../../../state/system-entries.ts'
import { encodeSystemRecord, recordIn, recordOrNone, SYSTEM_ADDRESS, type SystemRecord } from '../../../state/system-records.ts'
import { disk } from '../../../ticks.ts'
import type { GuestValue } from '../../../vm/index.ts'
import { encodeWithSelector } from '../../abi/encode.ts'
import { encodeEvent } from '../../abi/event.ts'
import { CONTRACT_GAS } from '../../contract-gas.ts'
import { type Failure, OUT_OF_GAS } from '../../failure.ts'
import { keyReadGas, keyWriteGas } from '../../key-gas.ts'
import { encodedValueGas } from '../../library/price.ts'
import { abiOf, type NativeAction, type NativeCall, type NativeContract } from '../native.ts'

/** Why a call of the chain contract fails. `chainAction` turns it into the call's failure; nothing else catches it. */
class ChainFailure extends Error {
  readonly failure: Failure

  constructor(failure: Failure) {
    super(failure.reason)
    this.failure = failure
  }
}

const { storage, emit: EMIT, call: CALL } = CONTRACT_GAS
/** Characters of a text in a refusal, so that its data fits into a receipt whatever the caller has passed. */
const REFUSAL_CHARS_MAX = 200
/** Each byte of a record or entry, decoded or encoded: 0.01 µs. */
const CODED_BYTE = disk(3)

/** Wraps a function of the chain contract: what writes must not be called statically, and a refusal undoes the call. */
export const chainAction =
  (action: (chain: ChainState, ...values: never[]) => GuestValue | void): NativeAction =>
  (call): Result<GuestValue, Failure> => {
    const chain = new ChainState(call)
    try {
      if (call.isStatic && call.called.mutability !== 'view') chain.refuse('Refused', 'a static call cannot write')
      return { ok: true, value: action(chain, ...(call.values as never[])) ?? undefined }
    } catch (problem) {
      if (problem instanceof ChainFailure) return err(problem.failure)
      throw problem
    }
  }

/** What one call of the chain contract sees and changes. Each use is charged before it happens. Methods throw a refusal, which ends the call. */
export class ChainState {
  readonly #call: NativeCall

  constructor(call: NativeCall) {
    this.#call = call
  }

  /** Sender of the message: an account or a contract. */
  get sender(): Address {
    return this.#call.from
  }

  get crypto() {
    return this.#call.machine.contracts.crypto
  }

  get journal() {
    return this.#call.machine.journal
  }

  get block() {
    return this.#call.machine.block
  }

  /** Whether a contract is on the call stack. */
  isUnderWay(address: Address): boolean {
    return this.#call.machine.isUnderWay(address)
  }

  /** Ends the call with one of the contract's errors. */
  refuse(name: string, ...values: readonly (string | Uint8Array | bigint)[]): never {
    const [error] = this.#call.abi.errorsByName.get(name)!
    const cut = values.map((value) => (typeof value === 'string' ? value.slice(0, REFUSAL_CHARS_MAX) : value))
    const data = unwrap(encodeWithSelector(this.crypto, error!.selector, error!.inputs, cut))
    throw new ChainFailure({ reason: `${name}(${values.map(shown).join(', ')})`, data, error: undefined, trace: [] })
  }

  /** Charges ticks. */
  pay(ticks: number): void {
    if (!this.#call.meter.take(ticks)) throw new ChainFailure((OUT_OF_GAS as { readonly error: Failure }).error)
  }

  record<T>(record: SystemRecord<T>): T {
    this.#payRead(record.key)
    return recordIn(this.journal, record)
  }

  /** As `record`, for one that a state may lack. */
  recordOrNone<T>(record: SystemRecord<T>): T | undefined {
    this.#payRead(record.key)
    return recordOrNone(this.journal, record)
  }

  /** Writes a record, and pays for its good copy as well, which the end of the block writes. */
  setRecord<T>(record: SystemRecord<T>, value: T): void {
    this.#write(record.key, encodeSystemRecord(record, value), 2)
  }

  entry<K extends readonly unknown[], T>(kind: EntryKind<K, T>, ...parts: K): T | undefined {
    this.#payRead(kind.key(...parts))
    return entryIn(this.journal, kind, ...parts)
  }

  setEntry<K extends readonly unknown[], T>(kind: EntryKind<K, T>, value: T | undefined, ...parts: K): void {
    this.#write(kind.key(...parts), value === undefined ? undefined : codec.encode(kind.codec, value), 1)
  }

  /** Emits one of the contract's events. */
  emit(name: string, ...values: readonly GuestValue[]): void {
    const [event] = this.#call.abi.eventsByName.get(name)!
    this.pay(EMIT.base + 3 * EMIT.topic + encodedValueGas(values))
    const encoded = unwrap(encodeEvent(this.crypto, event!, values))
    this.pay(EMIT.byte * encoded.data.length)
    const logged = this.journal.log({ address: SYSTEM_ADDRESS, ...encoded })
    if (!logged.ok) this.refuse('Refused', logged.error.message)
  }

  /** Calls another native contract in the name of the chain contract. If that fails, this call fails with the same error. */
  sendTo(native: NativeContract, name: string, ...values: readonly GuestValue[]): void {
    const { machine, meter, host } = this.#call
    const called = [...abiOf(this.crypto, native).functions.values()].find((each) => each.name === name)!
    this.pay(CALL.base + encodedValueGas(values))
    const data = unwrap(encodeWithSelector(this.crypto, called.selector, called.inputs, values))
    const sender = { address: SYSTEM_ADDRESS, gasLeft: meter.left, isStatic: false }
    const outcome = machine.send(sender, { to: native.address, value: 0n, data, gas: undefined, isStatic: false }, host)
    meter.count(outcome.gasUsed)
    if (!outcome.ok) throw new ChainFailure(outcome)
  }

  #payRead(rawKey: Uint8Array): void {
    const slot = this.journal.usedSlot(SYSTEM_ADDRESS, keyTextOf(rawKey))
    this.pay(storage.load + keyReadGas(this.journal.slotUse(slot)))
    // The value's length is known only once it was read, which is bounded by the largest record.
    const length = this.journal.storage(SYSTEM_ADDRESS, rawKey)?.length ?? 0
    this.pay((slot === undefined ? storage.loadByte + CODED_BYTE : CODED_BYTE) * length)
  }

  #write(rawKey: Uint8Array, value: Uint8Array | undefined, copies: number): void {
    const length = value?.length ?? 0
    const slot = this.journal.storageSlot(SYSTEM_ADDRESS, rawKey)
    const bytes = rawKey.length + length + (slot.value?.length ?? 0)
    const each = keyWriteGas(this.journal.slotUse(slot)) + storage.storeByte * bytes
    this.pay(storage.store + copies * each + (CODED_BYTE + storage.keptByte) * length)
    this.journal.setStorage(SYSTEM_ADDRESS, rawKey, value)
  }
}

const shown = (value: string | Uint8Array | bigint): string =>
  value instanceof Uint8Array ? `0x${[...value].map((byte) => byte.toString(16).padStart(2, '0')).join('')}` : String(value)

/** An address argument. The ABI's decoder has checked it. */
export const addressOf = (text: string): Address => text.toLowerCase() as Address

/** Bytes of a hash or address for an answer or event. */
export const bytesOf = (hex: `0x${string}` | Address): Uint8Array => hexToBytes(hex as Address)

/** An id argument: 32 bytes. */
export const idOf = (bytes: Uint8Array): Hash => bytesToHex(bytes) as string as Hash
