import { type Address, type ContextOf, mapping, part, value, ZERO_ADDRESS } from '../kit/index.ts'
import { sumOf, UINT256_MAX } from './integers.ts'

const ledger = part({
  abi: [
    'event Transfer(address indexed from, address indexed to, uint256 value)',
    'event Approval(address indexed owner, address indexed spender, uint256 value)',
    'error ERC20InsufficientBalance(address sender, uint256 balance, uint256 needed)',
    'error ERC20InvalidSender(address sender)',
    'error ERC20InvalidReceiver(address receiver)',
    'error ERC20InsufficientAllowance(address spender, uint256 allowance, uint256 needed)',
    'error ERC20InvalidApprover(address approver)',
    'error ERC20InvalidSpender(address spender)',
  ],
  state: {
    name: value('string'),
    symbol: value('string'),
    totalSupply: value('uint256'),
    balances: mapping('address', 'uint256'),
    allowances: mapping('address', mapping('address', 'uint256')),
  },
})

type Context = ContextOf<typeof ledger>

/** For the constructor. Sets name and symbol of the token. */
export function initErc20({ state }: Context, name: string, symbol: string): void {
  state.name.set(name)
  state.symbol.set(symbol)
}

/**
 * Moves tokens without any check of the caller or receiver. With the zero address as `from` it mints, as `to` it burns.
 *
 * @throws RangeError when the total supply would exceed uint256
 */
export function update({ state, emit, revert }: Context, from: Address, to: Address, amount: bigint): void {
  if (from === ZERO_ADDRESS) state.totalSupply.set(sumOf(state.totalSupply.get(), amount, 'the total supply'))
  else {
    const balance = state.balances.get(from)
    if (balance < amount) throw revert.ERC20InsufficientBalance(from, balance, amount)
    state.balances.set(from, balance - amount)
  }
  if (to === ZERO_ADDRESS) state.totalSupply.set(state.totalSupply.get() - amount)
  // Cannot exceed uint256, because the sum of all balances is the total supply.
  else state.balances.set(to, state.balances.get(to) + amount)
  emit.Transfer(from, to, amount)
}

/** Moves tokens between accounts, without checking the caller or an allowance. */
export function transfer(context: Context, from: Address, to: Address, amount: bigint): void {
  if (from === ZERO_ADDRESS) throw context.revert.ERC20InvalidSender(from)
  if (to === ZERO_ADDRESS) throw context.revert.ERC20InvalidReceiver(to)
  update(context, from, to, amount)
}

/** Mints tokens without checking the caller. */
export function mint(context: Context, to: Address, amount: bigint): void {
  if (to === ZERO_ADDRESS) throw context.revert.ERC20InvalidReceiver(to)
  update(context, ZERO_ADDRESS, to, amount)
}

/** Burns tokens of an account without checking the caller. */
export function burn(context: Context, from: Address, amount: bigint): void {
  if (from === ZERO_ADDRESS) throw context.revert.ERC20InvalidSender(from)
  update(context, from, ZERO_ADDRESS, amount)
}

/** Sets a spender's allowance of an owner's tokens. 2^256 - 1 means unlimited: transfers do not reduce it. */
export function approve({ state, emit, revert }: Context, owner: Address, spender: Address, amount: bigint): void {
  if (owner === ZERO_ADDRESS) throw revert.ERC20InvalidApprover(owner)
  if (spender === ZERO_ADDRESS) throw revert.ERC20InvalidSpender(spender)
  state.allowances.at(owner).set(spender, amount)
  emit.Approval(owner, spender, amount)
}

/** Reduces an allowance, without an event, as in OpenZeppelin 5. */
export function spendAllowance({ state, revert }: Context, owner: Address, spender: Address, amount: bigint): void {
  const allowances = state.allowances.at(owner)
  const allowance = allowances.get(spender)
  if (allowance === UINT256_MAX) return
  if (allowance < amount) throw revert.ERC20InsufficientAllowance(spender, allowance, amount)
  allowances.set(spender, allowance - amount)
}

/** A token (ERC-20) with its metadata, and the errors of ERC-6093. `decimals` returns 18 unless the contract overrides it. */
export const erc20 = part({
  uses: [ledger],
  abi: [
    'function name() view returns (string)',
    'function symbol() view returns (string)',
    'function decimals() view returns (uint8)',
    'function totalSupply() view returns (uint256)',
    'function balanceOf(address account) view returns (uint256)',
    'function allowance(address owner, address spender) view returns (uint256)',
    'function transfer(address to, uint256 value) returns (bool)',
    'function approve(address spender, uint256 value) returns (bool)',
    'function transferFrom(address from, address to, uint256 value) returns (bool)',
  ],
  functions: {
    name: ({ state }) => state.name.get(),
    symbol: ({ state }) => state.symbol.get(),
    decimals: () => 18n,
    totalSupply: ({ state }) => state.totalSupply.get(),
    balanceOf: ({ state }, account) => state.balances.get(account),
    allowance: ({ state }, owner, spender) => state.allowances.at(owner).get(spender),
    transfer(context, to, amount) {
      transfer(context, context.sender, to, amount)
      return true
    },
    approve(context, spender, amount) {
      approve(context, context.sender, spender, amount)
      return true
    },
    transferFrom(context, from, to, amount) {
      spendAllowance(context, from, context.sender, amount)
      transfer(context, from, to, amount)
      return true
    },
  },
})
