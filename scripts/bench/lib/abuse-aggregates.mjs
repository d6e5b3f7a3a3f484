import { encodeFunctionData } from 'viem'
import { MULTICALL_ABI, MULTICALL_ADDRESS } from '../../../packages/execution/dist/contract/native/multicall.js'
import { hexToBytes } from './abuse-chain.mjs'

/** @typedef {import('./abuse-script.mjs').Kind} Kind */

/** Calls that one transaction can pay for with the default gas limit. */
const CALLS = 800

const fresh = (/** @type {number} */ n, /** @type {number} */ i) =>
  `0x${((1n << 158n) + BigInt(n) * 1_000_000n + BigInt(i)).toString(16).padStart(40, '0')}`

/**
 * @param {string} name
 * @param {(n: number, i: number) => object} call
 * @param {{ count?: number, value?: bigint }} [rest]
 * @returns {Kind}
 */
const aggregate = (name, call, { count = CALLS, value = 0n } = {}) => ({
  name: `aggregate: ${name}`,
  prepare: async () => (n) => {
    const calls = Array.from({ length: count }, (_, i) => ({ allowFailure: true, value: 0n, callData: '0x', ...call(n, i) }))
    const data = encodeFunctionData({ abi: MULTICALL_ABI, functionName: 'aggregate3Value', args: [calls] })
    return { to: MULTICALL_ADDRESS, data: hexToBytes(data), value }
  },
})

const balance = encodeFunctionData({ abi: MULTICALL_ABI, functionName: 'getEthBalance', args: [fresh(0, 0)] })

/** Calls of Multicall3 in which most of the work is Multicall3's own. @type {readonly Kind[]} */
export const aggregates = [
  aggregate('calls of new accounts', (n, i) => ({ target: fresh(n, i) })),
  aggregate('calls of one account', () => ({ target: fresh(0, 0) })),
  aggregate('value to new accounts', (n, i) => ({ target: fresh(n, i), value: 1n }), { count: 600, value: 600n }),
  aggregate('value that is not there', (n, i) => ({ target: fresh(n, i), value: 1n << 200n }), { count: 600 }),
  aggregate('balances', () => ({ target: MULTICALL_ADDRESS, callData: balance }), { count: 250 }),
]
