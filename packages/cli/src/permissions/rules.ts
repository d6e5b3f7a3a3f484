import { CommandError } from '@quoin/node/process'
import {
  type ChainParameters,
  CUSTOM_ROLE_BIT_MAX,
  CUSTOM_ROLE_BIT_MIN,
  DEFAULT_PARAMETERS,
  FEE_POLICIES,
  OPEN_POLICIES,
  ROLE_NAMES,
  ROLES,
  U256_MAX,
} from '@quoin/protocol'
import { Chain } from './chain.ts'
import { textIn } from './chain-contract.ts'
import { listOf, type Shown, tableOf } from './shown.ts'
import { type Print, type ReadOptions, submit, type WriteOptions } from './submit.ts'
import { parseAddress, parseRoles, parseWhole, rolesText } from './words.ts'

const PARAMETERS = Object.keys(DEFAULT_PARAMETERS) as readonly (keyof ChainParameters)[]
const POLICIES = Object.keys(OPEN_POLICIES)

const printShown = (shown: Readonly<Record<string, Shown>>, { json }: ReadOptions, print: Print): void =>
  print(json ? JSON.stringify(shown, null, 2) : listOf(shown))

/** The fee policy is its position in the list. */
const parameterShown = (name: string, value: bigint): Shown => {
  if (name === 'feePolicy') return FEE_POLICIES[Number(value)] ?? Number(value)
  return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value.toString()
}

export async function listParameters(options: ReadOptions, print: Print): Promise<void> {
  const values = await new Chain(options.rpc).views(PARAMETERS.map((name) => ['parameter', name]))
  const shown = PARAMETERS.map((name, i) => [name, parameterShown(name, values[i]!['value'] as bigint)] as const)
  printShown(Object.fromEntries(shown), options, print)
}

export async function setParameter(name: string, value: string, options: WriteOptions, print: Print): Promise<void> {
  if (!(PARAMETERS as readonly string[]).includes(name))
    throw new CommandError(`there is no parameter ${JSON.stringify(name)}: parameters are ${PARAMETERS.join(', ')}`)
  await submit(new Chain(options.rpc), { name: 'setParameter', values: [name, parameterValue(name, value)] }, options, print)
}

function parameterValue(name: string, text: string): bigint {
  if (name !== 'feePolicy') return parseWhole(text, name, 0n, U256_MAX)
  const index = FEE_POLICIES.findIndex((policy) => policy === text)
  if (index < 0) throw new CommandError(`feePolicy: ${JSON.stringify(text)} must be one of ${FEE_POLICIES.join(', ')}`)
  return BigInt(index)
}

export async function listPolicies(options: ReadOptions, print: Print): Promise<void> {
  const values = await new Chain(options.rpc).views(POLICIES.map((name) => ['policy', name]))
  printShown(Object.fromEntries(POLICIES.map((name, i) => [name, textIn(values[i]!['access'])])), options, print)
}

export const setPolicy = (name: string, access: string, options: WriteOptions, print: Print): Promise<void> =>
  submit(new Chain(options.rpc), { name: 'setPolicy', values: [name, access] }, options, print)

export async function listRoles(options: ReadOptions, print: Print): Promise<void> {
  const own = await new Chain(options.rpc).roleNames()
  const all = [...ROLE_NAMES.map((role) => [Math.log2(ROLES[role]), role] as const), ...own]
  if (options.json)
    return print(
      JSON.stringify(
        all.map(([bit, name]) => ({ bit, name })),
        null,
        2,
      ),
    )
  print(tableOf(['bit', 'role'], all))
}

/** Names one of the consortium's own roles; an empty name takes the name away. */
export function setRoleName(bit: string, name: string, options: WriteOptions, print: Print): Promise<void> {
  const number = parseWhole(bit.replace(/^bit/, ''), 'bit', BigInt(CUSTOM_ROLE_BIT_MIN), BigInt(CUSTOM_ROLE_BIT_MAX))
  return submit(new Chain(options.rpc), { name: 'setRoleName', values: [number, name] }, options, print)
}

export async function restrictContract(contract: string, roles: string, options: WriteOptions, print: Print): Promise<void> {
  const chain = new Chain(options.rpc)
  const values = [parseAddress(contract, 'contract'), BigInt(parseRoles(roles, await chain.roleNames(), 'roles'))]
  await submit(chain, { name: 'restrict', values }, options, print)
}

export async function showContract(contract: string, options: ReadOptions, print: Print): Promise<void> {
  const chain = new Chain(options.rpc)
  const address = parseAddress(contract, 'contract')
  const { roles } = await chain.view('restriction', address)
  const callers = roles === 0n ? 'everybody' : rolesText(Number(roles), await chain.roleNames())
  printShown({ contract: address, callers }, options, print)
}
