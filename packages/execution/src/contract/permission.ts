import {
  type Address,
  type Crypto,
  err,
  hasAnyRole,
  hasRoles,
  type Result,
  ROLES,
  standing,
  unwrap,
  utf8ToBytes,
} from '@quoin/protocol'
import type { Journal } from '../state/journal.ts'
import { membershipIn } from '../state/system-entries.ts'
import { recordOrNone, SYSTEM_RECORDS } from '../state/system-records.ts'
import { encodeWithSelector } from './abi/encode.ts'
import { tupleOf } from './abi/type.ts'
import { CONTRACT_GAS } from './contract-gas.ts'
import { type Failure, OUT_OF_GAS } from './failure.ts'
import type { GasMeter } from './gas-meter.ts'
import type { BlockContext } from './message.ts'

const SIGNATURE = 'NotPermitted(address,string,uint32)'
const INPUTS = tupleOf([
  { name: 'account', type: 'address' },
  { name: 'rule', type: 'string' },
  { name: 'lacking', type: 'uint32' },
])

/** Reading an entry and its organisation. */
const MEMBERSHIP_GAS = 2 * (CONTRACT_GAS.storage.load + CONTRACT_GAS.key.read)

/** A rule of the chain that a message broke: the typed error `NotPermitted` of the chain contract's ABI. */
function notPermitted(crypto: Crypto, account: Address, rule: string, lacking: number): Result<never, Failure> {
  const digest = crypto.keccak256(utf8ToBytes(SIGNATURE))
  const selector = new DataView(digest.buffer, digest.byteOffset).getUint32(0)
  const data = unwrap(encodeWithSelector(crypto, selector, INPUTS, [account, rule, BigInt(lacking)]))
  return err({ reason: `NotPermitted(${account}, ${rule}, ${lacking})`, data, error: undefined, trace: [] })
}

/** What a permission is judged on: the state as the messages of the block so far have left it. */
interface Judged {
  readonly crypto: Crypto
  readonly journal: Journal
  readonly block: BlockContext
  readonly meter: GasMeter
}

function activeRolesOf({ journal, block }: Judged, address: Address): number {
  const { entry, organisation } = membershipIn(journal, address)
  return standing(entry, organisation, block.timeMs) === 'active' ? entry!.roles : 0
}

/** Why the sender of a creation may not create contracts; undefined if it may. */
export function deployingRefusal(judged: Judged, from: Address): Result<never, Failure> | undefined {
  if (recordOrNone(judged.journal, SYSTEM_RECORDS.policies)?.deploying !== 'members') return undefined
  if (!judged.meter.take(MEMBERSHIP_GAS)) return OUT_OF_GAS
  const isPermitted = hasRoles(activeRolesOf(judged, from), ROLES.deployer)
  return isPermitted ? undefined : notPermitted(judged.crypto, from, 'deploying', ROLES.deployer)
}

/** Why a caller may not enter a restricted contract; undefined if it may. */
export function callingRefusal(judged: Judged, from: Address, callers: number): Result<never, Failure> | undefined {
  if (callers === 0) return undefined
  if (!judged.meter.take(MEMBERSHIP_GAS)) return OUT_OF_GAS
  const isPermitted = hasAnyRole(activeRolesOf(judged, from), callers)
  return isPermitted ? undefined : notPermitted(judged.crypto, from, 'calling', callers)
}
