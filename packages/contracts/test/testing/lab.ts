import { bytesToHex } from '@quoin/protocol'
import { parseAbi } from 'viem'
import { containerOf } from '../../../../test/contracts/contract.mjs'
import type { Artifact } from '../../src/testing/artifact.ts'

const abi = parseAbi([
  'constructor(uint256 start) payable',
  'receive() external payable',
  'function count() view returns (uint256)',
  'function add(uint256 amount) returns (uint256)',
  'function add(uint256 amount, uint256 times) returns (uint256)',
  'function pay(address to, uint256 amount)',
  'function deposit() payable',
  'function now() view returns (uint256 number, uint256 timestamp)',
  'function fail(string reason)',
  'function failWith(uint256 a, (address who, string[] words) b)',
  'function burn()',
  'function relay(address to)',
  'function crash()',
  'event Added(uint256 amount, uint256 total)',
  'event Paid(address indexed to, uint256 indexed amount)',
  'error Odd(uint256 a, (address who, string[] words) b)',
])

const source = `
const add = (amount, times = 1n) => {
  const total = quoin.load('uint256', 'count') + amount * times
  quoin.store('uint256', 'count', total)
  quoin.emit('Added', amount * times, total)
  return total
}
export default {
  constructor(start) {
    if (start === 13n) throw new Error('unlucky')
    quoin.store('uint256', 'count', start)
  },
  receive() {},
  functions: {
    count: () => quoin.load('uint256', 'count'),
    'add(uint256)': add,
    'add(uint256,uint256)': add,
    pay(to, amount) {
      quoin.transfer(to, amount)
      quoin.emit('Paid', to, amount)
    },
    deposit() {},
    now: () => [quoin.block.number, quoin.block.timestamp],
    fail(reason) { throw new Error(reason) },
    failWith(a, b) { quoin.revert('Odd', a, b) },
    burn() { for (;;); },
    relay(to) { quoin.call(to, 'failWith(uint256,(address,string[]))', [1n, [quoin.self, ['inner']]]) },
    crash() { undefined.x },
  },
}
`

/** A contract for many cases: storage, events, value, errors, endless loops. */
export const lab = {
  name: 'lab',
  abi,
  bytecode: bytesToHex(containerOf(source, abi, { upgradeAuthority: { kind: 'deployer' } })),
} satisfies Artifact

const nextAbi = parseAbi(['function count() view returns (uint256)', 'function version() pure returns (uint256)'])

/** The code that a lab is upgraded to. */
export const nextLab = {
  name: 'next lab',
  abi: nextAbi,
  bytecode: bytesToHex(
    containerOf(
      `export default {
        migrate(data) {
          if (data.length === 1) throw new Error('not like this')
          quoin.store('uint256', 'count', 1000n)
        },
        functions: { count: () => quoin.load('uint256', 'count'), version: () => 2n },
      }`,
      nextAbi,
      { upgradeAuthority: { kind: 'deployer' } },
    ),
  ),
} satisfies Artifact

const passerAbi = parseAbi(['function relay(address to)', 'function swallow(address to) returns (string)'])

/** Calls labs. Its ABI has none of their errors. */
export const passer = {
  name: 'passer',
  abi: passerAbi,
  bytecode: bytesToHex(
    containerOf(
      `export default { functions: {
        relay(to) { quoin.call(to, 'relay(address)', [to]) },
        swallow(to) { try { quoin.call(to, 'fail(string)', ['inner']) } catch (error) { throw new Error('outer') } },
      } }`,
      passerAbi,
    ),
  ),
} satisfies Artifact
