// An ERC-20 token with the errors of ERC-6093, written for the chain by hand.
const ZERO = '0x0000000000000000000000000000000000000000'
/** An allowance that transfers do not use up. */
const UNLIMITED = 2n ** 256n - 1n

const balanceKey = (account) => `balance:${account}`
const allowanceKey = (owner, spender) => `allowance:${owner}:${spender}`

function move(from, to, value) {
  if (from === ZERO) quoin.revert('ERC20InvalidSender', from)
  if (to === ZERO) quoin.revert('ERC20InvalidReceiver', to)
  const fromKey = balanceKey(from)
  const balance = quoin.load('uint256', fromKey)
  if (balance < value) quoin.revert('ERC20InsufficientBalance', from, balance, value)
  quoin.store('uint256', fromKey, balance - value)
  const toKey = balanceKey(to)
  quoin.store('uint256', toKey, quoin.load('uint256', toKey) + value)
  quoin.emit('Transfer', from, to, value)
}

function mint(to, value) {
  if (to === ZERO) quoin.revert('ERC20InvalidReceiver', to)
  quoin.store('uint256', 'totalSupply', value)
  quoin.store('uint256', balanceKey(to), value)
  quoin.emit('Transfer', ZERO, to, value)
}

function spendAllowance(owner, spender, value) {
  const key = allowanceKey(owner, spender)
  const allowance = quoin.load('uint256', key)
  if (allowance === UNLIMITED) return
  if (allowance < value) quoin.revert('ERC20InsufficientAllowance', spender, allowance, value)
  quoin.store('uint256', key, allowance - value)
}

export default {
  constructor(name, symbol, holder, supply) {
    quoin.store('string', 'name', name)
    quoin.store('string', 'symbol', symbol)
    mint(holder, supply)
  },
  functions: {
    name: () => quoin.load('string', 'name'),
    symbol: () => quoin.load('string', 'symbol'),
    decimals: () => 18n,
    totalSupply: () => quoin.load('uint256', 'totalSupply'),
    balanceOf: (account) => quoin.load('uint256', balanceKey(account)),
    allowance: (owner, spender) => quoin.load('uint256', allowanceKey(owner, spender)),
    transfer(to, value) {
      move(quoin.sender, to, value)
      return true
    },
    approve(spender, value) {
      const owner = quoin.sender
      if (spender === ZERO) quoin.revert('ERC20InvalidSpender', spender)
      quoin.store('uint256', allowanceKey(owner, spender), value)
      quoin.emit('Approval', owner, spender, value)
      return true
    },
    transferFrom(from, to, value) {
      spendAllowance(from, quoin.sender, value)
      move(from, to, value)
      return true
    },
  },
}
