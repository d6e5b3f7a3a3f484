import fc from 'fast-check'
import type { Abi, AbiEventParameter, AbiItem, AbiParameter } from '../src/contract-abi.ts'
import type { ContractContainer, UpgradeAuthority } from '../src/contract-container.ts'
import { address, ascii, bytesUpTo } from './arbitraries.ts'

/** Generators of ABIs with types of every kind, nested a few levels. */

export const abiName = fc.stringMatching(/^[a-zA-Z_$][a-zA-Z0-9_$]{0,11}$/)

const bits = fc.integer({ min: 1, max: 32 }).map((bytes) => 8 * bytes)

const baseType = fc.oneof(
  fc.constantFrom('address', 'bool', 'bytes', 'string', 'uint256', 'bytes32'),
  bits.map((width) => `uint${width}`),
  bits.map((width) => `int${width}`),
  fc.integer({ min: 1, max: 32 }).map((length) => `bytes${length}`),
)

const suffix = fc.oneof(
  { weight: 6, arbitrary: fc.constant('') },
  {
    weight: 3,
    arbitrary: fc.array(fc.constantFrom('[]', '[1]', '[2]', '[3]'), { minLength: 1, maxLength: 2 }).map((all) => all.join('')),
  },
)

/** Gives all parameters different names, or all of them none. */
const named = <T extends AbiParameter>(parameters: readonly T[]): fc.Arbitrary<readonly T[]> =>
  fc
    .oneof(
      { weight: 4, arbitrary: fc.uniqueArray(abiName, { minLength: parameters.length, maxLength: parameters.length }) },
      { weight: 1, arbitrary: fc.constant(parameters.map(() => '')) },
    )
    .map((names) => parameters.map((parameter, i) => ({ ...parameter, name: names[i]! })))

const parameterAt = (depth: number): fc.Arbitrary<AbiParameter> => {
  const plain = fc.tuple(baseType, suffix).map(([base, array]): AbiParameter => ({ name: '', type: base + array }))
  if (depth === 0) return plain
  const struct = fc
    .tuple(fc.array(parameterAt(depth - 1), { minLength: 1, maxLength: 3 }).chain(named), suffix)
    .map(([components, array]): AbiParameter => ({ name: '', type: `tuple${array}`, components }))
  return fc.oneof({ weight: 3, arbitrary: plain }, { weight: 1, arbitrary: struct })
}

export const abiParameters = fc.array(parameterAt(2), { maxLength: 4 }).chain(named)

const eventParameters: fc.Arbitrary<readonly AbiEventParameter[]> = fc
  .tuple(abiParameters, fc.nat(3))
  .map(([parameters, indexed]) => parameters.map((parameter, i) => ({ ...parameter, indexed: i < indexed })))

const creation = fc.constantFrom('nonpayable' as const, 'payable' as const)

export const abiItem: fc.Arbitrary<AbiItem> = fc.oneof(
  fc.record({ type: fc.constant('constructor' as const), inputs: abiParameters, stateMutability: creation }),
  fc.record({
    type: fc.constant('function' as const),
    name: abiName,
    inputs: abiParameters,
    outputs: abiParameters,
    stateMutability: fc.constantFrom('pure' as const, 'view' as const, 'nonpayable' as const, 'payable' as const),
  }),
  fc.record({ type: fc.constant('event' as const), name: abiName, inputs: eventParameters, anonymous: fc.boolean() }),
  fc.record({ type: fc.constant('error' as const), name: abiName, inputs: abiParameters }),
  fc.record({ type: fc.constant('receive' as const), stateMutability: fc.constant('payable' as const) }),
  fc.record({ type: fc.constant('fallback' as const), stateMutability: creation }),
)

export const abi: fc.Arbitrary<Abi> = fc.array(abiItem, { maxLength: 5 })

const upgradeAuthority: fc.Arbitrary<UpgradeAuthority> = fc.oneof(
  fc.constantFrom({ kind: 'none' as const }, { kind: 'deployer' as const }),
  address.map((account) => ({ kind: 'account' as const, address: account })),
)

export const container: fc.Arbitrary<ContractContainer> = fc.record({
  upgradeAuthority,
  reentrantSelectors: fc
    .uniqueArray(fc.integer({ min: 0, max: 0xffff_ffff }), { maxLength: 3 })
    .map((selectors) => selectors.toSorted((a, b) => a - b)),
  compiler: ascii(40),
  source: fc.string({ unit: 'binary', maxLength: 200 }),
  abi,
  sourceMap: bytesUpTo(40),
})
