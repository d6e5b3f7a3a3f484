/** A token, as an author writes it. */
export const TOKEN = `import { contract, mapping, value } from '@quoin/contracts'

export default contract({
  abi: [
    'constructor(string name, uint256 supply)',
    'function transfer(address to, uint256 amount) returns (bool)',
    'function balanceOf(address owner) view returns (uint256)',
    'event Transfer(address indexed from, address indexed to, uint256 value)',
    'error InsufficientBalance(uint256 have, uint256 need)',
  ],
  state: { name: value('string'), supply: value('uint256'), balances: mapping('address', 'uint256') },
  constructor({ state, sender }, name, supply) {
    state.name.set(name)
    state.supply.set(supply)
    state.balances.set(sender, supply)
  },
  functions: {
    transfer({ state, sender, emit, revert }, to, amount) {
      const have = state.balances.get(sender)
      if (have < amount) revert.InsufficientBalance(have, amount)
      state.balances.set(sender, have - amount)
      state.balances.set(to, state.balances.get(to) + amount)
      emit.Transfer(sender, to, amount)
      return true
    },
    balanceOf({ state }, owner) {
      return state.balances.get(owner)
    },
  },
})
`

/** A contract with one function that returns an expression. \`head\` is inserted before it, from line 2. */
export const ANSWER = (expression: string, head = ''): string => `import { contract } from '@quoin/contracts'
${head}
export default contract({
  abi: ['function answer() view returns (uint256)'],
  functions: {
    answer: () => ${expression},
  },
})
`
