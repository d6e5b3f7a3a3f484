import { err, type Result } from '@quoin/protocol'

/** Why bytes or values do not match their types. */
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
  /** Path to the value, such as `to` or `orders[3].amount`; parameters without a name appear by position. */
  readonly path: string
  /** Path and reason. The same on every machine, because it may become part of a receipt. */
  readonly message: string
}

/** Carries a fault out of a nested value. Caught by `faultAt`. */
export class AbiFailure extends Error {
  code: AbiFault['code'] = 'type'
}

/** Created once: creating an Error records the stack, about 10 µs that a contract could cause for the price of a bad argument. */
const failure = new AbiFailure()

/** Throws the failure; call only inside `faultAt`. */
export function fail(code: AbiFault['code'], message: string): never {
  failure.code = code
  failure.message = message
  throw failure
}

/** Path to the value that is processed: names and positions, outermost first. */
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

/** Runs work and converts a thrown AbiFailure into a fault at the path. */
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
