/**
 * Roles of accounts, each a bit. Bits 16 to 31 belong to the consortium, which names them on the chain.
 *
 * - `admin`: enters accounts and observers of its own organisation
 * - `voter`: votes for its organisation, and always gets through to the governor
 * - `sender`: sends transactions where only members may
 * - `deployer`: creates contracts where only deployers may
 * - `operator`: rotates keys of its organisation's validators, and changes addresses of its nodes
 * - `reader`: reads over RPC where only members may
 * - `auditor`: reads what the chain refused, and replays proposals
 */
export const ROLES = { admin: 1, voter: 2, sender: 4, deployer: 8, operator: 16, reader: 32, auditor: 64 } as const
export type Role = keyof typeof ROLES

/** Roles with a meaning for the protocol. */
export const PROTOCOL_ROLES = Object.values(ROLES).reduce((mask, bit) => mask | bit, 0)
/** First of the sixteen bits that a consortium gives a meaning. */
export const CUSTOM_ROLE_BIT_MIN = 16
export const CUSTOM_ROLE_BIT_MAX = 31

const RESERVED = 0xffff & ~PROTOCOL_ROLES

/** What is wrong with a set of roles: bits 7 to 15 have no meaning yet. */
export const rolesProblem = (roles: number): string | undefined =>
  (roles & RESERVED) === 0 ? undefined : `roles ${roles} contain bits without a meaning: bits 7 to 15 are reserved`

/** Whether `roles` contains all of `wanted`. Unsigned, because bit 31 is a role. */
export const hasRoles = (roles: number, wanted: number): boolean => (roles & wanted) >>> 0 === wanted >>> 0

/** Whether `roles` contains one of `any`. */
export const hasAnyRole = (roles: number, any: number): boolean => (roles & any) !== 0

/** Names of the protocol's roles, in the order of their bits. */
export const ROLE_NAMES = Object.keys(ROLES) as readonly Role[]
