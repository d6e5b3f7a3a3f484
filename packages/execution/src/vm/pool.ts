import { Instance } from './instance.ts'
import { POOL_LIMITS } from './limits.ts'
import type { WasmModule, WasmPower } from './power.ts'

/** Idle instances. Each running call uses one, nested calls included. */
export class InstancePool {
  readonly #power: WasmPower
  readonly #module: WasmModule
  readonly #idle: Instance[] = []

  constructor(power: WasmPower, module: WasmModule) {
    this.#power = power
    this.#module = module
  }

  /** An instance in an arbitrary state: restore an image before use. */
  acquire(): Instance {
    return this.#idle.pop() ?? new Instance(this.#power, this.#module)
  }

  /** Takes an instance back, however its call ended. */
  release(instance: Instance): void {
    if (this.#idle.length < POOL_LIMITS.instancesIdleMax) this.#idle.push(instance)
  }
}
