import { type Address, type ContextOf, encodeUtf8, keccak256, mapping, part } from '../kit/index.ts'
import { supportsInterfaces } from './erc165.ts'

/** ERC-165 id of OpenZeppelin's IAccessControl. */
export const ACCESS_CONTROL_INTERFACES = ['0x7965db0b'] as const

/** The role that grants and revokes all roles without an admin role of their own, including itself. */
export const DEFAULT_ADMIN_ROLE: Uint8Array = new Uint8Array(32)

/** The 32 bytes of a role: the Keccak-256 hash of its name, as Solidity's `keccak256("MINTER_ROLE")`. */
export const roleOf = (name: string): Uint8Array => keccak256(encodeUtf8(name))

const registry = part({
  abi: [
    'event RoleAdminChanged(bytes32 indexed role, bytes32 indexed previousAdminRole, bytes32 indexed newAdminRole)',
    'event RoleGranted(bytes32 indexed role, address indexed account, address indexed sender)',
    'event RoleRevoked(bytes32 indexed role, address indexed account, address indexed sender)',
    'error AccessControlUnauthorizedAccount(address account, bytes32 neededRole)',
    'error AccessControlBadConfirmation()',
  ],
  state: {
    roles: mapping('bytes32', mapping('address', 'bool')),
    roleAdmins: mapping('bytes32', 'bytes32'),
  },
})

type Context = ContextOf<typeof registry>
type ReadContext = ContextOf<typeof registry, 'view'>

/** Whether an account has a role. */
export const hasRole = ({ state }: ReadContext, role: Uint8Array, account: Address): boolean => state.roles.at(role).get(account)

/** Checks that an account has a role. Throws AccessControlUnauthorizedAccount if it does not. */
export function checkRole(context: ReadContext, role: Uint8Array, account: Address): void {
  if (!hasRole(context, role, account)) throw context.revert.AccessControlUnauthorizedAccount(account, role)
}

/** Makes a modifier that lets only accounts with a role call a function: `modifiers: { mint: [onlyRole(MINTER_ROLE)] }`. */
export const onlyRole =
  (role: Uint8Array) =>
  (context: ReadContext): void =>
    checkRole(context, role, context.sender)

/** Grants a role without checking the caller; does nothing if the account has it. For the constructor, and for functions with their own checks. */
export function grantRole(context: Context, role: Uint8Array, account: Address): void {
  if (hasRole(context, role, account)) return
  context.state.roles.at(role).set(account, true)
  context.emit.RoleGranted(role, account, context.sender)
}

/** Revokes a role without checking the caller; does nothing if the account does not have it. */
export function revokeRole(context: Context, role: Uint8Array, account: Address): void {
  if (!hasRole(context, role, account)) return
  context.state.roles.at(role).remove(account)
  context.emit.RoleRevoked(role, account, context.sender)
}

/** Sets the admin role of a role: accounts with the admin role can grant and revoke it. Does not check the caller. */
export function setRoleAdmin({ state, emit }: Context, role: Uint8Array, adminRole: Uint8Array): void {
  emit.RoleAdminChanged(role, state.roleAdmins.get(role), adminRole)
  state.roleAdmins.set(role, adminRole)
}

const onlyAdminOf = (context: ReadContext, role: Uint8Array): void =>
  checkRole(context, context.state.roleAdmins.get(role), context.sender)

/** Roles of accounts, as in OpenZeppelin's AccessControl. The contract's constructor must grant the first role. */
export const accessControl = part({
  uses: [registry],
  abi: [
    'function DEFAULT_ADMIN_ROLE() view returns (bytes32)',
    'function hasRole(bytes32 role, address account) view returns (bool)',
    'function getRoleAdmin(bytes32 role) view returns (bytes32)',
    'function grantRole(bytes32 role, address account)',
    'function revokeRole(bytes32 role, address account)',
    'function renounceRole(bytes32 role, address callerConfirmation)',
    'function supportsInterface(bytes4 interfaceId) view returns (bool)',
  ],
  modifiers: { grantRole: [onlyAdminOf], revokeRole: [onlyAdminOf] },
  functions: {
    DEFAULT_ADMIN_ROLE: () => DEFAULT_ADMIN_ROLE,
    hasRole,
    getRoleAdmin: ({ state }, role) => state.roleAdmins.get(role),
    grantRole,
    revokeRole,
    renounceRole(context, role, callerConfirmation) {
      if (callerConfirmation !== context.sender) throw context.revert.AccessControlBadConfirmation()
      revokeRole(context, role, callerConfirmation)
    },
    supportsInterface: supportsInterfaces(ACCESS_CONTROL_INTERFACES),
  },
})
