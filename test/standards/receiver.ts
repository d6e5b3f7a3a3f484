import { parseAbi } from 'viem'

/** Behaviours of `contracts/receiver.ts`. */
export const ACCEPT = 0n
export const ANSWER_OTHERWISE = 1n
export const REFUSE_WITH_ERROR = 2n
export const REFUSE_WITHOUT_REASON = 3n
export const CALL = 4n
export const LOOK = 5n

export const receiverAbi = parseAbi([
  'function behave(uint256 mode, address to, bytes data)',
  'function last() view returns (address sender, bytes received)',
  'function seen() view returns (bytes)',
])
