import type { Abi, Hex, UpgradeAuthority } from '@quoin/protocol'
import type { LayoutField } from '../kit/description.ts'
import type { SourceMap } from './source-map.ts'

/** A contract that a deployment would take. */
export interface BuiltContract {
  /** Of the author's module, without its extension. */
  readonly name: string
  /** The author's module, relative to the project. */
  readonly file: string
  readonly abi: Abi
  /** The container, for deployContract. */
  readonly bytecode: Hex
  /** The container's bytes: what eth_getCode answers. */
  readonly code: Uint8Array
  /** The module in the container. */
  readonly source: string
  readonly sourceMap: SourceMap
  readonly layout: readonly LayoutField[]
  readonly upgradeAuthority: UpgradeAuthority
  readonly reentrantSelectors: readonly number[]
  /** Gas of the transaction that deploys it, the constructor's arguments and work aside. */
  readonly deploymentGas: number
}
