import { bytesToHex } from '@quoin/protocol'
import { type Abi, encodeFunctionData, type Hex, parseAbi } from 'viem'
import { containerOf } from '../../../../test/contracts/contract.mjs'
import type { Artifact } from '../../src/testing/index.ts'
import type { Call } from './stage.ts'

const abi = parseAbi([
  'function set(uint256 number) payable',
  'function number() view returns (uint256)',
  'function caller() view returns (address)',
  'function fail(uint256 size)',
  'function failSilently()',
  'function endless()',
  'function callBack(address to, bytes data)',
  'error Failed(bytes data)',
])

/** What proposals call: it works, fails in several ways, does not end, or calls back. */
export const target: Artifact = {
  name: 'target',
  abi,
  bytecode: bytesToHex(
    containerOf(
      `export default {
  functions: {
    set(number) {
      quoin.store('uint256', 'number', number)
      quoin.store('address', 'caller', quoin.sender)
    },
    number: () => quoin.load('uint256', 'number'),
    caller: () => quoin.load('address', 'caller'),
    fail(size) {
      const error = new Error('failed')
      error.data = new Uint8Array(Number(size)).fill(7)
      throw error
    },
    failSilently() {
      const error = new Error()
      error.data = new Uint8Array(0)
      throw error
    },
    endless() { for (;;); },
    callBack(to, data) { quoin.callRaw(to, data) },
  },
}`,
      abi,
    ),
  ),
}

export const targetCall = (at: Hex, functionName: string, args: readonly unknown[] = [], value = 0n): Call => ({
  target: at,
  value,
  data: encodeFunctionData({ abi: abi as Abi, functionName, args } as never),
})
