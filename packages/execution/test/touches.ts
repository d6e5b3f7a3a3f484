/**
 * Counts how often code touches the objects that were passed to it, and lets one of the touches throw. This tests a fault at each
 * step without knowing the steps.
 */
export class Touches {
  readonly names: string[] = []
  /** Index of the touch that throws, from 0; while undefined, none does. */
  readonly #failing: number | undefined
  #isOn = false

  constructor(failing?: number) {
    this.#failing = failing
  }

  /** Starts counting touches. */
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

  /** An object whose reads are touches, except reads of these names. */
  reads<T extends object>(name: string, object: T, except: readonly string[] = []): T {
    return new Proxy(object, {
      get: (target, property) => {
        if (typeof property === 'string' && !except.includes(property)) this.touch(`${name}.${property}`)
        return Reflect.get(target, property, target)
      },
    })
  }

  /** An object whose method calls are touches. */
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
