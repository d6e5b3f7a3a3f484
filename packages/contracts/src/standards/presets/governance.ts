import { contract } from '../../kit/index.ts'
import { governance, initGovernance } from '../governance.ts'
import { CHAIN } from '../governance-calls.ts'

/**
 * The governor of a chain. The chain contract is its upgrade authority, wherever it is deployed: its own proposals approve new code, which
 * anybody applies then.
 */
export default contract({
  uses: [governance],
  abi: [
    'constructor(uint16 quorum, uint16 threshold, uint16 emergencyThreshold, uint64 votingTime, uint64 timeLock, uint64 executionTime)',
    'event Received(address indexed sender, uint256 value)',
    'receive() external payable',
  ],
  // Contracts that it calls may pay it.
  reentrant: ['receive'],
  upgradeAuthority: CHAIN,
  constructor: initGovernance,
  receive: ({ sender, value, emit }) => emit.Received(sender, value),
})
