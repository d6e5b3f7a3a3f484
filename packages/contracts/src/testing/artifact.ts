import type { Abi } from 'abitype'
import type { Hex } from 'viem'
import type { SourceMap } from '../build/source-map.ts'

/** What `quoin build` writes of a contract: `import * as token from '../artifacts/token.js'`. */
export interface Artifact<abi extends Abi = Abi> {
  readonly name: string
  readonly abi: abi
  /** The container, in hex. */
  readonly bytecode: Hex
  /** From places of the deployed source to those of the author's files, for stack traces. */
  readonly sourceMap?: SourceMap | undefined
}
