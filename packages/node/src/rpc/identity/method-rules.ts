import { CUSTOM_ROLE_BIT_MAX, CUSTOM_ROLE_BIT_MIN, err, ok, type Result, ROLE_NAMES, ROLES, type Role } from '@quoin/protocol'

/** Who may call some methods, whatever the chain's policy is. */
export interface MethodRule {
  /** As the operator wrote it, for messages. */
  readonly text: string
  readonly matches: (method: string) => boolean
  /** `anyone`; `token`: whoever has a valid token; `nobody`; or accounts whose active entry has one of these role bits. */
  readonly who: 'anyone' | 'token' | 'nobody' | number
}

const PATTERN = /^[A-Za-z0-9_.]*\*?$/

/** A pattern is a method's name, or the beginning of names with `*` at the end. Undefined if it is neither. */
export function matcherOf(pattern: string): ((method: string) => boolean) | undefined {
  if (pattern === '' || !PATTERN.test(pattern)) return undefined
  if (!pattern.endsWith('*')) return (method) => method === pattern
  const start = pattern.slice(0, -1)
  return (method) => method.startsWith(start)
}

/**
 * Reads a rule such as `debug_*: auditor|admin`. Roles of the consortium's own are named by their bits, 16 to 31.
 *
 * @returns The rule, or what is wrong with it.
 */
export function readRule(text: string): Result<MethodRule, string> {
  const [pattern = '', who, ...others] = text.split(':').map((part) => part.trim())
  const matches = matcherOf(pattern)
  if (matches === undefined || who === undefined || others.length > 0)
    return err(
      `${text} is not a rule: write a method, or the beginning of methods with *, then a colon and who may call, as in debug_*: auditor|admin`,
    )
  if (who === 'anyone' || who === 'token' || who === 'nobody') return ok({ text, matches, who })
  let roles = 0
  for (const name of who.split('|').map((part) => part.trim())) {
    const bit = bitOf(name)
    if (bit === undefined)
      return err(
        `${text}: ${name} is no role: use anyone, token, nobody, or some of ${ROLE_NAMES.join(', ')} and the bits ${CUSTOM_ROLE_BIT_MIN} to ${CUSTOM_ROLE_BIT_MAX}, with | between them`,
      )
    roles |= bit
  }
  return ok({ text, matches, who: roles })
}

function bitOf(name: string): number | undefined {
  if (Object.hasOwn(ROLES, name)) return ROLES[name as Role]
  const bit = /^\d{2}$/.test(name) ? Number(name) : 0
  return bit >= CUSTOM_ROLE_BIT_MIN && bit <= CUSTOM_ROLE_BIT_MAX ? 1 << bit : undefined
}

/** Names of a set of roles, for messages. */
export function namesOf(roles: number): readonly string[] {
  const custom = Array.from({ length: CUSTOM_ROLE_BIT_MAX - CUSTOM_ROLE_BIT_MIN + 1 }, (_, i) => i + CUSTOM_ROLE_BIT_MIN)
  return [
    ...ROLE_NAMES.filter((name) => (roles & ROLES[name]) !== 0),
    ...custom.filter((bit) => (roles & (1 << bit)) !== 0).map(String),
  ]
}
