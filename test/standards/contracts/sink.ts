import { contract } from '@quoin/contracts'

/** Takes every call and answers nothing. */
export default contract({ abi: ['fallback() external payable', 'receive() external payable'], fallback() {}, receive() {} })
