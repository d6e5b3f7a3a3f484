import {
  type Abi,
  type AbiItem,
  Address,
  bytesToHex,
  CODES_ADDRESS,
  hexToBytes,
  ok,
  type Result,
  unwrap,
  ZERO_ADDRESS,
} from '@quoin/protocol'
import { recordOrNone, SYSTEM_ADDRESS, SYSTEM_RECORDS } from '../../state/system-records.ts'
import type { GuestValue } from '../../vm/index.ts'
import { checksumText } from '../abi/address.ts'
import { encodeEvent } from '../abi/event.ts'
import type { AbiValue } from '../abi/value.ts'
import { CONTRACT_GAS } from '../contract-gas.ts'
import { addCode, authorityOf, prepareCode } from '../creation.ts'
import { type Failure, failed, OUT_OF_GAS } from '../failure.ts'
import { codeReadGas, keyReadGas, keyWriteGas } from '../key-gas.ts'
import {
  type ContractRecord,
  codeVersionUse,
  readCodeVersion,
  readRecord,
  recordUse,
  writeCodeVersion,
  writeRecord,
} from '../record.ts'
import { NO_OUTPUTS } from '../values.ts'
import { nativeFunction as fn, type NativeAction, type NativeCall, type NativeContract } from './native.ts'
import type { NativeHost } from './native-host.ts'

/** Address of the code registry. A contract's authority upgrades, pauses and transfers authority through it. */
export const CODE_REGISTRY_ADDRESS = CODES_ADDRESS

const address = (name: string) => ({ name, type: 'address' })
const event = (name: string, ...rest: readonly { readonly name: string; readonly type: string }[]): AbiItem => ({
  type: 'event',
  name,
  inputs: [{ ...address('target'), indexed: true }, ...rest.map((input) => ({ ...input, indexed: false }))],
  anonymous: false,
})

const VERSION = { name: 'version', type: 'uint256' }
const CODE_HASH = { name: 'codeHash', type: 'bytes32' }

export const CODE_REGISTRY_ABI: Abi = [
  /** Replaces the code and runs the new module's `migrate(data)`. If anything fails, nothing changes. */
  fn('upgrade', 'nonpayable', [address('target'), { name: 'container', type: 'bytes' }, { name: 'data', type: 'bytes' }]),
  /** Transfers the authority. The zero address makes the contract immutable for ever. */
  fn('setAuthority', 'nonpayable', [address('target'), address('authority')]),
  /** While a contract is paused, only static calls can enter it. */
  fn('setPaused', 'nonpayable', [address('target'), { name: 'paused', type: 'bool' }]),
  fn('describe', 'view', [address('target')], [VERSION, CODE_HASH, address('authority'), { name: 'paused', type: 'bool' }]),
  /** One of the contract's codes, from 1; the last one is the current code. */
  fn(
    'codeVersion',
    'view',
    [address('target'), VERSION],
    [CODE_HASH, { name: 'height', type: 'uint256' }, { name: 'container', type: 'bytes' }],
  ),
  event('Upgraded', VERSION, CODE_HASH),
  event('AuthorityChanged', address('authority')),
  event('PausedChanged', { name: 'paused', type: 'bool' }),
]

/** A call about a contract (`target`). */
interface RegistryCall extends NativeCall {
  readonly target: Address
  readonly record: ContractRecord
}

type Answer = Result<GuestValue, Failure>

/**
 * Wraps an action on the contract that the first argument names. Only the contract's authority may call an action that writes.
 */
const about =
  (action: (call: RegistryCall) => Answer): NativeAction =>
  (call) => {
    const { machine, called, from } = call
    const writes = called.mutability !== 'view'
    if (writes && call.isStatic) return failed(`${called.name}: a static call cannot write`)
    const target = accountOf(call.values[0])
    if (!call.meter.take(keyReadGas(recordUse(machine.journal, target)))) return OUT_OF_GAS
    const record = readRecord(machine.journal, target)
    if (record === undefined) return failed(`${called.name}: ${target} is not a contract`)
    if (writes && record.authority !== from)
      return failed(
        `${called.name}: ${from} is not the authority of ${target}${record.authority === undefined ? ', which is immutable' : ''}`,
      )
    return action({ ...call, target, record })
  }

/** The registry of all contracts' codes and authorities. */
export const CODE_REGISTRY: NativeContract = {
  name: 'codeRegistry',
  address: CODE_REGISTRY_ADDRESS,
  abi: CODE_REGISTRY_ABI,
  actions: {
    upgrade: about(upgrade),
    setAuthority: about((call) => {
      const authority = accountOf(call.values[1])
      if (authority === call.target) return ownAuthority(call)
      if (!payChange(call)) return OUT_OF_GAS
      return changeAuthority(call, authority === ZERO_ADDRESS ? undefined : authority)
    }),
    setPaused: about((call) => {
      const paused = call.values[1] === true
      const { journal } = call.machine
      if (paused && recordOrNone(journal, SYSTEM_RECORDS.governance)?.governor === call.target)
        return failed(`setPaused: ${call.target} governs the chain and cannot be paused`)
      if (paused && call.record.authority === SYSTEM_ADDRESS)
        return failed(`setPaused: ${call.target} is a system contract and cannot be paused`)
      if (!payChange(call)) return OUT_OF_GAS
      writeRecord(call.machine.journal, call.target, { ...call.record, paused })
      return log(call, 'PausedChanged(address,bool)', [paused])
    }),
    describe: about(({ machine, meter, target, record }) => {
      const { journal } = machine
      if (!meter.take(keyReadGas(journal.accountUse(target)))) return OUT_OF_GAS
      return ok([
        BigInt(record.version),
        hexToBytes(journal.account(target).codeHash!),
        textOf(machine, record.authority ?? ZERO_ADDRESS),
        record.paused,
      ])
    }),
    codeVersion: about(codeVersion),
  },
}

const DONE: Answer = ok(undefined)

const ownAuthority = ({ called, target }: RegistryCall): Answer =>
  failed(`${called.name}: ${target} cannot be its own authority: it could not be upgraded while it calls`)

/** Charges for a change of the record and its event. */
const payChange = ({ machine, meter, target }: RegistryCall): boolean =>
  meter.take(keyWriteGas(recordUse(machine.journal, target)) + EVENT_GAS)

/** Price of the most expensive event below: two topics and two words. */
const EVENT_GAS = CONTRACT_GAS.emit.base + 2 * CONTRACT_GAS.emit.topic + 64 * CONTRACT_GAS.emit.byte

function changeAuthority(call: RegistryCall, authority: Address | undefined, record = call.record): Answer {
  writeRecord(call.machine.journal, call.target, { ...record, authority })
  return log(call, 'AuthorityChanged(address,address)', [textOf(call.machine, authority ?? ZERO_ADDRESS)])
}

const accountOf = (text: AbiValue | undefined): Address => Address((text as string).toLowerCase())

const textOf = ({ contracts }: NativeHost, account: Address): string => checksumText(contracts.crypto, account)

/** Emits an event about the target. Fails the call if the receipt has no room for it. */
function log({ machine, abi, target, called }: RegistryCall, signature: string, values: readonly AbiValue[]): Answer {
  const encoded = encodeEvent(machine.contracts.crypto, abi.events.get(signature)!, [textOf(machine, target), ...values])
  const logged = machine.journal.log({ address: CODE_REGISTRY_ADDRESS, ...unwrap(encoded) })
  return logged.ok ? DONE : failed(`${called.name}: ${logged.error.message}`)
}

function codeVersion({ machine, meter, target, record, values }: RegistryCall): Answer {
  const version = values[1] as bigint
  if (version < 1n || version > BigInt(record.version))
    return failed(`codeVersion: ${target} has versions 1 to ${record.version}, not ${version}`)
  const number = Number(version)
  const { journal } = machine
  if (!meter.take(keyReadGas(codeVersionUse(journal, target, number)))) return OUT_OF_GAS
  const { codeHash, height, codeBytes } = readCodeVersion(journal, target, number)!
  if (!meter.take(codeReadGas(journal.codeUse(codeHash), codeBytes))) return OUT_OF_GAS
  return ok([hexToBytes(codeHash), BigInt(height), journal.code(codeHash)!])
}

function upgrade(call: RegistryCall): Answer {
  const { machine, meter, target, record, values, from, host } = call
  const { journal, contracts, block } = machine
  const [, container, data] = values as readonly [AbiValue, Uint8Array, Uint8Array]
  if (machine.isUnderWay(target))
    return failed(`upgrade: the contract ${target} is on the call stack and cannot be upgraded during its own call`)
  if (!meter.take(2 * EVENT_GAS)) return OUT_OF_GAS
  const made = prepareCode(machine, meter, container, host)
  if (!made.ok) return made
  const { program, codeHash, constructorArguments } = made.value
  const { authority, loadGas, codeBytes } = made.value.record
  machine.markLoaded(codeHash, program)
  if (constructorArguments.length > 0)
    return failed(
      `upgrade: ${constructorArguments.length} bytes follow the container: an upgrade runs no constructor, pass data for migrate() as the argument data`,
    )
  const version = record.version + 1
  addCode(journal, made.value)
  writeCodeVersion(journal, target, version, { codeHash, height: block.number, codeBytes })
  journal.setCodeHash(target, codeHash)
  const { executionVersion } = contracts
  const renewed: ContractRecord = { ...record, version, executionVersion, loadGas, codeBytes }
  writeRecord(journal, target, renewed)
  const next = authority.kind === 'deployer' ? record.authority : authorityOf(authority, from)
  if (next === target) return ownAuthority(call)
  const changed = next === record.authority ? DONE : changeAuthority(call, next, renewed)
  if (!changed.ok) return changed
  const logged = log(call, 'Upgraded(address,uint256,bytes32)', [BigInt(version), hexToBytes(codeHash)])
  if (!logged.ok) return logged
  if (!program.image.entries.has('migrate'))
    return data.length === 0
      ? DONE
      : failed(`upgrade: migration data ${bytesToHex(data.subarray(0, 8))}… was given, but the new module has no migrate()`)
  const entry = { program, name: 'migrate', values: [data], access: 'write', self: target, sender: from, value: 0n } as const
  const migrated = machine.enter(meter, { ...entry, outputs: NO_OUTPUTS }, host)
  return migrated.ok ? DONE : migrated
}
