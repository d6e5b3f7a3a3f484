import { type Address, err, ok, type Result, type StateMutability } from '@quoin/protocol'
import type { GuestValue } from '../vm/index.ts'
import { dispatch } from './abi/dispatch.ts'
import type { TupleType } from './abi/type.ts'
import { ACCESS, type Access } from './frame.ts'
import { type Program, RECEIVE_SELECTOR } from './program.ts'

/** Where a call enters a contract. */
export interface Entry {
  /** Name of the entry in the image. */
  readonly name: string
  readonly access: Access
  /** Whether it may be entered while the contract is on the call stack. */
  readonly isReentrant: boolean
  /** Types of the arguments in `data`; undefined for `fallback`, which gets the bytes, and for `receive`, which gets nothing. */
  readonly inputs: TupleType | undefined
  readonly data: Uint8Array | undefined
  /** Undefined for `receive` and `fallback`, which may return bytes. */
  readonly outputs: TupleType | undefined
}

/** A call of one entry of a contract's image. */
export interface EntryCall {
  readonly program: Program
  readonly name: string
  readonly values: readonly GuestValue[]
  readonly access: Access
  readonly self: Address
  readonly sender: Address
  readonly value: bigint
  /** Undefined where the entry returns bytes or nothing. */
  readonly outputs: TupleType | undefined
}

const GRANTED: Readonly<Record<StateMutability, Access>> = { pure: 'pure', view: 'read', nonpayable: 'write', payable: 'write' }

/** The entry for calldata and value, or why there is no such entry. */
export function entryFor(program: Program, calldata: Uint8Array, value: bigint, isStatic: boolean): Result<Entry, string> {
  const target = dispatch(program.abi, calldata, value)
  if (!target.ok) return err(target.error.message)
  const { kind } = target.value
  if (kind !== 'function') {
    const data = kind === 'fallback' ? target.value.data : undefined
    const access = isStatic ? 'read' : 'write'
    const isReentrant = kind === 'receive' && program.reentrant.has(RECEIVE_SELECTOR) && !program.entries.has(RECEIVE_SELECTOR)
    return ok({ name: kind, access, isReentrant, inputs: undefined, data, outputs: undefined })
  }
  const { function: called, data } = target.value
  const granted = GRANTED[called.mutability]
  return ok({
    name: program.entries.get(called.selector)!,
    access: isStatic ? lesser(granted, 'read') : granted,
    isReentrant: program.reentrant.has(called.selector),
    inputs: called.inputs,
    data,
    outputs: called.outputs,
  })
}

const lesser = (a: Access, b: Access): Access => (ACCESS.indexOf(a) < ACCESS.indexOf(b) ? a : b)
