import { heapEndOf, type Layout } from './image.ts'
import { Instance } from './instance.ts'
import { POOL_LIMITS } from './limits.ts'
import type { WasmModule, WasmPower } from './power.ts'

/** Idle instances. One is in use for each call that is running, nested calls included. */
export class InstancePool {
  readonly #power: WasmPower
  readonly #module: WasmModule
  readonly #layout: Layout
  readonly #idle: Instance[] = []

  constructor(power: WasmPower, module: WasmModule, layout: Layout) {
    this.#power = power
    this.#module = module
    this.#layout = layout
  }

  /** An instance in any state: restore an image before use. */
  acquire(): Instance {
    return this.#idle.pop() ?? new Instance(this.#power, this.#module)
  }

  /** Takes an instance back, however its call ended, unless it costs more to clear than to replace. */
  release(instance: Instance): void {
    const growth = heapEndOf(instance, this.#layout) - this.#layout.heapBase
    if (growth > POOL_LIMITS.instanceGrowthBytesMax || this.#idle.length >= POOL_LIMITS.instancesIdleMax) return
    this.#idle.push(instance)
  }
}
