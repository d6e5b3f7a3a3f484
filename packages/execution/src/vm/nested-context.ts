import { err, type Result } from '@quoin/protocol'
import type { CompileError } from './compile-error.ts'
import type { Instance } from './instance.ts'
import { VM_LIMITS } from './limits.ts'
import { type CallOutcome, Unwind } from './outcome.ts'
import type { Budget, CallRequest, Compiled, CompileRequest, HostContext, Interpreter } from './request.ts'

const NO_DEPTH = 'stack overflow: no depth is left for a nested evaluation'

/** What the handlers of one run of an instance get: its counters, and the interpreter for what they run on what is left. */
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

  /** The module's memory is its own: it must find the same wherever it is evaluated. */
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

  /** Gas and depth for another instance; undefined when there is no depth for one. */
  #budget(gas: number): Pick<Required<Budget>, 'gas' | 'depthBytes'> | undefined {
    const depthBytes = this.#instance.meter.depth.value - VM_LIMITS.nestingDepthBytes
    return depthBytes < 0 ? undefined : { gas: Math.min(gas, this.gasLeft), depthBytes }
  }
}
