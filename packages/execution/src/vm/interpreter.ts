import { err, ok, type Result } from '@quoin/protocol'
import type { Ticks } from '../ticks.ts'
import { type Base, boot, evaluate } from './boot.ts'
import { type CompileError, compileError } from './compile-error.ts'
import { settle } from './guest.ts'
import { hostListener } from './host-call.ts'
import type { HostTable } from './host-function.ts'
import { heapBytes, type Image, restoreImage, takeImage } from './image.ts'
import { Instance } from './instance.ts'
import { VM_LIMITS } from './limits.ts'
import { isInHeap, trap } from './memory.ts'
import { NestedContext } from './nested-context.ts'
import { type CallOutcome, type Ending, endingOf, type Fault } from './outcome.ts'
import { packImage, unpackImage } from './packed-image.ts'
import { InstancePool } from './pool.ts'
import { POST_MORTEM_TICKS, stackAtDeath } from './post-mortem.ts'
import type { WasmPower } from './power.ts'
import { EXPORTS_AS_ENTRIES, PRELUDE } from './prelude.ts'
import { EVAL_MODULE, LAYOUT } from './quickjs.ts'
import { arrayLength, readScalar, readValue, Unreadable } from './read-value.ts'
import type { Budget, CallRequest, Compiled, CompileRequest, ContractImage, HostHandlers, Interpreter } from './request.ts'
import { Toll } from './toll.ts'
import { restoreGas } from './vm-gas.ts'
import { isException, writeValue } from './write-value.ts'

export interface InterpreterOptions {
  readonly wasm: WasmPower
  /** The metered binary, see `meterInterpreter`. */
  readonly binary: Uint8Array
  /** Host functions that guests see. */
  readonly host: HostTable
  /** JavaScript that turns a module into its entries; the default is EXPORTS_AS_ENTRIES, which explains the form. */
  readonly link?: string
  /**
   * JavaScript that runs in every guest before its module; the default is PRELUDE. Tests pass another one to leave holes open.
   */
  readonly prelude?: string
  /** Whether a call that runs out of gas reports its backtrace. This takes time that no gas pays for, so it is for tools only. Default: false. */
  readonly tracesOutOfGas?: boolean
}

/** File name of a contract's source in stack traces. */
export const CONTRACT_FILE = 'contract.js'

/**
 * Compiles the binary and boots it once, which takes about 30 ms.
 *
 * @throws Error when the binary is not the one that this package was written for
 */
export function createInterpreter(options: InterpreterOptions): Interpreter {
  const { wasm, host, link = EXPORTS_AS_ENTRIES, prelude = PRELUDE } = options
  const module = wasm.compile(options.binary)
  const instance = new Instance(wasm, module)
  const stackPointer = instance.meter.stackPointer.value
  if (stackPointer !== LAYOUT.heapBase)
    throw new Error(`the interpreter's stack begins at ${stackPointer}, expected ${LAYOUT.heapBase}: wrong binary`)
  instance.quickjs.initialise()
  const base = boot(instance, host, prelude, link)
  const pool = new InstancePool(wasm, module)
  pool.release(instance)
  return new PooledInterpreter(wasm, host, base, pool, options.tracesOutOfGas ?? false)
}

interface Running extends Budget {
  readonly handlers?: HostHandlers
  readonly scope?: unknown
}

class PooledInterpreter implements Interpreter {
  readonly #wasm: WasmPower
  readonly #host: HostTable
  readonly #base: Base
  readonly #pool: InstancePool
  readonly #tracesOutOfGas: boolean
  /** Runs under way: one, and the nested runs in it. */
  #runs = 0
  /** What the post-mortems of the outermost run under way may still use. */
  #postMortemTicks = 0

  constructor(wasm: WasmPower, host: HostTable, base: Base, pool: InstancePool, tracesOutOfGas: boolean) {
    this.#wasm = wasm
    this.#host = host
    this.#base = base
    this.#pool = pool
    this.#tracesOutOfGas = tracesOutOfGas
  }

  compile(request: CompileRequest): Result<Compiled, CompileError> {
    const { source } = request
    if (source.length > VM_LIMITS.sourceBytesMax)
      return err({
        kind: 'too-large',
        message: `the source has ${source.length} characters, at most ${VM_LIMITS.sourceBytesMax} are allowed`,
      })
    let image: ContractImage | undefined
    const outcome = this.#run(this.#base.image, request, (instance) => {
      const made = this.#evaluate(instance, source)
      if (made.kind === 'return') image = { ...takeImage(instance, this.#base.image.data), entries: made.value }
      return made.kind === 'return' ? { kind: 'return', value: undefined } : made
    })
    if (outcome.kind === 'return' && image !== undefined) return ok({ image, gasUsed: outcome.gasUsed })
    return err(compileError(outcome))
  }

  call(request: CallRequest): CallOutcome {
    const { image, values } = request
    const entry = image.entries.get(request.entry)
    if (entry === undefined) throw new Error(`the image has no entry ${request.entry}`)
    if (values.length > VM_LIMITS.argumentsMax)
      throw new Error(`${values.length} arguments, at most ${VM_LIMITS.argumentsMax} are allowed`)
    return this.#run(image, request, (instance) => {
      const { roots } = this.#base
      const { quickjs, memory } = instance
      instance.hold()
      const toll = new Toll(instance)
      const pointers = values.map((value) => writeValue(instance, value, toll))
      toll.collect()
      instance.giveBack()
      if (pointers.some((pointer) => pointer === 0 || isException(instance, pointer))) return OUT_OF_MEMORY
      memory.setWords(roots.argv, pointers)
      const result = settle(instance, roots, quickjs.call(instance.context, entry, roots.undefined, pointers.length, roots.argv))
      if (!result.ok) return { kind: 'throw', error: result.error }
      return this.#returned(instance, result.pointer)
    })
  }

  #returned(instance: Instance, pointer: number): Ending {
    instance.hold()
    const toll = new Toll(instance)
    const value = readValue(instance, pointer, toll)
    toll.collect()
    return value instanceof Unreadable
      ? thrown('TypeError', `the returned value is or contains ${value.what}`)
      : { kind: 'return', value }
  }

  packImage(image: ContractImage): Uint8Array {
    return packImage(image, this.#base.image)
  }

  unpackImage(bytes: Uint8Array): ContractImage | undefined {
    return unpackImage(bytes, this.#base.image)
  }

  #run(image: Image, request: Running, action: (instance: Instance) => Ending): CallOutcome {
    if (this.#runs === 0) this.#postMortemTicks = POST_MORTEM_TICKS
    this.#runs++
    try {
      return this.#runOn(image, request, action)
    } finally {
      this.#runs--
    }
  }

  /** Restores an image into an instance, runs an action on it within a budget, and accounts for the gas used. */
  #runOn(image: Image, request: Running, action: (instance: Instance) => Ending): CallOutcome {
    const { gas, handlers = {}, depthBytes = VM_LIMITS.depthBytesMax, memoryBytes = VM_LIMITS.memoryBytesMax } = request
    const gasAfterRestore = gas - restoreGas(heapBytes(image))
    if (gasAfterRestore < 0) return { kind: 'out-of-gas', gasUsed: gas }
    const memoryEnd = image.top + Math.min(memoryBytes, VM_LIMITS.memoryBytesMax)
    const instance = this.#pool.acquire()
    restoreImage(instance, image, grantedEnd(memoryEnd))
    instance.begin(gasAfterRestore)
    instance.meter.depth.value = Math.min(depthBytes, VM_LIMITS.depthBytesMax)
    const memoryLeft = () => Math.max(0, memoryEnd - instance.memory.top)
    const context = new NestedContext(this, instance, request.scope, memoryLeft)
    const listener = hostListener(instance, this.#base.roots, this.#host, handlers, context)
    const ending = this.#endingOf(instance, () => instance.listen(listener, () => action(instance)))
    if (ending.kind === 'fault') return ending
    const outcome = settled(ending, gas, instance.gasLeft)
    if (outcome.kind === 'out-of-gas' && this.#tracesOutOfGas && this.#postMortemTicks > 0) return this.#traced(outcome, instance)
    this.#pool.release(instance)
    return outcome
  }

  /** Adds the backtrace to the outcome of a call whose gas ended. If that failed, the instance is not used again. */
  #traced(outcome: Extract<CallOutcome, { kind: 'out-of-gas' }>, instance: Instance): CallOutcome {
    const { stack, isUsable, ticks } = stackAtDeath(instance, this.#base.roots, this.#postMortemTicks)
    this.#postMortemTicks -= ticks
    if (isUsable) this.#pool.release(instance)
    return { ...outcome, stack }
  }

  /** How an action ended. After a fault of this machine the instance is not used again. */
  #endingOf(instance: Instance, action: () => Ending): Ending | Fault {
    try {
      return action()
    } catch (error) {
      return endingOf(error, instance, this.#wasm)
    }
  }

  /** Evaluates a module and links it. Returns its entries, or how the evaluation ended. */
  #evaluate(
    instance: Instance,
    source: string,
  ): Exclude<Ending, { kind: 'return' }> | { kind: 'return'; value: Map<string, number> } {
    const { roots } = this.#base
    const { quickjs, memory } = instance
    const module = settle(instance, roots, evaluate(instance, source, CONTRACT_FILE, EVAL_MODULE))
    if (!module.ok) return { kind: 'throw', error: module.error }
    memory.setWords(roots.argv, [module.pointer])
    const linked = settle(instance, roots, quickjs.call(instance.context, roots.link, roots.undefined, 1, roots.argv))
    if (!linked.ok) return { kind: 'throw', error: linked.error }
    return this.#entriesOf(instance, linked.pointer)
  }

  /**
   * Reads the list that a link returned: names and functions alternately. A module that corrupted the interpreter may return
   * anything.
   */
  #entriesOf(
    instance: Instance,
    list: number,
  ): Exclude<Ending, { kind: 'return' }> | { kind: 'return'; value: Map<string, number> } {
    const { quickjs, context, memory } = instance
    const toll = new Toll(instance)
    const entries = new Map<string, number>()
    const length = arrayLength(instance, list)
    if (length > 2 * VM_LIMITS.entriesMax) return thrown('RangeError', `the module has more than ${VM_LIMITS.entriesMax} entries`)
    for (let i = 0; i < length; i += 2) {
      const named = quickjs.getIndex(context, list, i)
      const entry = quickjs.getIndex(context, list, i + 1)
      if (named === 0 || entry === 0) return OUT_OF_MEMORY
      const name = readScalar(instance, named, toll)
      // If the guest joined a name that was in pieces, the host holds the gas counter since then.
      toll.collect()
      instance.giveBack()
      if (typeof name !== 'string' || !isInHeap(entry, memory.top)) return trap()
      if (name.length > VM_LIMITS.entryNameMax)
        return thrown('RangeError', `the name of an entry has more than ${VM_LIMITS.entryNameMax} characters`)
      entries.set(name, entry)
    }
    toll.collect()
    return { kind: 'return', value: entries }
  }
}

/** Memory is granted in whole WebAssembly pages, plus one: the allocator claims it before it writes there. */
const grantedEnd = (memoryEnd: number): number =>
  WASM_PAGE_BYTES * Math.min(VM_LIMITS.memoryPages, Math.ceil(memoryEnd / WASM_PAGE_BYTES) + 1)

/** Gas that a run used. A trap takes all gas, because the count of the function that trapped is lost. */
function settled(ending: Ending, gas: Ticks, left: Ticks): CallOutcome {
  if (!Number.isSafeInteger(left) || left > gas) throw new Error(`a call with a gas limit of ${gas} ended with ${left} gas left`)
  if (left < 0 || ending.kind === 'out-of-gas') return { kind: 'out-of-gas', gasUsed: gas }
  return { ...ending, gasUsed: ending.kind === 'trap' ? gas : gas - left }
}

const WASM_PAGE_BYTES = 65_536

const thrown = (name: string, message: string) => ({ kind: 'throw', error: { name, message, stack: '' } }) as const
const OUT_OF_MEMORY = thrown('InternalError', 'out of memory')
