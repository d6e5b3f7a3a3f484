import type { CallOutcome } from './outcome.ts'

/** Why a source could not be made into a contract. */
export type CompileError =
  | { readonly kind: 'too-large'; readonly message: string }
  /** A syntax error, or an exception during evaluation. */
  | {
      readonly kind: 'throw'
      readonly name: string
      readonly message: string
      /** Position in the source, from 1; undefined when the error has none. */
      readonly line: number | undefined
      readonly column: number | undefined
      /** The interpreter's backtrace; empty when the thrown value has none. */
      readonly stack: string
      readonly gasUsed: number
    }
  | { readonly kind: 'out-of-gas' | 'out-of-depth' | 'trap' | 'stop'; readonly message: string; readonly gasUsed: number }
  | { readonly kind: 'fault'; readonly error: Error }

/** Converts a failed evaluation into a CompileError. */
export function compileError(outcome: CallOutcome): CompileError {
  switch (outcome.kind) {
    case 'fault':
      return outcome
    case 'throw': {
      const { name, message, stack } = outcome.error
      return { kind: 'throw', name, message, ...positionIn(stack), stack, gasUsed: outcome.gasUsed }
    }
    case 'return':
      throw new Error('an evaluation that returned has an image')
    default:
      return { kind: outcome.kind, message: `evaluating the module failed: ${outcome.kind}`, gasUsed: outcome.gasUsed }
  }
}

/** Line and column of the innermost stack frame in the contract's own source. */
function positionIn(stack: string): { readonly line: number | undefined; readonly column: number | undefined } {
  const match = /contract\.js:(\d+):(\d+)/.exec(stack)
  return {
    line: match?.[1] === undefined ? undefined : Number(match[1]),
    column: match?.[2] === undefined ? undefined : Number(match[2]),
  }
}
