import type { ContractTrace } from '@quoin/execution/contract'
import { bytesToHex } from '@quoin/protocol'
import type { Abi } from 'abitype'
import type { Hex } from 'viem'
import { decodeErrorResult } from 'viem/utils'
import type { Artifact } from './artifact.ts'
import { formatArguments } from './format.ts'
import type { Receipt } from './receipt.ts'
import { authorsLines } from './stack.ts'

/** An error of an ABI. */
export interface DecodedError {
  readonly errorName: string
  readonly args: readonly unknown[]
}

/**
 * A contract refused what was asked of it, or ran out of gas. The stack begins with the author's lines, innermost contract first, and ends with
 * the lines of the test.
 */
export class ContractRevert extends Error {
  override readonly name = 'ContractRevert'
  /** `Error` for an exception that is none of the ABI's; undefined when nobody knows the error. */
  readonly errorName: string | undefined
  /** In the order of the error's parameters. */
  readonly args: readonly unknown[]
  /** In words: the text of `Error(string)`, or what the chain says. */
  readonly reason: string
  /** The error's ABI encoding. */
  readonly data: Hex
  readonly gasUsed: bigint
  /** Of a transaction, which stands in its block with status `reverted`; undefined for reads and simulations. */
  declare readonly receipt: Receipt | undefined
  /** Lines of the stack that are the contracts', innermost first. */
  declare readonly frames: readonly string[]

  constructor(what: string, decoded: DecodedError | undefined, failed: FailedMessage, site: string) {
    const { data, reason, trace, gasUsed, receipt } = failed
    const isText = decoded === undefined || decoded.errorName === 'Error'
    super(`${what} reverted: ${isText ? reason : decoded.errorName + formatArguments(decoded.args)}`)
    this.errorName = decoded?.errorName
    this.args = decoded?.args ?? []
    const [text] = this.args
    this.reason = isText && typeof text === 'string' ? text : reason
    this.data = bytesToHex(data)
    this.gasUsed = gasUsed
    const frames = trace.flatMap(({ stack, artifact }) => authorsLines(stack, artifact))
    // Not enumerable: reporters would print all of it.
    Object.defineProperties(this, { receipt: { value: receipt }, frames: { value: frames } })
    this.stack = [`${this.name}: ${this.message}`, ...frames, site].join('\n')
  }
}

/** What is known of a message that failed. */
export interface FailedMessage {
  readonly data: Uint8Array
  readonly reason: string
  /** The contracts that the exception went through, innermost first, where it came from a contract. */
  readonly trace: readonly (ContractTrace & { readonly artifact: Artifact | undefined })[]
  readonly gasUsed: bigint
  readonly receipt: Receipt | undefined
}

/** The error by the called contract's ABI, by those of the contracts it came through, or as `Error(string)`. */
export function revertOf(what: string, abi: Abi | undefined, failed: FailedMessage, site: string): ContractRevert {
  const abis = [abi, ...failed.trace.map(({ artifact }) => artifact?.abi)]
  const data = bytesToHex(failed.data)
  for (const known of [...abis, []]) {
    const decoded = known === undefined ? undefined : decode(known, data)
    if (decoded !== undefined) return new ContractRevert(what, decoded, failed, site)
  }
  return new ContractRevert(what, undefined, failed, site)
}

/** Undefined when the ABI does not know the error, or the data are no encoding of it. Without errors it knows Solidity's own. */
function decode(abi: Abi, data: Hex): DecodedError | undefined {
  try {
    const { errorName, args } = decodeErrorResult({ abi, data })
    return { errorName, args: args ?? [] }
  } catch {
    return undefined
  }
}
