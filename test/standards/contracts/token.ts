import { contract } from '@quoin/contracts'
import { approve, burn, erc20, initErc20, mint, transfer } from '@quoin/contracts/erc20'
import { erc20Permit } from '@quoin/contracts/erc20-permit'

/** A token that anyone may mint and burn, with the functions that contracts use internally. */
export default contract({
  uses: [erc20, erc20Permit],
  abi: [
    'constructor(string name, string symbol)',
    'function mint(address to, uint256 value)',
    'function burn(address from, uint256 value)',
    'function transferAnyway(address from, address to, uint256 value)',
    'function approveAnyway(address owner, address spender, uint256 value)',
  ],
  constructor: initErc20,
  functions: { mint, burn, transferAnyway: transfer, approveAnyway: approve },
})
