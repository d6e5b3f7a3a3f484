import {
  ACCESS,
  type Access,
  type ChainParameters,
  CUSTOM_ROLE_BIT_MAX,
  CUSTOM_ROLE_BIT_MIN,
  FEE_POLICIES,
  type Policies,
  parametersProblem,
  rolesProblem,
  U64_SAFE_MAX,
} from '@quoin/protocol'
import { LANE } from '../../../block/lane.ts'
import { SYSTEM_ENTRIES } from '../../../state/system-entries.ts'
import { SYSTEM_ADDRESS, SYSTEM_RECORDS } from '../../../state/system-records.ts'
import { keyReadGas, keyWriteGas } from '../../key-gas.ts'
import { readRecord, recordUse, writeRecord } from '../../record.ts'
import { addressOf, type ChainState, chainAction } from './chain-state.ts'
import { mustGovern } from './governing.ts'

const { parameters: PARAMETERS, policies: POLICIES, governance: GOVERNANCE } = SYSTEM_RECORDS
const { roleName: ROLE_NAME } = SYSTEM_ENTRIES

const NAME_CHARS_MAX = 31

/** Under which gas limits governance itself could not act any more. */
const FLOORS: Partial<Record<keyof ChainParameters, number>> = {
  transactionGasMax: LANE.transactionGasMax,
  blockGasMax: 2 * LANE.transactionGasMax,
}

/** The word for a parameter's value in the ABI: the fee policy is its position in `FEE_POLICIES`. */
const wordOf = (value: ChainParameters[keyof ChainParameters]): bigint =>
  typeof value === 'string' ? BigInt(FEE_POLICIES.indexOf(value)) : BigInt(value)

function valueOf(chain: ChainState, name: keyof ChainParameters, value: bigint): string | number | bigint {
  if (name === 'initialBaseFee') return value
  if (value > BigInt(U64_SAFE_MAX)) return chain.refuse('Invalid', name, `is ${value}, must be below 2^53`)
  if (name !== 'feePolicy') return Number(value)
  return (
    FEE_POLICIES[Number(value)] ??
    chain.refuse('Invalid', name, `is ${value}, must be the position of one of ${FEE_POLICIES.join(', ')}`)
  )
}

function parameterName(chain: ChainState, parameters: ChainParameters, name: string): keyof ChainParameters {
  if (Object.hasOwn(parameters, name)) return name as keyof ChainParameters
  return chain.refuse('Invalid', 'name', `must be one of ${Object.keys(parameters).join(', ')}`)
}

function policyName(chain: ChainState, policies: Policies, name: string): keyof Policies {
  if (Object.hasOwn(policies, name)) return name as keyof Policies
  return chain.refuse('Invalid', 'name', `must be one of ${Object.keys(policies).join(', ')}`)
}

function checkBit(chain: ChainState, bit: bigint): number {
  const number = Number(bit)
  if (number < CUSTOM_ROLE_BIT_MIN || number > CUSTOM_ROLE_BIT_MAX)
    chain.refuse('Invalid', 'bit', `is ${bit}, must be from ${CUSTOM_ROLE_BIT_MIN} to ${CUSTOM_ROLE_BIT_MAX}`)
  return number
}

/** Parameters, policies, and names of the consortium's own roles. */
export const RULES = {
  setParameter: chainAction((chain, given: string, value: bigint) => {
    mustGovern(chain)
    const before = chain.record(PARAMETERS)
    const name = parameterName(chain, before, given)
    const after: ChainParameters = { ...before, [name]: valueOf(chain, name, value) }
    const problem = parametersProblem(after)
    if (problem !== undefined) chain.refuse('Invalid', name, problem)
    const floor = FLOORS[name]
    if (floor !== undefined && value < BigInt(floor))
      chain.refuse('Invalid', name, `is ${value}, must be at least ${floor}, so that votes and proposals fit`)
    chain.setRecord(PARAMETERS, after)
    chain.emit('ParameterChanged', name, wordOf(before[name]), wordOf(after[name]))
  }),
  setPolicy: chainAction((chain, given: string, access: string) => {
    mustGovern(chain)
    const before = chain.record(POLICIES)
    const name = policyName(chain, before, given)
    const found = ACCESS.find((word): word is Access => word === access)
    if (found === undefined) return chain.refuse('Invalid', 'access', `must be ${ACCESS.join(' or ')}`)
    chain.setRecord(POLICIES, { ...before, [name]: found })
    chain.emit('PolicyChanged', name, found)
  }),
  setRoleName: chainAction((chain, bit: bigint, name: string) => {
    mustGovern(chain)
    const number = checkBit(chain, bit)
    if (name.length > NAME_CHARS_MAX || !/^[\x20-\x7e]*$/.test(name))
      chain.refuse('Invalid', 'name', `must be printable ASCII of at most ${NAME_CHARS_MAX} characters`)
    chain.setEntry(ROLE_NAME, name === '' ? undefined : name, number)
    chain.emit('RoleNamed', bit, name)
  }),
  parameter: chainAction((chain, given: string) => {
    const parameters = chain.record(PARAMETERS)
    return wordOf(parameters[parameterName(chain, parameters, given)])
  }),
  policy: chainAction((chain, given: string) => {
    const policies = chain.record(POLICIES)
    return policies[policyName(chain, policies, given)]
  }),
  roleName: chainAction((chain, bit: bigint) => chain.entry(ROLE_NAME, checkBit(chain, bit)) ?? ''),
}

/** Contracts that only accounts and contracts with one of some roles may call. */
export const RESTRICTIONS = {
  restrict: chainAction((chain, given: string, roles: bigint) => {
    const target = addressOf(given)
    chain.pay(keyReadGas(recordUse(chain.journal, target)))
    const record = readRecord(chain.journal, target)
    if (record === undefined) return chain.refuse('Invalid', 'target', 'is not a contract that can be restricted')
    const { governor } = chain.record(GOVERNANCE)
    if (chain.sender !== governor && chain.sender !== record.authority)
      chain.refuse('NotAllowed', chain.sender, 'it is neither the governor nor the upgrade authority of this contract')
    if (target === governor || record.authority === SYSTEM_ADDRESS)
      chain.refuse('Refused', 'the governor and system contracts cannot be restricted')
    const problem = rolesProblem(Number(roles))
    if (problem !== undefined) chain.refuse('Invalid', 'roles', problem)
    chain.pay(keyWriteGas(recordUse(chain.journal, target)))
    writeRecord(chain.journal, target, { ...record, callers: Number(roles) })
    chain.emit('RestrictionChanged', given, roles, chain.sender)
  }),
  restriction: chainAction((chain, given: string) => {
    const target = addressOf(given)
    chain.pay(keyReadGas(recordUse(chain.journal, target)))
    return BigInt(readRecord(chain.journal, target)?.callers ?? 0)
  }),
}
