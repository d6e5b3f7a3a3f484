import type { Abi, Hex, UpgradeAuthority } from '@quoin/protocol'
import type { LayoutField } from '../kit/description.ts'
import type { SourceMap } from './source-map.ts'
import type { Weight } from './weight.ts'

/** A built contract. Its deployment was tried up to the constructor. */
export interface BuiltContract {
  /** File name of the author's module, without the extension. */
  readonly name: string
  /** The author's module, relative to the project. */
  readonly file: string
  readonly abi: Abi
  /** The container as hex, for viem's deployContract. */
  readonly bytecode: Hex
  /** The container's bytes, as eth_getCode returns them. */
  readonly code: Uint8Array
  /** The module in the container. */
  readonly source: string
  readonly sourceMap: SourceMap
  readonly layout: readonly LayoutField[]
  readonly upgradeAuthority: UpgradeAuthority
  readonly reentrantSelectors: readonly number[]
  /** Gas of the deployment transaction, without the constructor's arguments and work. */
  readonly deploymentGas: number
  /**
   * Gas of an upgrade from code of the same size, with empty migration data and state; without `migrate` if that would not end. Undefined if the code
   * can never be replaced, or the build did not check gas.
   */
  readonly upgradeGas: number | undefined
  /** What the parts of the sources add to the module, heaviest first. */
  readonly weights: readonly Weight[]
}
