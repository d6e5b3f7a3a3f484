import { encodeFunctionData, parseAbi } from 'viem'
import { creationOf, hexToBytes } from './abuse-chain.mjs'

/**
 * A way to spend a block.
 *
 * @typedef {object} Kind
 * @property {string} name
 * @property {(chain: import('./abuse-chain.mjs').AbuseChain) => Promise<(n: number) => { to?: string, data?: Uint8Array, value?: bigint, accessList?: unknown[] }>} prepare
 *   deploys what is needed; returns a function that makes the transaction with a number; all transactions differ
 * @property {boolean} [cold] whether each block runs on a new execution worker with empty caches
 */

export const KIB = 1024
export const RUN = parseAbi(['function run(uint256 n) payable'])
export const bytesOf = (functionName, args, abi = RUN) => hexToBytes(encodeFunctionData({ abi, functionName, args }))
export const runData = (n) => bytesOf('run', [BigInt(n)])
/** Padding in a comment. Zero bytes are the cheapest bytes of a transaction. */
export const padding = (bytes) => `/*${'\0'.repeat(bytes)}*/`

/** Events and errors that the contracts use. */
export const NAMES = parseAbi([
  'event Four(address indexed a, uint256 indexed b, bytes32 indexed c, uint256 d)',
  'event Hashed(string indexed a, bytes indexed b, uint256[] indexed c)',
  'event Data(bytes data)',
  'event Plain()',
  'error Broken(uint256 a, uint256 b)',
])

export const contract = (body, before = '') => `${before}\nexport default { functions: { run(n) { ${body} } } }`
export const deploy = async (chain, source, abi = [...RUN, ...NAMES], rest = {}) =>
  (await chain.deployAll([creationOf(source, abi, rest)]))[0]

/** Transactions that call `run` of one contract, each with a different number. */
export const script = (name, source, { value, cold } = {}) => ({
  name,
  cold,
  prepare: async (chain) => {
    const to = await deploy(chain, source)
    return (n) => ({ to, data: runData(n), value })
  },
})

/** Repeats the body until it runs out of gas. All writes are reverted. */
export const untilOut = (name, body, { prepare = '', before = '', ...rest } = {}) =>
  script(name, contract(`${prepare}; for (let i = 0; ; i++) { ${body} }`, before), rest)

/** Repeats the body until just enough gas is left to end the call. The writes remain. */
export const untilLow = (name, body, { prepare = '', before = '', reserve = 30_000, turns = 1, ...rest } = {}) =>
  script(
    name,
    contract(
      `${prepare}; let i = 0; while (quoin.gasLeft > ${reserve}n) for (let k = 0; k < ${turns}; k++) { ${body}; i++ }`,
      before,
    ),
    rest,
  )
