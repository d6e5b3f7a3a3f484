import { Address, parseUtf8, utf8ToBytes, ZERO_ADDRESS } from './bytes.ts'
import {
  type Consortium,
  DEFAULT_GRANTABLE,
  type FoundingAccount,
  type FoundingOrganisation,
  ungovernedConsortium,
  type ValidatorSeat,
} from './consortium.ts'
import { array, byAddress, fail, hex, id, integer, object, oneOf, sortedTexts, text } from './json-fields.ts'
import { LIMITS } from './limits.ts'
import { ACCESS, OPEN_POLICIES, type Policies } from './policies.ts'
import { CUSTOM_ROLE_BIT_MAX, CUSTOM_ROLE_BIT_MIN, hasRoles, ROLE_NAMES, ROLES, type Role } from './roles.ts'
import { nameOfId } from './short-name.ts'

/** Keys of a genesis document that describe its consortium. */
export const CONSORTIUM_KEYS = ['organisations', 'accounts', 'governor', 'participants', 'policies'] as const

/**
 * Reads the consortium of a genesis document. Without `organisations`, each organisation that a validator names is one, with one vote.
 *
 * @param seats those of the document's validators
 */
export function readConsortium(root: Readonly<Record<string, unknown>>, seats: readonly ValidatorSeat[]): Consortium {
  const participants = array('participants', root['participants'] ?? [], 0, LIMITS.participantsMax)
  return {
    organisations:
      root['organisations'] === undefined ? ungovernedConsortium(seats).organisations : readOrganisations(root['organisations']),
    accounts: readAccounts(root['accounts'] ?? {}),
    seats,
    governor: root['governor'] === undefined ? ZERO_ADDRESS : Address(hex('governor', root['governor'], 20)),
    participants: sortedTexts(
      'participants',
      participants.map((address, i) => Address(hex(`participants[${i}]`, address, 20))),
    ),
    policies: readPolicies(root['policies'] ?? {}),
  }
}

function readOrganisations(value: unknown): readonly FoundingOrganisation[] {
  const entries = Object.entries(object('organisations', value))
  if (entries.length > LIMITS.organisationsMax)
    fail('organisations', `has ${entries.length} entries, at most ${LIMITS.organisationsMax} are allowed`)
  return entries
    .map(([key, item]) => {
      const path = `organisations.${key}`
      const entry = object(path, item, ['name', 'votes', 'share', 'grantable'])
      return {
        id: id(path, key),
        name: personalName(`${path}.name`, entry['name'] ?? key),
        votes: integer(`${path}.votes`, entry['votes'] ?? 1, 0, LIMITS.votesMax),
        share: integer(`${path}.share`, entry['share'] ?? 1, 1, LIMITS.shareMax),
        grantable: entry['grantable'] === undefined ? DEFAULT_GRANTABLE : readRoles(`${path}.grantable`, entry['grantable']),
      }
    })
    .sort((a, b) => (a.id < b.id ? -1 : 1))
}

function personalName(path: string, value: unknown): string {
  const found = text(path, value, LIMITS.organisationNameBytesMax)
  const bytes = utf8ToBytes(found)
  const fits = found !== '' && parseUtf8(bytes) === found && bytes.length <= LIMITS.organisationNameBytesMax
  return fits ? found : fail(path, `must be a text of 1 to ${LIMITS.organisationNameBytesMax} bytes`)
}

function readAccounts(value: unknown): readonly FoundingAccount[] {
  const entries = Object.entries(object('accounts', value))
  if (entries.length > LIMITS.genesisAccountsMax)
    fail('accounts', `has ${entries.length} entries, at most ${LIMITS.genesisAccountsMax} are allowed`)
  const accounts = entries.map(([key, item]) => {
    const path = `accounts.${key}`
    const entry = object(path, item, ['organisation', 'roles', 'expiry'])
    const roles = readRoles(`${path}.roles`, entry['roles'])
    const expiry = integer(`${path}.expiry`, entry['expiry'] ?? 0, 0)
    if (expiry !== 0 && hasRoles(roles, ROLES.voter)) fail(`${path}.expiry`, 'the entry of a voter must not expire')
    return {
      address: Address(hex(path, key, 20)),
      organisation: id(`${path}.organisation`, entry['organisation']),
      roles,
      expiry,
    }
  })
  return byAddress('accounts', accounts)
}

/** Roles as a list of names; the consortium's own as the numbers of their bits. */
function readRoles(path: string, value: unknown): number {
  const roles = array(path, value, 0, 32).map((item, i): number =>
    typeof item === 'number'
      ? 2 ** integer(`${path}[${i}]`, item, CUSTOM_ROLE_BIT_MIN, CUSTOM_ROLE_BIT_MAX)
      : ROLES[oneOf<Role>(`${path}[${i}]`, item, ROLE_NAMES)],
  )
  return roles.reduce((mask, bit) => (mask | bit) >>> 0, 0)
}

const rolesToJson = (roles: number): readonly (string | number)[] => [
  ...ROLE_NAMES.filter((role) => hasRoles(roles, ROLES[role])),
  ...Array.from({ length: 16 }, (_, i) => CUSTOM_ROLE_BIT_MIN + i).filter((bit) => hasRoles(roles, 2 ** bit)),
]

function readPolicies(value: unknown): Policies {
  const given = object('policies', value, Object.keys(OPEN_POLICIES))
  const policy = (name: keyof Policies) => oneOf(`policies.${name}`, given[name] ?? OPEN_POLICIES[name], ACCESS)
  return { sending: policy('sending'), deploying: policy('deploying'), reading: policy('reading') }
}

/** The keys of a document from which `readConsortium` reads the same consortium, given the validators with their organisations. */
export const consortiumToJson = ({ organisations, accounts, governor, participants, policies }: Consortium) => ({
  organisations: Object.fromEntries(
    organisations.map(({ id: own, grantable, ...entry }) => [nameOfId(own)!, { ...entry, grantable: rolesToJson(grantable) }]),
  ),
  accounts: Object.fromEntries(
    accounts.map(({ address, organisation, roles, expiry }) => [
      address,
      { organisation: nameOfId(organisation), roles: rolesToJson(roles), expiry },
    ]),
  ),
  governor,
  participants,
  policies,
})
