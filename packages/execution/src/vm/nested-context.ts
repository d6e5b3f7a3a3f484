import { err, type Result } from '@quoin/protocol'
import type { CompileError } from './compile-error.ts'
import type { Instance } from './instance.ts'
import { VM_LIMITS } from './limits.ts'
import { type CallOutcome, Unwind } from './outcome.ts'
import type { Budget, CallRequest, Compiled, CompileRequest, HostContext, Interpreter } from './request.ts'

const NO_DEPTH = 'stack overflow: no depth is left for a nested evaluation'

/** Context for the handlers of one run: the instance's counters, and the interpreter for nested calls on the remaining budget. */
export class NestedContext implements HostContext {
  readonly scope: unknown
  readonly #interpreter: Pick<Interpreter, 'call' | 'compile'>
  readonly #instance: Instance
  readonly #memoryLeft: () => number

  constructor(interpreter: Pick<Interpreter, 'call' | 'compile'>, instance: Instance, scope: unknown, memoryLeft: () => number) {
    this.#interpreter = interpreter
    this.#instance = instance
    this.#memoryLeft = memoryLeft
    this.scope = scope
  }

  get gasLeft(): number {
    return this.#instance.gasLeft
  }

  charge(gas: number): void {
    this.#instance.charge(gas)
  }

  call(request: Omit<CallRequest, 'depthBytes' | 'memoryBytes'>): Exclude<CallOutcome, { kind: 'fault' }> {
    const budget = this.#budget(request.gas)
    if (budget === undefined) return { kind: 'out-of-depth', gasUsed: 0 }
    const outcome = this.#interpreter.call({ ...request, ...budget, memoryBytes: this.#memoryLeft() })
    if (outcome.kind === 'fault') throw new Unwind(outcome)
    this.charge(outcome.gasUsed)
    return outcome
  }

  /** A module gets its full memory grant, independent of the caller's: evaluation must find the same memory everywhere. */
  compile(request: Omit<CompileRequest, 'depthBytes'>): Result<Compiled, Exclude<CompileError, { kind: 'fault' }>> {
    const budget = this.#budget(request.gas)
    if (budget === undefined) return err({ kind: 'out-of-depth', message: NO_DEPTH, gasUsed: 0 })
    const compiled = this.#interpreter.compile({ ...request, ...budget })
    if (compiled.ok) {
      this.charge(compiled.value.gasUsed)
      return compiled
    }
    const { error } = compiled
    if (error.kind === 'fault') throw new Unwind(error)
    this.charge(error.kind === 'too-large' ? 0 : error.gasUsed)
    return err(error)
  }

  /** Gas and depth for a nested run; undefined when too little depth is left. */
  #budget(gas: number): Pick<Required<Budget>, 'gas' | 'depthBytes'> | undefined {
    const depthBytes = this.#instance.meter.depth.value - VM_LIMITS.nestingDepthBytes
    return depthBytes < 0 ? undefined : { gas: Math.min(gas, this.gasLeft), depthBytes }
  }
}
