import type { CallAbi, ContractTrace } from '@quoin/execution/contract'
import { bytesToHex, type Hex } from '@quoin/protocol'
import type { Abi } from 'abitype'
import { decodeErrorResult } from '#viem/utils'
import type { Artifact } from './artifact.ts'
import { errorAbi } from './error-abi.ts'
import { formatArguments } from './format.ts'
import type { Receipt } from './receipt.ts'
import { authorsLines } from './stack.ts'

/** An error, decoded with an ABI. */
export interface DecodedError {
  readonly errorName: string
  readonly args: readonly unknown[]
}

/**
 * A call or transaction reverted or ran out of gas. The stack begins with the author's lines, innermost contract first, and ends with the lines of the
 * test.
 */
export class ContractRevert extends Error {
  override readonly name = 'ContractRevert'
  /** Name of the error. `Error` for an exception that is not an error of the ABI; undefined if no known ABI has the error. */
  readonly errorName: string | undefined
  /** Arguments, in the order of the error's parameters. */
  readonly args: readonly unknown[]
  /** The text of `Error(string)`, or the chain's own message. */
  readonly reason: string
  /** The error's ABI encoding. */
  readonly data: Hex
  readonly gasUsed: bigint
  /** Receipt of the transaction, which is in its block with status `reverted`. Undefined for reads and simulations. */
  declare readonly receipt: Receipt | undefined
  /** Stack lines of the contracts, innermost first. */
  declare readonly frames: readonly string[]

  constructor(what: string, decoded: DecodedError | undefined, failed: FailedMessage, site: string) {
    const { data, reason, detail, trace, gasUsed, receipt } = failed
    const isText = decoded === undefined || decoded.errorName === 'Error'
    const told = isText ? reason : decoded.errorName + formatArguments(decoded.args)
    super(`${what} reverted: ${told}${detail === undefined ? '' : `: ${detail}`}`)
    this.errorName = decoded?.errorName
    this.args = decoded?.args ?? []
    const [text] = this.args
    this.reason = isText && typeof text === 'string' ? text : reason
    this.data = bytesToHex(data)
    this.gasUsed = gasUsed
    const frames = trace.flatMap(({ stack, artifact }) => authorsLines(stack, artifact))
    // Not enumerable, because test reporters would print all of it.
    Object.defineProperties(this, { receipt: { value: receipt }, frames: { value: frames } })
    this.stack = [`${this.name}: ${this.message}`, ...frames, site].join('\n')
  }
}

/** Details of a failed message. */
export interface FailedMessage {
  readonly data: Uint8Array
  readonly reason: string
  /** More about the reason: for `out of gas`, what used it up. */
  readonly detail: string | undefined
  /** The contracts that the exception passed through, innermost first. Empty if it did not come from a contract. */
  readonly trace: readonly (ContractTrace & { readonly artifact: Artifact | undefined; readonly abi: CallAbi | undefined })[]
  readonly gasUsed: bigint
  readonly receipt: Receipt | undefined
}

/** Decodes an error with the ABI of the called contract, then with those of the contracts that it passed through: of their artifacts, else of their containers. Then as `Error(string)`. */
export function revertOf(what: string, abi: Abi | undefined, failed: FailedMessage, site: string): ContractRevert {
  const abis = [
    abi,
    ...failed.trace.map((entry) => entry.artifact?.abi),
    ...failed.trace.map((entry) => entry.abi && errorAbi(entry.abi)),
  ]
  const data = bytesToHex(failed.data)
  for (const known of [...abis, []]) {
    const decoded = known === undefined ? undefined : decode(known, data)
    if (decoded !== undefined) return new ContractRevert(what, decoded, failed, site)
  }
  return new ContractRevert(what, undefined, failed, site)
}

/** Undefined if the ABI does not have the error or the data is malformed. Even an empty ABI knows Solidity's `Error` and `Panic`. */
function decode(abi: Abi, data: Hex): DecodedError | undefined {
  try {
    const { errorName, args } = decodeErrorResult({ abi, data })
    return { errorName, args: args ?? [] }
  } catch {
    return undefined
  }
}
