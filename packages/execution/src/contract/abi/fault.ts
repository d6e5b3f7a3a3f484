import { err, type Result } from '@quoin/protocol'

/** Why bytes or values are not what their types say. */
export interface AbiFault {
  readonly code:
    | 'too-short'
    | 'trailing-bytes'
    | 'offset'
    | 'length'
    | 'padding'
    | 'range'
    | 'type'
    | 'utf8'
    | 'checksum'
    | 'member'
    | 'too-large'
  /** The value, as `to` or `orders[3].amount`; the position where parameters have no name. */
  readonly path: string
  /** Path and fault in words. The same on every machine: it may become part of a receipt. */
  readonly message: string
}

/** Carries a fault out of a nested value. Caught where the work on the whole list began. */
export class AbiFailure extends Error {
  code: AbiFault['code'] = 'type'
}

/** Made once: an Error takes the stack down when it is made, some 10 µs that a contract could have for the price of a bad argument. */
const failure = new AbiFailure()

/** Ends work under `faultAt`. */
export function fail(code: AbiFault['code'], message: string): never {
  failure.code = code
  failure.message = message
  throw failure
}

/** Where in the values the work is: names and positions from outside inwards. */
export class Path {
  readonly #steps: (string | number)[] = []

  enter(step: string | number): void {
    this.#steps.push(step)
  }

  leave(): void {
    this.#steps.pop()
  }

  toString(): string {
    return this.#steps.map((step, i) => (typeof step === 'number' ? `[${step}]` : i === 0 ? step : `.${step}`)).join('')
  }
}

/** The result of work that may fail with AbiFailure. */
export function faultAt<T>(path: Path, work: () => Result<T, AbiFault>): Result<T, AbiFault> {
  try {
    return work()
  } catch (error) {
    if (error instanceof AbiFailure) return fault(error.code, path.toString(), error.message)
    throw error
  }
}

export const fault = (code: AbiFault['code'], path: string, message: string): Result<never, AbiFault> =>
  err({ code, path, message: path === '' ? message : `${path}: ${message}` })
