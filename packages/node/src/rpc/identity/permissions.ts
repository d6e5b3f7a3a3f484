import { type Address, hasAnyRole, ROLES, standing } from '@quoin/protocol'
import type { Clock } from '../../powers.ts'
import { type Refusal, refusal } from '../errors.ts'
import type { Identity } from '../method.ts'
import type { HeadMembers } from './members.ts'
import { type MethodRule, matcherOf, namesOf, readRule } from './method-rules.ts'
import type { IdentitySettings } from './settings.ts'
import { EXPIRED, type TokenFault } from './token-verifier.ts'

/** Roles that may read where only members may: auditors and admins could not do their work otherwise, and voters must see what they vote on. */
export const READING_ROLES = ROLES.reader | ROLES.auditor | ROLES.admin | ROLES.voter

/** The error of a request whose token does not count. */
export const tokenRefusal = ({ problem, message }: TokenFault): Refusal => refusal('invalid-token', message, { problem })

/** Methods whose decisions are remembered: more than a node has. */
const METHODS_KEPT_MAX = 1_024

type Decision = MethodRule | 'open' | 'chain'

/**
 * Decides which methods a caller may use: by the first rule of the operator that matches, else by the chain's policy.
 *
 * @throws {RangeError} from the constructor, for a rule or pattern that `identitySettingsProblem` refuses.
 */
export class Permissions {
  readonly #rules: readonly MethodRule[]
  readonly #open: readonly ((method: string) => boolean)[]
  readonly #members: HeadMembers
  readonly #clock: Pick<Clock, 'now'>
  readonly #decisions = new Map<string, Decision>()

  constructor(settings: Pick<IdentitySettings, 'openMethods' | 'methodRules'>, members: HeadMembers, clock: Pick<Clock, 'now'>) {
    const problem = patternsProblem(settings)
    if (problem !== undefined) throw new RangeError(problem)
    this.#rules = settings.methodRules.map((text) => readRule(text)).flatMap((rule) => (rule.ok ? [rule.value] : []))
    this.#open = settings.openMethods.flatMap((pattern) => matcherOf(pattern) ?? [])
    this.#members = members
    this.#clock = clock
  }

  /** Why a caller may not use a method now; undefined if it may. */
  refusal(method: string, identity: Identity): Refusal | undefined {
    if (identity.fault !== undefined) return identity.fault
    if (identity.expiresMs !== undefined && this.#clock.now() >= identity.expiresMs) return tokenRefusal(EXPIRED)
    const { reading } = this.#members
    if (this.#rules.length === 0 && reading === 'open') return undefined
    const decision = this.#decisionOn(method)
    if (decision === 'open') return undefined
    if (decision !== 'chain') return this.#byRule(decision, identity)
    if (reading === 'open') return undefined
    const lack = this.#lackOf(READING_ROLES, identity)
    return (
      lack &&
      refusal('reading-not-permitted', `only members read on this chain: ${lack.message}`, { rule: 'reading', ...lack.details })
    )
  }

  #byRule({ text, who }: MethodRule, identity: Identity): Refusal | undefined {
    if (who === 'anyone') return undefined
    const refused = ({ message, details }: Lack) =>
      refusal('method-not-permitted', `this node does not let this caller use the method: ${message}`, { rule: text, ...details })
    if (who === 'nobody')
      return refused({ message: `nobody may (rule ${text})`, details: { account: identity.account ?? null, lacking: 'method' } })
    if (who === 'token') return identity.account === undefined ? refused(NO_TOKEN) : undefined
    const lack = this.#lackOf(who, identity)
    return lack && refused(lack)
  }

  /** What keeps a caller from having one of some roles; undefined if it has one. */
  #lackOf(roles: number, { account }: Identity): Lack | undefined {
    if (account === undefined) return NO_TOKEN
    const { entry, organisation } = this.#members.membership(account)
    const state = standing(entry, organisation, this.#members.timeMs)
    if (entry === undefined || state === 'none')
      return { message: `account ${account} has no entry on the chain`, details: { account, lacking: 'entry' } }
    if (state !== 'active') return { message: WORDS[state](account), details: { account, lacking: 'standing', standing: state } }
    if (hasAnyRole(entry.roles, roles)) return undefined
    const names = namesOf(roles)
    return {
      message: `account ${account} lacks the role ${names.join(' or ')}`,
      details: { account, lacking: 'role', roles: names },
    }
  }

  #decisionOn(method: string): Decision {
    const known = this.#decisions.get(method)
    if (known !== undefined) return known
    const decision =
      this.#rules.find(({ matches }) => matches(method)) ?? (this.#open.some((matches) => matches(method)) ? 'open' : 'chain')
    if (this.#decisions.size >= METHODS_KEPT_MAX) this.#decisions.clear()
    this.#decisions.set(method, decision)
    return decision
  }
}

interface Lack {
  readonly message: string
  readonly details: object
}

const NO_TOKEN: Lack = { message: 'the request has no token', details: { account: null, lacking: 'token' } }

const WORDS = {
  suspended: (account: Address) => `account ${account} is suspended`,
  'organisation-suspended': (account: Address) => `the organisation of account ${account} is suspended`,
  expired: (account: Address) => `the entry of account ${account} has expired`,
} as const

/** What is wrong with patterns and rules of methods; undefined if they can be used. */
export function patternsProblem({
  openMethods,
  methodRules,
}: Pick<IdentitySettings, 'openMethods' | 'methodRules'>): string | undefined {
  const wrong = openMethods.find((pattern) => matcherOf(pattern) === undefined)
  if (wrong !== undefined) return `rpc.open-methods: ${wrong} is not a method, nor the beginning of methods with *`
  for (const text of methodRules) {
    const rule = readRule(text)
    if (!rule.ok) return `rpc.methods: ${rule.error}`
  }
  return undefined
}
