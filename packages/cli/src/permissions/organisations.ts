import { CommandError } from '@quoin/node/process'
import { DEFAULT_GRANTABLE, LIMITS } from '@quoin/protocol'
import { Chain } from './chain.ts'
import { listOf, shownValues, tableOf } from './shown.ts'
import { type Print, type ReadOptions, submit, type WriteOptions } from './submit.ts'
import { parseId, parseRoles, parseWhole, rolesText } from './words.ts'

export async function listOrganisations(options: ReadOptions, print: Print): Promise<void> {
  const chain = new Chain(options.rpc)
  const [all, roles] = await Promise.all([chain.list('quoin_organisations'), chain.roleNames()])
  const shown = all.map(({ id: _, ...entry }) => ({ ...entry, grantable: rolesText(Number(entry['grantable']), roles) }) as Row)
  if (options.json) return print(JSON.stringify(shown, null, 2))
  print(
    tableOf(
      ['organisation', 'name', 'status', 'votes', 'share', 'members', 'voters', 'admins may give'],
      shown.map((entry) => [
        ...[entry.shortName, entry.name, entry.suspended ? 'suspended' : 'active', entry.votes, entry.share],
        ...[entry.members, entry.voters, entry.grantable],
      ]),
    ),
  )
}

interface Row {
  readonly shortName: string
  readonly name: string
  readonly suspended: boolean
  readonly votes: number
  readonly share: number
  readonly members: number
  readonly voters: number
  readonly grantable: string
}

export async function showOrganisation(name: string, options: ReadOptions, print: Print): Promise<void> {
  const chain = new Chain(options.rpc)
  const { exists, ...values } = await chain.view('organisation', parseId(name, 'organisation'))
  if (exists !== true) throw new CommandError(`there is no organisation ${name}: quoin org list shows all`)
  const shown = { organisation: name, ...shownValues(values, await chain.roleNames()) }
  print(options.json ? JSON.stringify(shown, null, 2) : listOf(shown))
}

export interface OrganisationOptions extends WriteOptions {
  readonly name?: string
  readonly votes?: string
  readonly share?: string
  readonly grantable?: string
}

/** Enters an organisation, or changes those of its terms that are given. */
export async function setOrganisation(name: string, options: OrganisationOptions, print: Print): Promise<void> {
  const chain = new Chain(options.rpc)
  const id = parseId(name, 'organisation')
  const present = await chain.view('organisation', id)
  const known = present['exists'] === true
  const { votesMax, shareMax } = LIMITS
  const number = (given: string | undefined, field: 'votes' | 'share', min: bigint, max: number): bigint => {
    if (given !== undefined) return parseWhole(given, `--${field}`, min, BigInt(max))
    return known ? (present[field] as bigint) : 1n
  }
  const grantable =
    options.grantable === undefined
      ? known
        ? (present['grantable'] as bigint)
        : BigInt(DEFAULT_GRANTABLE)
      : BigInt(parseRoles(options.grantable, await chain.roleNames(), '--grantable'))
  const values = [
    id,
    options.name ?? (known ? present['name']! : name),
    number(options.votes, 'votes', 0n, votesMax),
    number(options.share, 'share', 1n, shareMax),
    grantable,
  ]
  await submit(chain, { name: 'setOrganisation', values }, options, print)
}

export const suspendOrganisation = (name: string, suspended: boolean, options: WriteOptions, print: Print): Promise<void> =>
  submit(
    new Chain(options.rpc),
    { name: 'suspendOrganisation', values: [parseId(name, 'organisation'), suspended] },
    options,
    print,
  )

export const removeOrganisation = (name: string, options: WriteOptions, print: Print): Promise<void> =>
  submit(new Chain(options.rpc), { name: 'removeOrganisation', values: [parseId(name, 'organisation')] }, options, print)
