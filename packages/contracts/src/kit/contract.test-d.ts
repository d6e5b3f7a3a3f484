import { describe, expectTypeOf, it } from 'vitest'
import { type Address, address, type ContextOf, contract, mapping, part, value } from './index.ts'

const ownable = part({
  abi: ['function owner() view returns (address)', 'error NotOwner(address who)', 'event OwnerChanged(address owner)'],
  state: { owner: value('address') },
  functions: {
    owner: ({ state }) => state.owner.get(),
  },
})

function onlyOwner({ state, sender, revert }: ContextOf<typeof ownable>): void {
  if (state.owner.get() !== sender) throw revert.NotOwner(sender)
}

describe('contract', () => {
  it('infers everything in one object', () => {
    contract({
      abi: [
        'constructor(string name, uint256 supply)',
        'function transfer(address to, uint256 amount) returns (bool)',
        'function balanceOf(address owner) view returns (uint256)',
        'function deposit() payable',
        'function pairOf(uint8 id) view returns (address owner, bytes32 salt)',
        'function twice(uint256 n) pure returns (uint256)',
        'event Transfer(address indexed from, address indexed to, uint256 value)',
        'error InsufficientBalance(uint256 have, uint256 need)',
      ],
      state: { name: value('string'), balances: mapping('address', 'uint256') },
      constructor({ state, sender, emit }, name, supply) {
        expectTypeOf(name).toEqualTypeOf<string>()
        expectTypeOf(supply).toEqualTypeOf<bigint>()
        state.name.set(name)
        state.balances.set(sender, supply)
        emit.Transfer(sender, sender, supply)
      },
      functions: {
        transfer({ state, sender, emit, revert }, to, amount) {
          expectTypeOf(to).toEqualTypeOf<Address>()
          expectTypeOf(amount).toEqualTypeOf<bigint>()
          const have = state.balances.get(sender)
          expectTypeOf(have).toEqualTypeOf<bigint>()
          if (have < amount) throw revert.InsufficientBalance(have, amount)
          state.balances.set(sender, have - amount)
          state.balances.update(to, (balance) => balance + amount)
          emit.Transfer(sender, to, amount)
          return true
        },
        balanceOf({ state }, owner) {
          return state.balances.get(owner)
        },
        deposit({ value, sender, state }) {
          expectTypeOf(value).toEqualTypeOf<bigint>()
          state.balances.update(sender, (balance) => balance + value)
        },
        pairOf: (_context, id) => {
          expectTypeOf(id).toEqualTypeOf<bigint>()
          return [address('0x'), new Uint8Array(32)]
        },
        twice: (context, n) => {
          expectTypeOf(context).not.toHaveProperty('state')
          return 2n * n
        },
      },
    })
  })

  it('needs no constructor where the abi has none, and no functions where parts have them', () => {
    contract({ uses: [ownable] })
    contract({ abi: ['function f()'], functions: { f() {} } })
    // @ts-expect-error a function of the abi is missing
    contract({ abi: ['function f()'], functions: {} })
    // @ts-expect-error the constructor of the abi is missing
    contract({ abi: ['constructor(uint256 n)'] })
  })

  it('refuses what the abi does not have', () => {
    // @ts-expect-error no such function
    contract({ abi: ['function f()'], functions: { f() {}, g() {} } })
    // @ts-expect-error no such function
    contract({ abi: ['function f()'], functions: { f() {} }, modifiers: { g: [] } })
    // @ts-expect-error no such member
    contract({ abi: ['function f()'], functions: { f() {} }, function: {} })
    contract({
      abi: ['function f(uint256 n) returns (uint256)', 'event Done(uint256 n)', 'error No()'],
      state: { total: value('uint256'), names: mapping('string', 'bool') },
      functions: {
        f({ state, emit, revert, ...rest }, n) {
          // @ts-expect-error no such event
          emit.Dome(n)
          // @ts-expect-error a number is not a bigint
          emit.Done(1)
          // @ts-expect-error an argument is missing
          emit.Done()
          // @ts-expect-error no such error
          revert.Yes()
          // @ts-expect-error no such field
          state.totals.get()
          // @ts-expect-error a string is not a uint256
          state.total.set('1')
          // @ts-expect-error a key is a string
          state.names.get(n)
          // @ts-expect-error not payable
          void rest.value
          return n
        },
      },
    })
    // @ts-expect-error the result is not a uint256
    contract({ abi: ['function f() returns (uint256)'], functions: { f: () => 'one' } })
    // @ts-expect-error uint is not canonical
    value('uint')
    // @ts-expect-error no such type
    mapping('adress', 'uint256')
    // @ts-expect-error a list is not a key
    mapping('uint256[]', 'uint256')
  })

  it('lets view functions read only', () => {
    contract({
      abi: ['function f(address who) view returns (uint256)', 'event Seen(address who)'],
      state: { total: value('uint256'), balances: mapping('address', mapping('address', 'uint256')) },
      functions: {
        f(context, who) {
          expectTypeOf(context).not.toHaveProperty('emit')
          // @ts-expect-error a view function cannot write
          context.state.total.set(1n)
          // @ts-expect-error a view function cannot write
          context.state.balances.at(who).set(who, 1n)
          return context.state.balances.at(who).get(who) + context.state.total.get()
        },
      },
    })
  })

  it('knows structs, arrays, and signatures of overloads', () => {
    contract({
      abi: [
        'struct Point { uint256 x; int8[] y; }',
        'function f(Point point, address[2] who)',
        'function g(uint256 n)',
        'function g(string text)',
        'event E(Point point)',
      ],
      state: { points: mapping('uint256', { x: 'uint256', inner: { y: 'int8[]' } }), list: value('address[]') },
      functions: {
        f({ state, emit }, point, who) {
          expectTypeOf(point.x).toEqualTypeOf<bigint>()
          expectTypeOf(point.y).toEqualTypeOf<readonly bigint[]>()
          expectTypeOf(who).toEqualTypeOf<readonly Address[]>()
          expectTypeOf(state.points.get(1n)).toEqualTypeOf<
            { readonly x: bigint; readonly inner: { readonly y: readonly bigint[] } } | undefined
          >()
          state.points.set(1n, { x: 1n, inner: { y: [1n] } })
          state.list.set(who)
          emit.E(point)
        },
        'g(uint256)': (_context, n) => expectTypeOf(n).toEqualTypeOf<bigint>(),
        'g(string)': (_context, text) => expectTypeOf(text).toEqualTypeOf<string>(),
      },
    })
  })

  it('takes json', () => {
    contract({
      abi: [
        {
          type: 'function',
          name: 'f',
          stateMutability: 'view',
          inputs: [{ name: 'a', type: 'bytes4' }],
          outputs: [{ name: '', type: 'bool' }],
        },
      ],
      functions: {
        f: (_context, a) => {
          expectTypeOf(a).toEqualTypeOf<Uint8Array>()
          return true
        },
      },
    })
  })
})

describe('parts', () => {
  it('add their abi, state and functions', () => {
    const counter = contract({
      uses: [ownable],
      abi: ['function add(uint256 n) returns (uint256)', 'event Added(uint256 n)'],
      state: { total: value('uint256') },
      modifiers: {
        add: [
          onlyOwner,
          ({ state, revert, sender }, n) => {
            expectTypeOf(n).toEqualTypeOf<bigint>()
            if (state.total.get() > n) throw revert.NotOwner(sender)
          },
        ],
      },
      functions: {
        add({ state, emit, sender }, n) {
          expectTypeOf(n).toEqualTypeOf<bigint>()
          emit.Added(n)
          emit.OwnerChanged(sender)
          return state.total.update((total) => total + n)
        },
        owner: ({ state }) => state.owner.get(),
      },
    })
    expectTypeOf<ContextOf<typeof counter>['state']['owner']['get']>().toEqualTypeOf<() => Address>()
    expectTypeOf<keyof ContextOf<typeof counter>['state']>().toEqualTypeOf<'owner' | 'total'>()
  })

  it('give contexts that only fit where their names are known', () => {
    part({
      abi: ['function f()'],
      functions: {
        f(context) {
          // @ts-expect-error the part has no owner
          onlyOwner(context)
        },
      },
    })
  })

  it('keeps addresses apart from texts', () => {
    const who = address('0x')
    // @ts-expect-error a literal may have another case
    void (who === '0xab')
    expectTypeOf(who).toExtend<`0x${string}`>()
  })
})
