import { CommandError } from '@quoin/node/process'
import { bytesToHex, type Hash } from '@quoin/protocol'
import { Chain } from './chain.ts'
import { type Named, textIn } from './chain-contract.ts'
import { listOf, shownValues, tableOf } from './shown.ts'
import { type Print, type ReadOptions, submit, type WriteOptions } from './submit.ts'
import { expiryText, idText, parseAddress, parseExpiry, parseId, parseRoles, rolesText } from './words.ts'

export interface AccountListOptions extends ReadOptions {
  /** Lists this organisation's only. */
  readonly organisation?: string
}

export async function listAccounts(options: AccountListOptions, print: Print): Promise<void> {
  const chain = new Chain(options.rpc)
  const [all, roles] = await Promise.all([chain.list('quoin_accounts'), chain.roleNames()])
  const wanted =
    options.organisation === undefined ? all : all.filter(({ organisation }) => organisation === options.organisation)
  const shown = wanted.map((entry) => ({
    ...{ address: String(entry['address']), organisation: String(entry['organisation']) },
    ...{ roles: rolesText(Number(entry['roles']), roles), expiry: expiryText(Number(entry['expiry'])) },
    suspended: entry['suspended'] === true,
  }))
  if (options.json) return print(JSON.stringify(shown, null, 2))
  const rows = shown.map(({ address, organisation, roles: own, expiry, suspended }) => [
    ...[address, organisation, own, expiry],
    suspended ? 'suspended' : 'active',
  ])
  print(tableOf(['account', 'organisation', 'roles', 'expires', 'status'], rows))
}

export async function showAccount(account: string, options: ReadOptions, print: Print): Promise<void> {
  const chain = new Chain(options.rpc)
  const address = parseAddress(account, 'account')
  const [entry, standing, vote] = await chain.views([
    ['account', address],
    ['standingOf', address],
    ['votesAs', address],
  ])
  const { exists, ...values } = entry!
  if (exists !== true) throw new CommandError(`${address} has no entry: quoin account list shows all`)
  const votesFor = idText(bytesToHex(vote!['organisation'] as Uint8Array) as string as Hash)
  const shown = {
    account: address,
    ...shownValues(values, await chain.roleNames()),
    standing: textIn(standing!['standing']),
    votesFor,
  }
  print(options.json ? JSON.stringify(shown, null, 2) : listOf(shown))
}

export interface AccountOptions extends WriteOptions {
  readonly organisation?: string
  readonly roles?: string
  readonly expires?: string
}

const presentEntry = async (chain: Chain, address: string): Promise<Named | undefined> => {
  const entry = await chain.view('account', address)
  return entry['exists'] === true ? entry : undefined
}

/** Enters an account, or changes what is given of its entry. */
export async function setAccount(account: string, options: AccountOptions, print: Print): Promise<void> {
  const chain = new Chain(options.rpc)
  const address = parseAddress(account, 'account')
  const present = await presentEntry(chain, address)
  if (present === undefined && (options.organisation === undefined || options.roles === undefined))
    throw new CommandError(`${address} has no entry yet: a new one needs --organisation and --roles`)
  const values = [
    address,
    options.organisation === undefined ? present!['organisation']! : parseId(options.organisation, '--organisation'),
    options.roles === undefined ? present!['roles']! : BigInt(parseRoles(options.roles, await chain.roleNames())),
    options.expires === undefined ? (present?.['expiry'] ?? 0n) : parseExpiry(options.expires),
    present?.['suspended'] ?? false,
  ]
  await submit(chain, { name: 'setAccount', values }, options, print)
}

/** Suspends an account, or lets it act again. The rest of its entry stays. */
export async function suspendAccount(account: string, suspended: boolean, options: WriteOptions, print: Print): Promise<void> {
  const chain = new Chain(options.rpc)
  const address = parseAddress(account, 'account')
  const present = await presentEntry(chain, address)
  if (present === undefined) throw new CommandError(`${address} has no entry: quoin account list shows all`)
  const { organisation, roles, expiry } = present
  await submit(chain, { name: 'setAccount', values: [address, organisation!, roles!, expiry!, suspended] }, options, print)
}

export const removeAccount = (account: string, options: WriteOptions, print: Print): Promise<void> =>
  submit(new Chain(options.rpc), { name: 'removeAccount', values: [parseAddress(account, 'account')] }, options, print)

/** Accepts the entry that an organisation's admin has offered: to the sender, or to a contract whose upgrade authority it is. */
export function acceptEntry(
  organisation: string,
  options: WriteOptions & { readonly contract?: string },
  print: Print,
): Promise<void> {
  const id = parseId(organisation, 'organisation')
  const call =
    options.contract === undefined
      ? { name: 'acceptEntry', values: [id] }
      : { name: 'acceptEntryOf', values: [parseAddress(options.contract, '--contract'), id] }
  return submit(new Chain(options.rpc), call, options, print)
}
