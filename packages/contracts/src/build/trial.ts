import { executionVersion, runMessage, type TransactionRun } from '@quoin/execution'
import {
  type BlockContext,
  CODE_REGISTRY_ABI,
  CODE_REGISTRY_ADDRESS,
  type Contracts,
  codeHostOf,
  compileAbi,
  createContracts,
  encodeWithSelector,
  evaluation,
  GasMeter,
  gasUsedOf,
  InterpreterFault,
  installCode,
  intrinsicGas,
  Journal,
  Machine,
  MESSAGE_LIMITS,
  type NewCode,
  prepareCode,
  ticksOf,
} from '@quoin/execution/contract'
import type { CompileError, Interpreter } from '@quoin/execution/vm'
import { loadContractInterpreter } from '@quoin/platform'
import {
  Address,
  type ChainId,
  type ContractContainer,
  DEFAULT_PARAMETERS,
  encodeContainer,
  err,
  type Height,
  nobleCrypto,
  ok,
  type Result,
  type TimeMs,
  unwrap,
} from '@quoin/protocol'
import { BUILD_LIMITS } from './limits.ts'

/** Why the interpreter rejected a module. */
export interface Refusal {
  readonly message: string
  /** The interpreter's backtrace; empty if there is none. */
  readonly stack: string
  /** Whether the module's size, or the work of its evaluation, is the reason. */
  readonly isOfSize?: boolean
}

export interface Deployment {
  /** The container's bytes. */
  readonly code: Uint8Array
  /** Gas of the deployment transaction, without the constructor's arguments and work. */
  readonly gasUsed: number
  /**
   * Gas of a transaction that replaces code of this size with this code. Includes `migrate` with empty data on an empty state, unless that uses up the
   * trial's gas. Undefined if the code can never be replaced, or no upgrade was tried.
   */
  readonly upgradeGas: number | undefined
}

interface Made {
  readonly made: NewCode
  /** The container's bytes. */
  readonly code: Uint8Array
  readonly gasUsed: number
}

/** Evaluates modules as a deployment does, with the same interpreter, limits and checks. */
export class Trial {
  readonly #contracts: Contracts
  /** The same, but an upgrade ends before `migrate`. */
  readonly #withoutMigrate: Contracts

  constructor(contracts: Contracts) {
    this.#contracts = contracts
    this.#withoutMigrate = { ...contracts, interpreter: withoutMigrate(contracts.interpreter) }
  }

  /** Evaluates a module and calls its function `describe`. Allows more gas than a deployment, because the kit checks the declaration here. */
  describe(source: string): Result<unknown, Refusal> {
    const { interpreter, crypto } = this.#contracts
    const gas = ticksOf(BUILD_LIMITS.descriptionGasMax)
    const request = evaluation(crypto, source, gas)
    const compiled = interpreter.compile({ ...request, gas, memoryBytes: BUILD_LIMITS.descriptionMemoryBytesMax })
    if (!compiled.ok) return err(evaluationRefusal(compiled.error))
    const { image } = compiled.value
    const outcome = interpreter.call({ image, entry: 'functions.describe', values: [], handlers: {}, gas })
    switch (outcome.kind) {
      case 'return':
        return ok(outcome.value)
      case 'throw':
        return err({ message: `cannot read the declaration: ${messageOf(outcome.error)}`, stack: outcome.error.stack })
      default:
        return err({ message: `reading the declaration failed: ${outcome.kind}`, stack: '' })
    }
  }

  /**
   * Deploys a container on trial, up to the constructor.
   *
   * @param triesUpgrade whether to try an upgrade, too
   */
  deploy(container: ContractContainer, triesUpgrade: boolean): Result<Deployment, Refusal> {
    const made = this.#make(container)
    if (!made.ok) return made
    const { code } = made.value
    const gasUsed = made.value.gasUsed + intrinsicGas({ to: undefined, data: code, accessList: [] })
    return ok({ code, gasUsed, upgradeGas: triesUpgrade ? this.#upgradeGas(made.value.made, code) : undefined })
  }

  /**
   * The author's `migrate` may expect data and a state that the trial has not. So its exception counts as its end, and if it uses up all gas, it does not
   * count at all.
   */
  #upgradeGas(made: NewCode, code: Uint8Array): number | undefined {
    const whole = upgradeOnTrial(this.#contracts, made, code)
    return (whole?.isSpent ? upgradeOnTrial(this.#withoutMigrate, made, code) : whole)?.gasUsed
  }

  #make(container: ContractContainer): Result<Made, Refusal> {
    const encoded = encoding(container)
    if (!encoded.ok) return encoded
    const meter = new GasMeter(ticksOf(TRIAL_GAS), undefined)
    try {
      const made = prepareCode(codeHostOf(this.#contracts, new Journal()), meter, encoded.value, undefined)
      if (made.ok) return ok({ made: made.value, code: encoded.value, gasUsed: gasUsedOf(meter.used) })
      const { error, reason } = made.error
      if (error !== undefined) return err({ message: messageOf(error), stack: error.stack })
      const message = reason.replace(/^contract code rejected: /, '')
      return err({ message, stack: '', isOfSize: message.startsWith('evaluating the module takes more than') })
    } catch (failure) {
      if (failure instanceof InterpreterFault) return err({ message: STACK_FULL, stack: '' })
      throw failure
    }
  }
}

/** A container's bytes, or the container limit that it exceeds. */
function encoding(container: ContractContainer): Result<Uint8Array, Refusal> {
  try {
    return ok(encodeContainer(container))
  } catch (failure) {
    if (!(failure instanceof RangeError)) throw failure
    const { message } = failure
    // The other error of a container's form.
    const isOfSize = !message.includes('lone surrogate')
    return err({
      message: `${isOfSize ? 'the contract is too large: ' : ''}cannot make the container: ${message}`,
      stack: '',
      isOfSize,
    })
  }
}

function evaluationRefusal(failure: CompileError): Refusal {
  switch (failure.kind) {
    case 'throw':
      return { message: messageOf(failure), stack: failure.stack }
    case 'fault':
      return { message: STACK_FULL, stack: '' }
    case 'out-of-gas':
      return {
        message: `evaluating the module takes too much gas: a deployment allows ${MESSAGE_LIMITS.evaluationGasMax}`,
        stack: '',
      }
    default:
      return { message: failure.message, stack: '' }
  }
}

const STACK_FULL = 'evaluating the module overflows the stack'

/** More than any creation uses, because evaluation has its own limit. */
const TRIAL_GAS = 40 * MESSAGE_LIMITS.evaluationGasMax

/** Twice what a block of the default size allows; bounds the time of an endless `migrate`. */
const UPGRADE_TRIAL_GAS = 2 * DEFAULT_PARAMETERS.blockGasMax

const DEPLOYER = Address('0x00000000000000000000000000000000000000d0')
const INSTALLED = Address('0x00000000000000000000000000000000000000c0')
const BLOCK: BlockContext = {
  number: 1 as Height,
  timeMs: 1_000 as TimeMs,
  proposer: DEPLOYER,
  gasLimit: DEFAULT_PARAMETERS.blockGasMax,
  baseFee: 0n,
}

/**
 * Installs code in an empty state and upgrades it to itself; undefined if it has no upgrade authority. The state does not know the
 * code beforehand, because the upgrade to a known code is cheaper.
 */
function upgradeOnTrial(contracts: Contracts, made: NewCode, code: Uint8Array): TransactionRun | undefined {
  const journal = new Journal()
  const { authority } = installCode(contracts, journal, BLOCK.number, INSTALLED, DEPLOYER, { ...made, code: undefined })
  if (authority === undefined) return undefined
  const message = { from: authority, to: CODE_REGISTRY_ADDRESS, value: 0n, data: upgradeCall(INSTALLED, code) }
  const machine = new Machine(contracts, journal, BLOCK)
  return runMessage(machine, { ...message, accessList: [], gasLimit: UPGRADE_TRIAL_GAS })
}

/** An interpreter in which `migrate` returns at once, without gas. */
const withoutMigrate = (interpreter: Interpreter): Interpreter => ({
  compile: (request) => interpreter.compile(request),
  call: (request) => (request.entry === 'migrate' ? { kind: 'return', value: undefined, gasUsed: 0 } : interpreter.call(request)),
  packImage: (image) => interpreter.packImage(image),
  unpackImage: (bytes) => interpreter.unpackImage(bytes),
})

/** Calldata of the code registry's `upgrade`, without migration data. */
function upgradeCall(target: Address, code: Uint8Array): Uint8Array {
  const { functions } = unwrap(compileAbi(nobleCrypto, CODE_REGISTRY_ABI))
  const upgrade = [...functions.values()].find(({ name }) => name === 'upgrade')!
  const values = [target, code, new Uint8Array(0)]
  return unwrap(encodeWithSelector(nobleCrypto, upgrade.selector, upgrade.inputs, values))
}

const messageOf = ({ name, message }: { readonly name: string; readonly message: string }): string =>
  name === '' ? (message === '' ? 'the module threw a value without a name or message' : message) : `${name}: ${message}`

/** Loads the interpreter; takes some 60 ms. */
export async function loadTrial(): Promise<Trial> {
  const interpreter = await loadContractInterpreter()
  return new Trial(
    createContracts({
      crypto: nobleCrypto,
      chainId: 1 as ChainId,
      interpreter,
      reader: { get: () => undefined },
      executionVersion: executionVersion(nobleCrypto),
    }),
  )
}
