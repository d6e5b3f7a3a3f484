import { describe, expectTypeOf, it } from 'vitest'
import { type Address, contract, mapping, remote, replacing, value } from './index.ts'

declare const at: Address

describe('remote', () => {
  const token = remote([
    'struct Lot { uint256 id; address owner; }',
    'function total() view returns (uint256)',
    'function transfer(address to, uint256 amount) returns (bool)',
    'function pair(uint8 n) pure returns (uint256 a, address b)',
    'function lots() view returns (Lot[])',
    'function deposit() payable',
  ])

  it('has the functions of an abi, behind the contract that they are of', () => {
    expectTypeOf(token.total(at)).toEqualTypeOf<bigint>()
    expectTypeOf(token.transfer(at, at, 1n)).toEqualTypeOf<boolean>()
    expectTypeOf(token.pair({ to: at, gas: 5n }, 1n)).toEqualTypeOf<readonly [bigint, Address]>()
    expectTypeOf(token.lots(at)).toEqualTypeOf<readonly (readonly [bigint, Address])[]>()
    expectTypeOf(token.deposit({ to: at, value: 1n })).toEqualTypeOf<void>()
  })

  it('refuses arguments that the abi does not have', () => {
    // @ts-expect-error a number is not a bigint
    void (() => token.transfer(at, at, 1))
    // @ts-expect-error the contract is missing
    void (() => token.total())
    // @ts-expect-error no such function
    void (() => token.burn(at))
  })
})

describe('replacing', () => {
  it('converts what the former field holds into what the new one does', () => {
    const count = value('uint32')
    const points = mapping('address', 'uint32')
    const flags = mapping('address', mapping('string', 'bool'))
    contract({
      abi: ['function f(address who) returns (uint256)'],
      state: {
        count,
        points,
        flags,
        wide: replacing('count', count, value('uint256'), (old) => old * 2n),
        scores: replacing('points', points, mapping('address', 'uint256'), (old) => old * 100n),
        words: replacing('flags', flags, mapping('address', mapping('string', 'string')), (old) => (old ? 'yes' : 'no')),
      },
      functions: {
        f({ state }, who) {
          state.words.at(who).set('a', 'b')
          state.scores.update(who, (score) => score + 1n)
          return state.wide.update((held) => held + 1n)
        },
      },
    })
    // @ts-expect-error an integer is not a string
    replacing('count', count, value('string'), (old) => old)
  })
})
