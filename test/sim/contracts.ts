import { type Address, concatBytes, hexToBytes, utf8ToBytes } from '@quoin/protocol'
import { bytesToHex, encodeAbiParameters, type Hex, parseAbi, parseAbiParameters } from 'viem'
import { containerOf } from '../contracts/contract.mjs'
import { simCrypto } from './crypto.ts'

const LEDGER_ABI = parseAbi([
  'function add(uint256 n) returns (uint256)',
  'function pass(address to, uint256 n) returns (uint256)',
  'function fail(uint256 how)',
  'event Added(address indexed who, uint256 total)',
])

/** Contracts that differ in code and size. */
const LEDGERS = 3

const ledgerSource = (variant: number): string => `
const table = new Map(); for (let i = 0; i < ${100 * variant}; i++) table.set('k' + i, BigInt(i) ** 9n)
let calls = 0n
function add(n) {
  const total = quoin.load('uint256', 'total') + n + ++calls + table.get('k${variant}')
  quoin.store('uint256', 'total', total)
  quoin.store('string', 'by ' + quoin.sender, String(total))
  quoin.emit('Added', quoin.sender, total)
  return total
}
export default {
  constructor() { quoin.store('uint256', 'total', ${variant}n) },
  migrate(data) { add(BigInt(data.length)) },
  functions: {
    add: async (n) => add(await n),
    pass(to, n) {
      add(n)
      try { return quoin.call(to, 'add(uint256)(uint256)', [n], { gas: 500000n }) }
      catch (error) { quoin.store('string', 'error', error.message); return 0n }
    },
    fail(how) {
      add(how)
      if (how === 0n) for (;;) table.set({}, [])
      if (how === 1n) table.set('large', new Uint8Array(2 ** 28))
      throw new RangeError('how ' + how)
    },
  },
}`

/** Containers whose authority is the deployer. */
export const ledgers: readonly Uint8Array[] = Array.from({ length: LEDGERS }, (_, i) =>
  containerOf(ledgerSource(i + 1), LEDGER_ABI, { upgradeAuthority: { kind: 'deployer' } }),
)

/** Calldata of a function; its selector uses the simulator's hash. */
function calldata(name: string, types: string, values: readonly unknown[]): Uint8Array {
  const selector = simCrypto.keccak256(utf8ToBytes(`${name}(${types})`)).subarray(0, 4)
  return concatBytes(selector, hexToBytes(encodeAbiParameters(parseAbiParameters(types), values as never) as Hex))
}

export const addCall = (n: number): Uint8Array => calldata('add', 'uint256', [BigInt(n)])
export const passCall = (to: Address, n: number): Uint8Array => calldata('pass', 'address,uint256', [to, BigInt(n)])
export const failCall = (how: number): Uint8Array => calldata('fail', 'uint256', [BigInt(how)])

/** Call to the native contract with which the authority of `target` replaces its code. */
export const upgradeCall = (target: Address, container: Uint8Array): Uint8Array =>
  calldata('upgrade', 'address,bytes,bytes', [target, bytesToHex(container), '0x0102'])
