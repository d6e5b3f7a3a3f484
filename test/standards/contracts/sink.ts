import { contract } from '@quoin/contracts'

/** Accepts every call and returns nothing. */
export default contract({ abi: ['fallback() external payable', 'receive() external payable'], fallback() {}, receive() {} })
