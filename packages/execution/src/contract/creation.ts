import {
  type Address,
  contractAddress,
  decodeContainer,
  Hash,
  type Height,
  type Nonce,
  ok,
  type Result,
  type UpgradeAuthority,
} from '@quoin/protocol'
import { InterpreterFault } from '../fault.ts'
import type { Journal } from '../state/journal.ts'
import { gasUsedOf, type Ticks } from '../ticks.ts'
import { type Compiled, type CompileError, type HostContext, imageBytes } from '../vm/index.ts'
import type { AbiCreation } from './abi/abi.ts'
import type { Contracts } from './contracts.ts'
import { evaluation } from './evaluation.ts'
import { type Failure, failed, outOfGas } from './failure.ts'
import type { GasMeter } from './gas-meter.ts'
import { MESSAGE_GAS } from './message-gas.ts'
import { MESSAGE_LIMITS } from './message-limits.ts'
import { compileReason, interfaceOf, link, type Program } from './program.ts'
import { type ContractRecord, writeCodeVersion, writeRecord } from './record.ts'

const GAS = MESSAGE_GAS.creation

/** Validated code with its program, before it is installed at an account. */
export interface NewCode {
  readonly program: Program
  readonly constructorAbi: AbiCreation
  readonly code: Uint8Array
  readonly codeHash: Hash
  readonly authority: UpgradeAuthority
  /** Price in ticks of the code's first use in a block. */
  readonly loadGas: Ticks
  /** Bytes after the container. */
  readonly constructorArguments: Uint8Array
}

/**
 * Validates a container and makes its program, for a creation or an upgrade.
 *
 * @param host frame of the contract that makes the call; undefined when a transaction does
 */
export function makeCode(
  { crypto, interpreter, programs }: Contracts,
  meter: GasMeter,
  data: Uint8Array,
  host: HostContext | undefined,
): Result<NewCode, Failure> {
  if (!meter.take(GAS.base + GAS.codeByte * data.length)) return tooLarge(meter)
  const decoded = decodeContainer(data)
  if (!decoded.ok) return failed(`contract code rejected: ${decoded.error.message}`)
  const { container, code, constructorArguments } = decoded.value
  const described = interfaceOf(crypto, container)
  if (!described.ok) return failed(`contract code rejected: ${described.error}`)
  const request = evaluation(crypto, container.source, meter.left)
  const compiled: Result<Compiled, CompileError> = host === undefined ? interpreter.compile(request) : host.compile(request)
  if (!compiled.ok) return evaluationFailure(meter, compiled.error)
  meter.count(compiled.value.gasUsed)
  const program = link(described.value, compiled.value.image)
  if (!program.ok) return failed(`contract code rejected: ${program.error}`)
  const imageSize = kibibytes(imageBytes(compiled.value.image))
  if (!meter.take(GAS.imageKiB * imageSize)) return tooLarge(meter)
  const codeHash = Hash(crypto.keccak256(code))
  const { interfaceBytes, imageBytes: packedBytes } = programs.add(codeHash, program.value)
  if (!meter.take(GAS.storedKiB * kibibytes(interfaceBytes + packedBytes))) return tooLarge(meter)
  const { base, imageKiB, packedKiB, interfaceKiB } = MESSAGE_GAS.load
  const loadGas = base + imageKiB * imageSize + packedKiB * kibibytes(packedBytes) + interfaceKiB * kibibytes(interfaceBytes)
  return ok({
    program: program.value,
    constructorAbi: described.value.abi.creation,
    code,
    codeHash,
    authority: container.upgradeAuthority,
    loadGas,
    constructorArguments,
  })
}

const tooLarge = ({ limit }: GasMeter): Result<never, Failure> =>
  outOfGas(`contract too large for this gas limit: making its code takes more than the ${gasUsedOf(limit)} gas left for it`)

const kibibytes = (bytes: number): number => Math.ceil(bytes / 1024)

function evaluationFailure(meter: GasMeter, failure: CompileError): Result<never, Failure> {
  if (failure.kind === 'fault') throw new InterpreterFault(undefined, failure.error)
  if (failure.kind !== 'too-large') meter.count(failure.gasUsed)
  if (failure.kind === 'throw') return failed(`contract code rejected: ${compileReason(failure)}`, failure)
  if (failure.kind !== 'out-of-gas') return failed(`contract code rejected: ${compileReason(failure)}`)
  return meter.left === 0
    ? tooLarge(meter)
    : failed(`contract code rejected: evaluating the module takes more than ${MESSAGE_LIMITS.evaluationGasMax} gas`)
}

/** Address of an account's next contract. Increments the account's nonce, and the increment stays even if the creation fails. */
export function nextContractAddress({ crypto }: Contracts, journal: Journal, creator: Address): Address {
  const account = journal.account(creator)
  journal.setAccount(creator, { ...account, nonce: (account.nonce + 1) as Nonce })
  return contractAddress(crypto, creator, account.nonce)
}

/** Installs code at an address that never had any. A contract's nonce begins at 1 (EIP-161). */
export function installCode(
  { executionVersion }: Contracts,
  journal: Journal,
  height: Height,
  address: Address,
  deployer: Address,
  { code, codeHash, authority, loadGas }: NewCode,
): ContractRecord {
  journal.setAccount(address, { ...journal.account(address), nonce: 1 as Nonce })
  journal.setCode(address, code, codeHash)
  const codeBytes = code.length
  const record = { version: 1, authority: authorityOf(authority, deployer), paused: false, executionVersion, loadGas, codeBytes }
  writeRecord(journal, address, record)
  writeCodeVersion(journal, address, 1, { codeHash, height, codeBytes })
  return record
}

/** The authority that new code declares; undefined for none. `deployer` stands for the given account. */
export function authorityOf(declared: UpgradeAuthority, deployer: Address): Address | undefined {
  if (declared.kind === 'deployer') return deployer
  return declared.kind === 'account' ? declared.address : undefined
}
