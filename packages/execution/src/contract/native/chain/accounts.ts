import {
  type AccountEntry,
  type Address,
  type Hash,
  hasAnyRole,
  hasRoles,
  ROLES,
  rolesProblem,
  standing,
  ZERO_ADDRESS,
  ZERO_HASH,
} from '@quoin/protocol'
import { SYSTEM_ENTRIES } from '../../../state/system-entries.ts'
import { SYSTEM_RECORDS } from '../../../state/system-records.ts'
import { keyReadGas } from '../../key-gas.ts'
import { readRecord, recordUse } from '../../record.ts'
import { addressOf, bytesOf, type ChainState, chainAction, idOf } from './chain-state.ts'
import { governs } from './governing.ts'
import { countMembers, organisationOf } from './organisations.ts'

const { account: ENTRY, organisation: ORGANISATION, offer: OFFER } = SYSTEM_ENTRIES

/** The entry of an account whose organisation and own standing let it act now; undefined otherwise. */
export function activeEntry(chain: ChainState, address: Address): AccountEntry | undefined {
  const entry = chain.entry(ENTRY, address)
  const organisation = entry && chain.entry(ORGANISATION, entry.organisation)
  return standing(entry, organisation, chain.block.timeMs) === 'active' ? entry : undefined
}

/** Ends the call unless its sender may act for an organisation by a role. */
export function mustHaveRole(chain: ChainState, organisation: Hash, role: 'admin' | 'operator'): AccountEntry {
  const entry = activeEntry(chain, chain.sender)
  if (entry?.organisation === organisation && hasRoles(entry.roles, ROLES[role])) return entry
  return chain.refuse('NotAllowed', chain.sender, `it is neither the governor nor an ${role} of the organisation`)
}

const votes = ({ roles, suspended }: AccountEntry): boolean => hasRoles(roles, ROLES.voter) && !suspended

/** Puts an entry in the place of another, and counts the members and voters of their organisations. */
function replace(chain: ChainState, address: Address, before: AccountEntry | undefined, after: AccountEntry | undefined): void {
  if (before !== undefined && after !== undefined && before.organisation === after.organisation) {
    const change = Number(votes(after)) - Number(votes(before))
    if (change !== 0) countMembers(chain, before.organisation, 0, change)
  } else {
    if (before !== undefined) countMembers(chain, before.organisation, -1, -Number(votes(before)))
    if (after !== undefined) countMembers(chain, after.organisation, 1, Number(votes(after)))
  }
  chain.setEntry(ENTRY, after, address)
}

const shownEntry = ({ organisation, roles, expiry, suspended }: AccountEntry) =>
  [bytesOf(organisation), BigInt(roles), BigInt(expiry), suspended] as const

/**
 * Ends the call if an address can never vote: a native contract sends no messages of its own accord, and the governor's contract cannot call itself.
 * As the only voter of its organisation it would keep a quorum of all votes out of reach.
 */
function mustBeAbleToVote(chain: ChainState, address: Address): void {
  chain.pay(keyReadGas(chain.journal.accountUse(address)) + keyReadGas(recordUse(chain.journal, address)))
  const hasCode = chain.journal.account(address).codeHash !== undefined
  const isNative = hasCode && readRecord(chain.journal, address) === undefined
  if (isNative || (hasCode && chain.record(SYSTEM_RECORDS.governance).governor === address))
    chain.refuse('Invalid', 'roles', 'neither a native contract nor the contract that governs can vote')
}

function checkEntry(chain: ChainState, address: Address, { roles, expiry }: AccountEntry): void {
  const problem = rolesProblem(roles)
  if (problem !== undefined) chain.refuse('Invalid', 'roles', problem)
  if (!Number.isSafeInteger(expiry)) chain.refuse('Invalid', 'expiry', `is ${expiry}, must be below 2^53 seconds`)
  if (expiry !== 0 && hasRoles(roles, ROLES.voter)) chain.refuse('Invalid', 'expiry', 'the entry of a voter must not expire')
  if (hasRoles(roles, ROLES.voter)) mustBeAbleToVote(chain, address)
}

/**
 * Ends the call unless an admin may make this change: in its own organisation, of roles that the organisation's admins may give and that the
 * admin has itself. An entry with other roles it may not touch, or it could stop one that is above it.
 */
function checkAdmin(chain: ChainState, organisation: Hash, before: AccountEntry | undefined, roles: number): void {
  const { roles: own } = mustHaveRole(chain, organisation, 'admin')
  const allowed = organisationOf(chain, organisation).grantable & own
  const touched = roles | (before?.roles ?? 0)
  if (hasAnyRole(touched, ~allowed))
    chain.refuse(
      'NotAllowed',
      chain.sender,
      `it may give and take the roles ${allowed >>> 0} only: those that its organisation lets admins give and that it has itself`,
    )
}

/** What an address accepts becomes its entry, unless it belongs to another organisation by then. */
function accept(chain: ChainState, address: Address, organisation: Hash): void {
  const offered = chain.entry(OFFER, address, organisation)
  if (offered === undefined) return chain.refuse('Refused', 'no admin of this organisation has offered the address an entry')
  const before = chain.entry(ENTRY, address)
  if (before !== undefined && before.organisation !== organisation)
    chain.refuse('Refused', 'the address belongs to another organisation, which must remove it first')
  organisationOf(chain, organisation)
  // Offered before the address became a contract, or the governor.
  if (hasRoles(offered.roles, ROLES.voter)) mustBeAbleToVote(chain, address)
  chain.setEntry(OFFER, undefined, address, organisation)
  replace(chain, address, before, offered)
  chain.emit('AccountChanged', address, ...shownEntry(offered), chain.sender)
}

/** Accounts and contracts with roles. */
export const ACCOUNTS = {
  setAccount: chainAction((chain, account: string, given: Uint8Array, roles: bigint, expiry: bigint, suspended: boolean) => {
    const [address, organisation] = [addressOf(account), idOf(given)]
    const after: AccountEntry = { organisation, roles: Number(roles), expiry: Number(expiry), suspended }
    if (address === ZERO_ADDRESS) chain.refuse('Invalid', 'account', 'must not be the zero address')
    checkEntry(chain, address, after)
    organisationOf(chain, organisation)
    const before = chain.entry(ENTRY, address)
    if (!governs(chain)) {
      checkAdmin(chain, organisation, before?.organisation === organisation ? before : undefined, after.roles)
      if (before?.organisation !== organisation) {
        // Whoever is entered by an admin agrees first: nobody enters the address of another and suspends it.
        chain.setEntry(OFFER, after, address, organisation)
        return chain.emit('AccountOffered', address, ...shownEntry(after), chain.sender)
      }
    }
    replace(chain, address, before, after)
    chain.emit('AccountChanged', address, ...shownEntry(after), chain.sender)
  }),
  removeAccount: chainAction((chain, account: string) => {
    const address = addressOf(account)
    const before = chain.entry(ENTRY, address)
    if (before === undefined) return chain.refuse('UnknownAccount', address)
    // An account may always leave.
    if (chain.sender !== address && !governs(chain)) checkAdmin(chain, before.organisation, before, 0)
    replace(chain, address, before, undefined)
    chain.emit('AccountRemoved', address, bytesOf(before.organisation), chain.sender)
  }),
  acceptEntry: chainAction((chain, organisation: Uint8Array) => accept(chain, chain.sender, idOf(organisation))),
  acceptEntryOf: chainAction((chain, target: string, organisation: Uint8Array) => {
    const address = addressOf(target)
    chain.pay(keyReadGas(recordUse(chain.journal, address)))
    if (readRecord(chain.journal, address)?.authority !== chain.sender)
      chain.refuse('NotAllowed', chain.sender, 'it is not the upgrade authority of this contract')
    accept(chain, address, idOf(organisation))
  }),
  account: chainAction((chain, account: string) => shownOrNone(chain.entry(ENTRY, addressOf(account)))),
  offeredEntry: chainAction((chain, account: string, organisation: Uint8Array) =>
    shownOrNone(chain.entry(OFFER, addressOf(account), idOf(organisation))),
  ),
  standingOf: chainAction((chain, account: string) => {
    const entry = chain.entry(ENTRY, addressOf(account))
    const organisation = entry && chain.entry(ORGANISATION, entry.organisation)
    return standing(entry, organisation, chain.block.timeMs)
  }),
  hasRole: chainAction((chain, account: string, roles: bigint) => {
    const entry = activeEntry(chain, addressOf(account))
    return entry !== undefined && hasRoles(entry.roles, Number(roles))
  }),
  /** The organisation for which an account may vote; the zero id if none. A suspended organisation still votes. */
  votesAs: chainAction((chain, account: string) => {
    const entry = chain.entry(ENTRY, addressOf(account))
    return bytesOf(entry !== undefined && votes(entry) ? entry.organisation : ZERO_HASH)
  }),
}

const shownOrNone = (entry: AccountEntry | undefined) =>
  entry === undefined ? [false, bytesOf(ZERO_HASH), 0n, 0n, false] : [true, ...shownEntry(entry)]
