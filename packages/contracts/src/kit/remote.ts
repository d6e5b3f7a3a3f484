import type { AbiParameter } from 'abitype'
import { callSignatures } from './abi-names.ts'
import type { AbiSource, FunctionItem, ItemsOf, KeyOf } from './abi-types.ts'
import type { CallOptions, Guest } from './guest.ts'
import type { Address, PlainOutputOf, PlainValuesOf } from './value-types.ts'

declare const quoin: Guest

/** The called contract's address, alone or with call options. */
export type Target = Address | (CallOptions & { readonly to: Address })

interface Callable {
  readonly inputs: readonly AbiParameter[]
  readonly outputs: readonly AbiParameter[]
}

/** Functions of other contracts, by name. The first parameter is the called contract, then the arguments follow. */
export type Remote<I> = {
  readonly [M in FunctionItem<I> as KeyOf<FunctionItem<I>, M>]: M extends Callable
    ? (target: Target, ...values: PlainValuesOf<M['inputs']>) => PlainOutputOf<M['outputs']>
    : never
}

/**
 * Makes functions that call other contracts, from their ABI. Declare it at the top level of the module, not inside a function:
 *
 *     const token = remote(['function transfer(address to, uint256 value) returns (bool)'])
 *     …
 *     token.transfer(tokenAddress, to, 5n)
 *     vault.deposit({ to: vaultAddress, value: 1n, gas: 500_000n }, sender)
 *
 * `view` and `pure` functions are called statically. Tuples are arrays here, in the order of their members. A failed call throws an error with the
 * callee's error as `data`. An error that you do not catch goes on to the caller.
 */
export function remote<const A extends AbiSource>(abi: A): Remote<ItemsOf<A>> {
  const functions = callSignatures(abi).map(({ key, signature, isStatic }) => {
    const run = (target: Target, ...values: readonly unknown[]) => {
      const [to, options] = typeof target === 'string' ? [target] : [target.to, optionsOf(target)]
      return isStatic ? quoin.staticCall(to, signature, values, options) : quoin.call(to, signature, values, options)
    }
    return [key, run] as const
  })
  return Object.freeze(Object.fromEntries(functions)) as unknown as Remote<ItemsOf<A>>
}

const optionsOf = ({ value, gas }: CallOptions): CallOptions => ({ ...(value && { value }), ...(gas !== undefined && { gas }) })
