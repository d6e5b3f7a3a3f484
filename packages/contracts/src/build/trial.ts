import { executionVersion } from '@quoin/execution'
import {
  type Contracts,
  createContracts,
  evaluation,
  GasMeter,
  gasUsedOf,
  InterpreterFault,
  intrinsicGas,
  MESSAGE_LIMITS,
  makeCode,
  type NewCode,
  ticksOf,
} from '@quoin/execution/contract'
import type { CompileError } from '@quoin/execution/vm'
import { loadContractInterpreter } from '@quoin/platform'
import { type ChainId, type ContractContainer, encodeContainer, err, nobleCrypto, ok, type Result } from '@quoin/protocol'
import { BUILD_LIMITS } from './limits.ts'

/** Why the interpreter would not take a module. */
export interface Refusal {
  readonly message: string
  /** The interpreter's backtrace, empty where there is none. */
  readonly stack: string
}

export interface Deployment {
  /** The container's bytes. */
  readonly code: Uint8Array
  /** What a transaction takes that deploys it, the constructor's arguments and work aside. */
  readonly gasUsed: number
}

/** Evaluates modules as their deployment does: same interpreter, same limits, same checks. */
export class Trial {
  readonly #contracts: Contracts

  constructor(contracts: Contracts) {
    this.#contracts = contracts
  }

  /** Evaluates a module that has a function `describe` and calls it. There is more gas than for a deployment: the kit checks a declaration here. */
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
        return err({ message: `the declaration cannot be read: ${messageOf(outcome.error)}`, stack: outcome.error.stack })
      default:
        return err({ message: `reading the declaration ended: ${outcome.kind}`, stack: '' })
    }
  }

  /** Makes a contract of a container, as its deployment would, up to the constructor. */
  deploy(container: ContractContainer): Result<Deployment, Refusal> {
    const made = this.#make(container)
    if (!made.ok) return made
    const { code } = made.value.made
    const gasUsed = made.value.gasUsed + intrinsicGas({ to: undefined, data: code, accessList: [] })
    return ok({ code, gasUsed })
  }

  #make(container: ContractContainer): Result<{ readonly made: NewCode; readonly gasUsed: number }, Refusal> {
    const encoded = encoding(container)
    if (!encoded.ok) return encoded
    const meter = new GasMeter(ticksOf(TRIAL_GAS), undefined)
    try {
      const made = makeCode(this.#contracts, meter, encoded.value, undefined)
      if (made.ok) return ok({ made: made.value, gasUsed: gasUsedOf(meter.used) })
      const { error, reason } = made.error
      if (error !== undefined) return err({ message: messageOf(error), stack: error.stack })
      return err({ message: reason.replace(/^contract code rejected: /, ''), stack: '' })
    } catch (failure) {
      if (failure instanceof InterpreterFault) return err({ message: STACK_FULL, stack: '' })
      throw failure
    }
  }
}

/** A container's bytes, or the limit of one that it breaks. */
function encoding(container: ContractContainer): Result<Uint8Array, Refusal> {
  try {
    return ok(encodeContainer(container))
  } catch (failure) {
    if (failure instanceof RangeError) return err({ message: `no container can be made: ${failure.message}`, stack: '' })
    throw failure
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
        message: `evaluating the module takes too much gas: a deployment has ${MESSAGE_LIMITS.evaluationGasMax} for it`,
        stack: '',
      }
    default:
      return { message: failure.message, stack: '' }
  }
}

const STACK_FULL = 'evaluating the module takes more stack than there is'

/** More than any creation takes: evaluation has a bound of its own. */
const TRIAL_GAS = 40 * MESSAGE_LIMITS.evaluationGasMax

const messageOf = ({ name, message }: { readonly name: string; readonly message: string }): string =>
  name === '' ? (message === '' ? 'something without a message was thrown' : message) : `${name}: ${message}`

/** Some 60 ms. */
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
