import { contract } from '@quoin/contracts'
import { erc20, initErc20, mint } from '@quoin/contracts/erc20'
import { initOwnable, onlyOwner, ownable } from '@quoin/contracts/ownable'

/** The token that invoices are paid in: an ERC-20 with cents, whose owner (a bank) mints it. */
export default contract({
  uses: [erc20, ownable],
  abi: ['constructor(string name, string symbol, address owner)', 'function mint(address to, uint256 value)'],
  constructor(context, name, symbol, owner) {
    initErc20(context, name, symbol)
    initOwnable(context, owner)
  },
  modifiers: { mint: [onlyOwner] },
  functions: { decimals: () => 2n, mint },
})
