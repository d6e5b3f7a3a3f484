/**
 * Counts what a piece of code touches of the things that were handed to it, and makes one of the touches throw: a fault at each step of it, without
 * knowing the steps.
 */
export class Touches {
  readonly names: string[] = []
  /** Number of the touch that throws, from 0; none does while this is undefined. */
  readonly #failing: number | undefined
  #isOn = false

  constructor(failing?: number) {
    this.#failing = failing
  }

  /** Touches count from now on. */
  start(): void {
    this.#isOn = true
  }

  stop(): void {
    this.#isOn = false
  }

  touch(name: string): void {
    if (!this.#isOn) return
    this.names.push(name)
    if (this.names.length - 1 === this.#failing) throw new Error(`fault injected at ${name}`)
  }

  /** An object of which each read is a touch, but for reads of these names. */
  reads<T extends object>(name: string, object: T, except: readonly string[] = []): T {
    return new Proxy(object, {
      get: (target, property) => {
        if (typeof property === 'string' && !except.includes(property)) this.touch(`${name}.${property}`)
        return Reflect.get(target, property, target)
      },
    })
  }

  /** An object of which each call is a touch. */
  calls<T extends object>(name: string, object: T): T {
    return new Proxy(object, {
      get: (target, property) => {
        const member: unknown = Reflect.get(target, property, target)
        if (typeof member !== 'function') return member
        return (...values: unknown[]) => {
          this.touch(`${name}.${String(property)}`)
          return Reflect.apply(member, target, values) as unknown
        }
      },
    })
  }
}
