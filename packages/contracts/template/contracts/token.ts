import { type Address, type ContextOf, contract, mapping, part, value, ZERO_ADDRESS } from '@quoin/contracts'

/** ABI and state that the functions below share. `ContextOf` gives plain functions the types of a part. */
const ledger = part({
  abi: [
    'event Transfer(address indexed from, address indexed to, uint256 value)',
    'error InsufficientBalance(address owner, uint256 have, uint256 need)',
    'error InvalidReceiver(address receiver)',
  ],
  state: { balances: mapping('address', 'uint256') },
})

function move({ state, emit, revert }: ContextOf<typeof ledger>, from: Address, to: Address, amount: bigint): void {
  if (to === ZERO_ADDRESS) throw revert.InvalidReceiver(to)
  const have = state.balances.get(from)
  if (have < amount) throw revert.InsufficientBalance(from, have, amount)
  state.balances.set(from, have - amount)
  state.balances.update(to, (balance) => balance + amount)
  emit.Transfer(from, to, amount)
}

export default contract({
  uses: [ledger],
  abi: [
    'constructor(string name, string symbol, uint256 supply)',
    'function name() view returns (string)',
    'function symbol() view returns (string)',
    'function decimals() pure returns (uint8)',
    'function totalSupply() view returns (uint256)',
    'function balanceOf(address owner) view returns (uint256)',
    'function allowance(address owner, address spender) view returns (uint256)',
    'function transfer(address to, uint256 value) returns (bool)',
    'function approve(address spender, uint256 value) returns (bool)',
    'function transferFrom(address from, address to, uint256 value) returns (bool)',
    'event Approval(address indexed owner, address indexed spender, uint256 value)',
    'error InsufficientAllowance(address spender, uint256 have, uint256 need)',
  ],
  state: {
    name: value('string'),
    symbol: value('string'),
    totalSupply: value('uint256'),
    allowances: mapping('address', mapping('address', 'uint256')),
  },
  constructor({ state, sender, emit }, name, symbol, supply) {
    state.name.set(name)
    state.symbol.set(symbol)
    state.totalSupply.set(supply)
    state.balances.set(sender, supply)
    emit.Transfer(ZERO_ADDRESS, sender, supply)
  },
  functions: {
    name: ({ state }) => state.name.get(),
    symbol: ({ state }) => state.symbol.get(),
    decimals: () => 18n,
    totalSupply: ({ state }) => state.totalSupply.get(),
    balanceOf: ({ state }, owner) => state.balances.get(owner),
    allowance: ({ state }, owner, spender) => state.allowances.at(owner).get(spender),
    transfer(context, to, amount) {
      move(context, context.sender, to, amount)
      return true
    },
    approve({ state, sender, emit }, spender, amount) {
      state.allowances.at(sender).set(spender, amount)
      emit.Approval(sender, spender, amount)
      return true
    },
    transferFrom(context, from, to, amount) {
      const { state, sender, revert } = context
      const allowances = state.allowances.at(from)
      const have = allowances.get(sender)
      if (have < amount) throw revert.InsufficientAllowance(sender, have, amount)
      allowances.set(sender, have - amount)
      move(context, from, to, amount)
      return true
    },
  },
})
