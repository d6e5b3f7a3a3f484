import { ABI_LIMITS, ok, type Result } from '@quoin/protocol'
import { type Refused, refused } from './define.ts'

interface Named {
  readonly name: string
  readonly signature: string
}

/** Maximum number of ABI items that an error message lists. */
const LISTED_MAX = 8

/**
 * Finds an event or error by its name, or by its signature where the ABI has several with that name. The error lists the
 * alternatives.
 *
 * @param noun what the item is called in error messages
 */
export function findNamed<T extends Named>(
  noun: 'event' | 'error',
  byName: ReadonlyMap<string, readonly T[]>,
  text: string,
): Result<T, Refused> {
  const called = byName.get(text)
  const first = called?.[0]
  if (called !== undefined && first !== undefined)
    return called.length === 1 ? ok(first) : refused(`several ${noun}s have this name: ${list(called)}; use the full signature`)
  const parenthesis = text.indexOf('(')
  const candidates = parenthesis < 0 ? [] : (byName.get(text.slice(0, parenthesis)) ?? [])
  const meant = candidates.find(({ signature }) => signature === text)
  if (meant !== undefined) return ok(meant)
  const known = candidates.length > 0 ? list(candidates) : listAll(byName)
  const name = text.slice(0, ABI_LIMITS.nameCharsMax)
  return refused(known === '' ? `the abi has no ${noun}s` : `the abi has no ${noun} ${name}; it has ${known}`)
}

/** Cached per ABI, because the text is the same for every wrong name and a contract may ask often. */
function listAll(byName: ReadonlyMap<string, readonly Named[]>): string {
  let known = lists.get(byName)
  if (known === undefined) {
    known = list([...byName.values()].flat())
    lists.set(byName, known)
  }
  return known
}

const lists = new WeakMap<ReadonlyMap<string, readonly Named[]>, string>()

function list(items: readonly Named[]): string {
  const listed = items.slice(0, LISTED_MAX).map(({ signature }) => signature.slice(0, ABI_LIMITS.nameCharsMax))
  return listed.join(', ') + (items.length > LISTED_MAX ? ` and ${items.length - LISTED_MAX} more` : '')
}
