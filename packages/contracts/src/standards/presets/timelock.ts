import { contract } from '../../kit/index.ts'
import { ACCESS_CONTROL_INTERFACES } from '../access-control.ts'
import { supportsInterfaces } from '../erc165.ts'
import { initTimelock, timelock } from '../timelock.ts'
import { ERC1155_HOLDER_INTERFACES, tokenHolder } from '../token-holder.ts'

/** OpenZeppelin's TimelockController, with the same constructor and functions. It accepts the native currency and tokens. */
export default contract({
  uses: [timelock, tokenHolder],
  abi: ['constructor(uint256 minDelay, address[] proposers, address[] executors, address admin)', 'receive() external payable'],
  // Contracts that the time lock calls may pay it.
  reentrant: ['receive'],
  constructor: initTimelock,
  functions: { supportsInterface: supportsInterfaces(ACCESS_CONTROL_INTERFACES, ERC1155_HOLDER_INTERFACES) },
  receive() {},
})
