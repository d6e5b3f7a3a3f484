import { contract } from '../../kit/index.ts'
import { burn, erc20, initErc20, mint, spendAllowance } from '../erc20.ts'
import { erc20Permit } from '../erc20-permit.ts'
import { initOwnable, onlyOwner, ownable } from '../ownable.ts'
import { pausable, pause, unpause, whenNotPaused } from '../pausable.ts'

/** ERC-20 with permit. The owner can mint tokens and pause all functions that move them. Holders can burn their own tokens. */
export default contract({
  uses: [erc20, erc20Permit, ownable, pausable],
  abi: [
    'constructor(string name, string symbol, address owner, uint256 supply)',
    'function mint(address to, uint256 value)',
    'function burn(uint256 value)',
    'function burnFrom(address account, uint256 value)',
    'function pause()',
    'function unpause()',
  ],
  constructor(context, name, symbol, owner, supply) {
    initErc20(context, name, symbol)
    initOwnable(context, owner)
    if (supply > 0n) mint(context, owner, supply)
  },
  modifiers: {
    transfer: [whenNotPaused],
    transferFrom: [whenNotPaused],
    mint: [onlyOwner, whenNotPaused],
    burn: [whenNotPaused],
    burnFrom: [whenNotPaused],
    pause: [onlyOwner],
    unpause: [onlyOwner],
  },
  functions: {
    mint,
    burn: (context, amount) => burn(context, context.sender, amount),
    burnFrom(context, account, amount) {
      spendAllowance(context, account, context.sender, amount)
      burn(context, account, amount)
    },
    pause,
    unpause,
  },
})
