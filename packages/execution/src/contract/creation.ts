import {
  type Address,
  cloneInitCodeHash,
  containerLength,
  contractAddress,
  decodeContainer,
  Hash,
  type Height,
  type Nonce,
  ok,
  type Result,
  saltedContractAddress,
  U32_MAX,
  type UpgradeAuthority,
} from '@quoin/protocol'
import { InterpreterFault } from '../fault.ts'
import type { Journal } from '../state/journal.ts'
import { gasUsedOf } from '../ticks.ts'
import { type Compiled, type CompileError, type HostContext, imageBytes } from '../vm/index.ts'
import { type CodeRecord, codeRecordUse, readCodeRecord, writeCodeRecord } from './code-record.ts'
import type { Contracts } from './contracts.ts'
import { evaluation } from './evaluation.ts'
import { type Failure, failed, OUT_OF_GAS, outOfGas } from './failure.ts'
import type { GasMeter } from './gas-meter.ts'
import { codeReadGas, keyReadGas } from './key-gas.ts'
import type { CreationForm } from './message.ts'
import { MESSAGE_GAS } from './message-gas.ts'
import { MESSAGE_LIMITS } from './message-limits.ts'
import { compileReason, interfaceOf, link, type Program } from './program.ts'
import { type ContractRecord, writeCodeVersion, writeRecord } from './record.ts'

const GAS = MESSAGE_GAS.creation

/** Where new contracts get their code. */
export interface CodeHost {
  readonly contracts: Contracts
  readonly journal: Journal
  /** Whether the block has paid for the code's load. */
  isLoaded(codeHash: Hash): boolean
}

/** A host without a block: every use of a code is its first. */
export const codeHostOf = (contracts: Contracts, journal: Journal): CodeHost => ({ contracts, journal, isLoaded: () => false })

/** Valid code with its program, before it is installed at an account. */
export interface NewCode {
  readonly program: Program
  /** Undefined if the state has the code. */
  readonly code: Uint8Array | undefined
  readonly codeHash: Hash
  readonly record: CodeRecord
  /** Bytes after the container. */
  readonly constructorArguments: Uint8Array
}

/**
 * Finds the code of a container in the state, or validates the container and makes its program, for a creation or an upgrade.
 *
 * The state knows a code if it has the code's record, written under the present execution version. That depends on the blocks
 * and on earlier messages of this block that were not reverted, never on a cache.
 *
 * @param data a container, and the constructor's arguments after it
 * @param frame frame of the contract that makes the call; undefined when a transaction does
 */
export function prepareCode(
  host: CodeHost,
  meter: GasMeter,
  data: Uint8Array,
  frame: HostContext | undefined,
): Result<NewCode, Failure> {
  const { crypto, executionVersion } = host.contracts
  if (!meter.take(GAS.base + GAS.hashedByte * data.length)) return tooLarge(meter)
  const length = containerLength(data)
  if (!length.ok) return failed(`contract code rejected: ${length.error.message}`)
  const codeHash = Hash(crypto.keccak256(data.subarray(0, length.value)))
  if (!meter.take(keyReadGas(codeRecordUse(host.journal, codeHash)))) return tooLarge(meter)
  const record = readCodeRecord(host.journal, codeHash)
  if (record?.executionVersion !== executionVersion) return makeCode(host.contracts, meter, codeHash, data, frame)
  return knownCode(host, meter, codeHash, record, new Uint8Array(data.subarray(length.value)))
}

/**
 * Finds a code of the state by its hash, for a clone. A code that was accepted under another execution version is made again.
 */
export function prepareClone(
  host: CodeHost,
  meter: GasMeter,
  codeHash: Hash,
  constructorArguments: Uint8Array,
  frame: HostContext | undefined,
): Result<NewCode, Failure> {
  const { journal, contracts } = host
  const recordGas = keyReadGas(codeRecordUse(journal, codeHash))
  if (!meter.take(GAS.base + GAS.hashedByte * constructorArguments.length + recordGas)) return OUT_OF_GAS
  const record = readCodeRecord(journal, codeHash)
  if (record === undefined) return failed(`there is no contract code with the hash ${codeHash} on this chain`)
  if (record.executionVersion === contracts.executionVersion)
    return knownCode(host, meter, codeHash, record, constructorArguments)
  if (!meter.take(codeReadGas(journal.codeUse(codeHash), record.codeBytes))) return OUT_OF_GAS
  const made = makeCode(contracts, meter, codeHash, journal.code(codeHash)!, frame)
  return made.ok ? ok({ ...made.value, constructorArguments }) : made
}

function knownCode(
  { contracts, journal, isLoaded }: CodeHost,
  meter: GasMeter,
  codeHash: Hash,
  record: CodeRecord,
  constructorArguments: Uint8Array,
): Result<NewCode, Failure> {
  if (!isLoaded(codeHash) && !meter.take(record.loadGas)) return OUT_OF_GAS
  const program = contracts.programs.get(codeHash, () => journal.peekCode(codeHash)!)
  return ok({ program, code: undefined, codeHash, record, constructorArguments })
}

function makeCode(
  { crypto, interpreter, programs, executionVersion }: Contracts,
  meter: GasMeter,
  codeHash: Hash,
  data: Uint8Array,
  frame: HostContext | undefined,
): Result<NewCode, Failure> {
  if (!meter.take(GAS.code + GAS.codeByte * data.length)) return tooLarge(meter)
  const decoded = decodeContainer(data)
  if (!decoded.ok) return failed(`contract code rejected: ${decoded.error.message}`)
  const { container, code, constructorArguments } = decoded.value
  const described = interfaceOf(crypto, container)
  if (!described.ok) return failed(`contract code rejected: ${described.error}`)
  const request = evaluation(crypto, container.source, meter.left)
  const compiled: Result<Compiled, CompileError> = frame === undefined ? interpreter.compile(request) : frame.compile(request)
  if (!compiled.ok) return evaluationFailure(meter, compiled.error)
  meter.count(compiled.value.gasUsed)
  const program = link(described.value, compiled.value.image)
  if (!program.ok) return failed(`contract code rejected: ${program.error}`)
  const imageSize = kibibytes(imageBytes(compiled.value.image))
  if (!meter.take(GAS.imageKiB * imageSize)) return tooLarge(meter)
  const { interfaceBytes, imageBytes: packedBytes } = programs.add(codeHash, program.value)
  if (!meter.take(GAS.storedKiB * kibibytes(interfaceBytes + packedBytes))) return tooLarge(meter)
  const { base, imageKiB, packedKiB, interfaceKiB } = MESSAGE_GAS.load
  const loadGas = base + imageKiB * imageSize + packedKiB * kibibytes(packedBytes) + interfaceKiB * kibibytes(interfaceBytes)
  const record = { executionVersion, loadGas, codeBytes: code.length, authority: container.upgradeAuthority }
  return ok({ program: program.value, code, codeHash, record, constructorArguments })
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

/** Price in ticks of finding the address of a new contract: a salted one follows from a hash of the data. */
export const addressGas = ({ salt }: CreationForm, data: Uint8Array): number =>
  salt === undefined ? 0 : GAS.hashedByte * data.length

/**
 * Address of an account's next contract. Increments the account's nonce, and the increment stays even if the creation fails.
 * With a salt the address does not follow from the nonce: it is counted as in Ethereum, until it has its maximum value.
 *
 * @returns undefined when the account has no nonce left and there is no salt
 */
export function nextContractAddress(
  { crypto }: Contracts,
  journal: Journal,
  creator: Address,
  data: Uint8Array,
  { salt, cloneOf }: CreationForm,
): Address | undefined {
  const account = journal.account(creator)
  const { nonce } = account
  if (nonce === U32_MAX && salt === undefined) return undefined
  if (nonce < U32_MAX) journal.setAccount(creator, { ...account, nonce: (nonce + 1) as Nonce })
  if (salt === undefined) return contractAddress(crypto, creator, nonce)
  const initCodeHash = cloneOf === undefined ? crypto.keccak256(data) : cloneInitCodeHash(crypto, cloneOf, data)
  return saltedContractAddress(crypto, creator, salt, initCodeHash)
}

/** Adds a code to the state, unless it has it. */
export function addCode(journal: Journal, { code, codeHash, record }: NewCode): void {
  if (code === undefined) return
  journal.addCode(code, codeHash)
  writeCodeRecord(journal, codeHash, record)
}

/** Installs code at an address that never had any. A contract's nonce begins at 1 (EIP-161). */
export function installCode(
  { executionVersion }: Contracts,
  journal: Journal,
  height: Height,
  address: Address,
  deployer: Address,
  made: NewCode,
): ContractRecord {
  const { codeHash, record: code } = made
  addCode(journal, made)
  journal.setAccount(address, { ...journal.account(address), nonce: 1 as Nonce, codeHash })
  const { codeBytes, loadGas } = code
  const authority = authorityOf(code.authority, deployer)
  const record = { version: 1, authority, paused: false, callers: 0, executionVersion, loadGas, codeBytes }
  writeRecord(journal, address, record)
  writeCodeVersion(journal, address, 1, { codeHash, height, codeBytes })
  return record
}

/** The authority that new code declares; undefined for none. `deployer` stands for the given account. */
export function authorityOf(declared: UpgradeAuthority, deployer: Address): Address | undefined {
  if (declared.kind === 'deployer') return deployer
  return declared.kind === 'account' ? declared.address : undefined
}
