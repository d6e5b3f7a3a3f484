import { err, type Result } from '@quoin/protocol'
import type { Ticks } from '../../ticks.ts'
import {
  type GuestValue,
  type HostContext,
  type HostFunction,
  type HostHandler,
  type HostKind,
  HostRefusal,
} from '../../vm/index.ts'
import { ACCESS, type Access, type Frame } from '../frame.ts'
import { CONTRACT_LIMITS } from '../limits.ts'

/** A host function: its row in the table, the access that it needs, and its handler. */
export interface HostEntry extends HostFunction {
  readonly access: Access
  readonly handler: HostHandler
}

type ArgumentOf<K> = K extends 'string'
  ? string
  : K extends 'bytes'
    ? Uint8Array
    : K extends 'bigint'
      ? bigint
      : K extends 'boolean'
        ? boolean
        : K extends 'number'
          ? number
          : GuestValue
type ArgumentsOf<K extends readonly HostKind[]> = { readonly [I in keyof K]: ArgumentOf<K[I]> }

/** Why a host function failed: the text of the guest's exception after the function's name. */
export interface Refused {
  readonly message: string
}
/** Refuses a host function call with this message. */
export const refused = (message: string): Result<never, Refused> => err({ message })

/** Result of a host function: a value, an error text, or an exception. */
export type Answer = Result<GuestValue, Refused | HostRefusal>

/**
 * Defines a host function.
 *
 * @param row `gas` (ticks) is charged before anything else
 * @param run charges the rest before the work that it pays for, and changes the journal only after the last charge, because
 *   charging may throw
 */
export function define<const K extends readonly HostKind[], R extends HostKind | undefined = undefined>(
  row: {
    readonly name: string
    readonly access: Access
    readonly gas: Ticks
    readonly parameters: K
    /** Kind of further arguments after the parameters, if they are allowed. */
    readonly rest?: R
  },
  run: (
    frame: Frame,
    context: HostContext,
    ...values: R extends HostKind ? [...ArgumentsOf<K>, ...ArgumentOf<R>[]] : ArgumentsOf<K>
  ) => Answer,
): HostEntry {
  const { name, access, gas, parameters, rest } = row
  const needed = ACCESS.indexOf(access)
  const handler = (context: HostContext, ...values: readonly GuestValue[]): GuestValue | HostRefusal => {
    const frame = context.scope as Frame
    if (ACCESS.indexOf(frame.access) < needed) return refusal(name, deniedText(frame.access))
    const answer = run(frame, context, ...(values as never))
    if (answer.ok) return answer.value
    return answer.error instanceof HostRefusal ? answer.error : refusal(name, answer.error.message)
  }
  return { name, gas, parameters, ...(rest === undefined ? {} : { rest }), access, handler: handler as HostHandler }
}

const refusal = (name: string, message: string): HostRefusal => new HostRefusal(cut(`${name}: ${message}`))

const deniedText = (granted: Access): string =>
  granted === 'pure' ? 'a pure function cannot read or write state' : 'a view function or a static call cannot write'

/** Cuts a text to the maximum length of an exception's message. */
export const cut = (text: string): string => text.slice(0, CONTRACT_LIMITS.errorTextCharsMax)
