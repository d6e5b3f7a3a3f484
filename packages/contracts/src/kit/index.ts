/**
 * The contract kit: declarations, state, calls to other contracts, and the chain's library. It is bundled into contracts.
 *
 * @module
 */

export type { AbiSource, Mutability } from './abi-types.ts'
export type { PayableContext, PureContext, ViewContext, WriteContext } from './context.ts'
export { type ContextOf, type Contract, contract, type Part, part } from './contract.ts'
export type { Block, CallOptions } from './guest.ts'
export * from './host-functions.ts'
export { type Remote, remote, type Target } from './remote.ts'
export { type List, list, type ReadList } from './state/list.ts'
export { type Mapping, mapping, type Nested, type ReadMapping } from './state/mapping.ts'
export { replacing } from './state/replacing.ts'
export { type ReadSet, set, type ValueSet } from './state/set.ts'
export { type Range, type ReadTable, type Table, table } from './state/table.ts'
export type { KeyBound, KeySpec, KeyValue } from './state/table-key.ts'
export { type ReadValue, type Value, value } from './state/value.ts'
export type { Address, ScalarType, Spec, Struct, TypeName, WordType } from './value-types.ts'
