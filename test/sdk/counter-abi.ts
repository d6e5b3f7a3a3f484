import { parseAbi } from 'viem'

/** Of the counter; pages use it too. */
export const abi = parseAbi([
  'function count(uint256 events)',
  'function total() view returns (uint256)',
  'function above(uint256 number) view returns (uint256)',
  'event Counted(uint256 indexed number)',
  'error TooFew(uint256 total)',
])
