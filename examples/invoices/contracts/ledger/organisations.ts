import { type Address, type ContextOf, encodeUtf8, mapping, part, value, ZERO_ADDRESS } from '@quoin/contracts'
import { initOwnable, onlyOwner, ownable } from '@quoin/contracts/ownable'
import { ORGANISATIONS_EVENTS, ORGANISATIONS_FUNCTIONS } from '../shared/abi.ts'
import { ALL_ROLES, ROLE } from '../shared/roles.ts'

const NAME_BYTES_MAX = 64
const ADMIN = BigInt(ROLE.ADMIN)

const registry = part({
  uses: [ownable],
  abi: ORGANISATIONS_EVENTS,
  state: {
    organisationCount: value('uint64'),
    /** `account` receives what is paid or returned to the organisation. */
    organisations: mapping('uint64', { name: 'string', account: 'address' }),
    roles: mapping('uint64', mapping('address', 'uint8')),
  },
})

type ReadContext = ContextOf<typeof registry, 'view'>

/** For the constructor. */
export const initOrganisations = (context: ContextOf<typeof registry>, owner: Address): void => initOwnable(context, owner)

/** Lets only members with one of the roles pass. */
export function onlyMember({ state, sender, revert }: ReadContext, organisation: bigint, oneOf: bigint): void {
  if ((state.roles.at(organisation).get(sender) & oneOf) === 0n) throw revert.MissingRole(organisation, sender, oneOf)
}

export function organisationOf({ state, revert }: ReadContext, organisation: bigint) {
  const found = state.organisations.get(organisation)
  if (found === undefined) throw revert.NoSuchOrganisation(organisation)
  return found
}

/**
 * Who may act for whom. The owner of the ledger admits organisations; from then on each is in the hands of its own admins. An organisation always has
 * one: no admin can take the role from itself.
 */
export const organisations = part({
  uses: [registry],
  abi: ORGANISATIONS_FUNCTIONS,
  modifiers: { admit: [onlyOwner] },
  functions: {
    admit({ state, self, emit, revert }, name, admin, account) {
      const bytes = encodeUtf8(name).length
      if (bytes === 0 || bytes > NAME_BYTES_MAX) throw revert.InvalidName(name)
      for (const given of [admin, account]) if (given === ZERO_ADDRESS || given === self) throw revert.InvalidAccount(given)
      const organisation = state.organisationCount.update((count) => count + 1n)
      state.organisations.set(organisation, { name, account })
      state.roles.at(organisation).set(admin, ADMIN)
      emit.Admitted(organisation, name)
      emit.AccountSet(organisation, account)
      emit.RolesSet(organisation, admin, ADMIN)
      return organisation
    },
    setRoles(context, organisation, member, roles) {
      const { state, sender, emit, revert } = context
      onlyMember(context, organisation, ADMIN)
      if (roles > BigInt(ALL_ROLES)) throw revert.UnknownRoles(roles)
      if (member === sender && (roles & ADMIN) === 0n) throw revert.OwnAdminRole(organisation, member)
      state.roles.at(organisation).set(member, roles)
      emit.RolesSet(organisation, member, roles)
    },
    setAccount(context, organisation, account) {
      const { state, self, emit, revert } = context
      onlyMember(context, organisation, ADMIN)
      // What is sent to the ledger itself would stay there.
      if (account === ZERO_ADDRESS || account === self) throw revert.InvalidAccount(account)
      const { name } = organisationOf(context, organisation)
      state.organisations.set(organisation, { name, account })
      emit.AccountSet(organisation, account)
    },
    organisation(context, organisation) {
      const { name, account } = organisationOf(context, organisation)
      return [name, account]
    },
    rolesOf: ({ state }, organisation, member) => state.roles.at(organisation).get(member),
  },
})
