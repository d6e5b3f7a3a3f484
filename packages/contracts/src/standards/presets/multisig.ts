import { contract } from '../../kit/index.ts'
import { initMultisig, multisig } from '../multisig.ts'
import { tokenHolder } from '../token-holder.ts'

/** A wallet with several owners. It accepts the native currency and tokens. */
export default contract({
  uses: [multisig, tokenHolder],
  abi: [
    'constructor(address[] owners, uint256 threshold)',
    'event Received(address indexed sender, uint256 value)',
    'receive() external payable',
  ],
  // Contracts that the multisig calls may pay it.
  reentrant: ['receive'],
  constructor: initMultisig,
  receive: ({ sender, value, emit }) => emit.Received(sender, value),
})
