import { HOST_LIBRARY, type LibraryFunction } from '../library/host-library.ts'
import { define, type HostEntry } from './define.ts'

/** The host library. Its functions are pure; each charges the price for its arguments before it runs. */
export const LIBRARY: readonly HostEntry[] = Object.entries(HOST_LIBRARY as Readonly<Record<string, LibraryFunction>>).map(
  ([name, { parameters, gas, run }]) =>
    define({ name, access: 'pure', gas: 0, parameters }, ({ crypto }, context, ...values) => {
      context.charge(gas(...(values as never[])))
      return run(crypto, ...(values as never[]))
    }),
)
