import { bytesToHex, type ContractContainer, type Crypto, err, ok, type Result } from '@quoin/protocol'
import type { CompileError, ContractImage } from '../vm/index.ts'
import { type AbiFunction, type CallAbi, type ContractAbi, compileAbi } from './abi/abi.ts'
import { selectorBytes } from './abi/encode.ts'
import { CONTRACT_LIMITS } from './limits.ts'

/** A contract's code, ready to run. */
export interface Program {
  readonly abi: CallAbi
  readonly image: ContractImage
  /** Name of each function's entry, by selector. */
  readonly entries: ReadonlyMap<number, string>
  /**
   * Functions that may be re-entered while the contract is on the call stack, by selector; RECEIVE_SELECTOR stands for `receive`.
   */
  readonly reentrant: ReadonlySet<number>
}

/**
 * Selector of `receive()`: a container lists it to make `receive` reentrant. In an ABI with a function of that signature it means
 * the function.
 */
export const RECEIVE_SELECTOR = 0xa3e76c0f

/** A container with a valid ABI. */
export interface Interface {
  readonly container: ContractContainer
  readonly abi: ContractAbi
  readonly reentrant: ReadonlySet<number>
}

/** Validates a container before its source runs. The error is the reason as text. */
export function interfaceOf(crypto: Crypto, container: ContractContainer): Result<Interface, string> {
  const abi = compileAbi(crypto, container.abi)
  if (!abi.ok) return err(abi.error.message)
  const { functions, receive } = abi.value
  const isKnown = (selector: number) => functions.has(selector) || (receive && selector === RECEIVE_SELECTOR)
  const stranger = container.reentrantSelectors.find((selector) => !isKnown(selector))
  if (stranger !== undefined)
    return err(`the reentrant selector ${bytesToHex(selectorBytes(stranger))} does not belong to a function of the abi`)
  return ok({ container, abi: abi.value, reentrant: new Set(container.reentrantSelectors) })
}

/**
 * Makes a program from an evaluated module, or returns how the module's functions and the ABI differ. The program has only the
 * entries that its ABI needs, with names of bounded length, so its image can be stored without further checks.
 */
export function link({ abi, reentrant }: Interface, image: ContractImage): Result<Program, string> {
  const { entrySignatureCharsMax } = CONTRACT_LIMITS
  const names = [...image.entries.keys()].filter((name) => !SPECIAL.has(name))
  if (names.some((name) => !name.startsWith(FUNCTIONS))) return err('the module has an entry that is not a function')
  const unclaimed = new Set(names)
  const entries = new Map<number, string>()
  const overloads = new Map<string, number>()
  for (const { name } of abi.functions.values()) overloads.set(name, (overloads.get(name) ?? 0) + 1)
  for (const called of abi.functions.values()) {
    const name = entryOf(called, overloads.get(called.name) === 1, unclaimed)
    if (name === undefined) return err(`the abi has ${called.signature}, but the module has no such function`)
    if (name.length > FUNCTIONS.length + entrySignatureCharsMax)
      return err(`the module names ${called.name} by a signature of more than ${entrySignatureCharsMax} characters`)
    unclaimed.delete(name)
    entries.set(called.selector, name)
  }
  for (const name of unclaimed) return err(`the module has the function ${name.slice(FUNCTIONS.length)}, but the abi does not`)
  const problem = specialProblem(abi, image)
  return problem === undefined ? ok({ abi, image, entries, reentrant }) : err(problem)
}

const FUNCTIONS = 'functions.'
/** Entries that are not functions of the ABI. */
const SPECIAL: ReadonlySet<string> = new Set(['constructor', 'receive', 'fallback', 'migrate'])

/** A function's entry is named by its signature, or by its plain name if the ABI has no other function with that name. */
function entryOf({ name, signature }: AbiFunction, isOnly: boolean, unclaimed: ReadonlySet<string>): string | undefined {
  const bySignature = `${FUNCTIONS}${signature}`
  if (unclaimed.has(bySignature)) return bySignature
  const byName = `${FUNCTIONS}${name}`
  return isOnly && unclaimed.has(byName) ? byName : undefined
}

/** Checks the ABI against the module's entries that are not functions. */
function specialProblem({ creation, receive, fallback }: ContractAbi, { entries }: ContractImage): string | undefined {
  if (creation.inputs.members.length > 0 && !entries.has('constructor'))
    return 'the abi has a constructor with parameters, but the module has no constructor'
  for (const [name, inAbi] of [
    ['receive', receive],
    ['fallback', fallback !== undefined],
  ] as const) {
    if (entries.has(name) === inAbi) continue
    return inAbi ? `the abi has ${name}, but the module does not` : `the module has ${name}, but the abi does not`
  }
  return undefined
}

/** Text of a compile error, with the position in the source if there is one. */
export function compileReason(failure: Exclude<CompileError, { kind: 'fault' }>): string {
  if (failure.kind !== 'throw') return failure.message
  const { name, message, line, column } = failure
  const place = line === undefined ? '' : ` (line ${line}${column === undefined ? '' : `, column ${column}`} of the source)`
  return `${name === '' ? 'Error' : name}: ${message}${place}`
}
