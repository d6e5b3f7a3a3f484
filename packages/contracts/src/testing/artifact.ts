import type { Hex } from '@quoin/protocol'
import type { Abi } from 'abitype'
import type { SourceMap } from '../build/source-map.ts'

/** A contract's artifact, as `quoin build` writes it: `import * as token from '../artifacts/token.js'`. */
export interface Artifact<abi extends Abi = Abi> {
  readonly name: string
  readonly abi: abi
  /** The container as hex. */
  readonly bytecode: Hex
  /** Maps positions in the deployed source to the author's files, for stack traces. */
  readonly sourceMap?: SourceMap | undefined
}
