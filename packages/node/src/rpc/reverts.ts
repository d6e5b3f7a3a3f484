import type { CallResult } from '@quoin/execution'
import { bytesToHex } from '@quoin/protocol'

/** Selector of Solidity's `Error(string)`, the only error whose text is shown in the message. */
const ERROR_SELECTOR = '0x08c379a0'

/** The message of a revert, with its reason if it is a text. viem, ethers and Ponder rely on the words `execution reverted`. */
export function revertMessage({ data, reason }: Extract<CallResult, { kind: 'reverted' }>): string {
  const isText = bytesToHex(data.subarray(0, 4)) === ERROR_SELECTOR
  return isText && reason !== '' ? `execution reverted: ${reason}` : 'execution reverted'
}
