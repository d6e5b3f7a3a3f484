import {
  type Address,
  createWalletClient,
  encodeErrorResult,
  encodeFunctionData,
  getContractAddress,
  type Hex,
  http,
  pad,
  parseAbi,
  toHex,
  zeroAddress,
} from 'viem'
import { foundry } from 'viem/chains'
import { expect, it } from 'vitest'
import { containerOf } from '../../../../test/contracts/contract.mjs'
import { type TestNode, testAccounts } from '../../test/chain.ts'
import type { TestRpc } from '../../test/rpc.ts'
import { serveEach } from '../../test/serve-each.ts'

const [alice, bob] = testAccounts as [(typeof testAccounts)[0], (typeof testAccounts)[0]]
const ALICE = alice.address.toLowerCase() as Address
const BOB = bob.address.toLowerCase() as Address
const SPLITTER = getContractAddress({ from: alice.address, nonce: 0n }).toLowerCase() as Address

const ABI = parseAbi([
  'error Refused(uint256 n)',
  'function split(address to) payable',
  'function give(address to) payable',
  'function giveAndFail(address to) payable',
  'function make(bytes container)',
  'function refuse()',
  'function total() view returns (uint256)',
])
/** Pays half to an account, and the other half through itself in a call that fails. */
const SOURCE = `export default { functions: {
  split(to) {
    const half = quoin.value / 2n
    quoin.transfer(to, half)
    try { quoin.call(quoin.self, 'giveAndFail(address)', [to], { value: half }) } catch {}
    quoin.staticCall(quoin.self, 'total()(uint256)', [])
  },
  give(to) { quoin.transfer(to, quoin.value) },
  giveAndFail(to) { quoin.transfer(to, quoin.value); throw new Error('no') },
  make(container) { quoin.create(container) },
  refuse() { quoin.revert('Refused', 7n) },
  total: () => 1n,
} }`
const giving = encodeFunctionData({ abi: ABI, functionName: 'giveAndFail', args: [zeroAddress] })
/** The contract may call its own function that gives and fails. */
const CONTAINER = containerOf(SOURCE, ABI, { reentrantSelectors: [Number(giving.slice(0, 10))] })

let node: TestNode
let rpc: TestRpc
const CHILD = toHex(containerOf('export default {}', []))

serveEach(async (opened, served) => {
  node = opened
  rpc = served
  await send({ to: null, data: toHex(CONTAINER), gas: 9_000_000n })
})

let nonce = 0
const wallet = () => createWalletClient({ account: alice, chain: foundry, transport: http(rpc.url) })

/** Sends a transaction, in a block of its own. */
async function send(fields: object): Promise<Hex> {
  if (node.chain.head.header.number === 0) nonce = 0
  const hash = await wallet().sendTransaction({ gas: 3_000_000n, nonce: nonce++, ...fields } as never)
  await node.produce()
  return hash
}
const call = (functionName: string, args: readonly unknown[], value = 0n) =>
  send({ to: SPLITTER, value, data: encodeFunctionData({ abi: ABI, functionName, args } as never) })
const ask = async (method: string, hash: Hex) => (await rpc.call(method, hash)).result

it('lists the calls of a transaction with their depths', async () => {
  const hash = await call('split', [bob.address], 10n)
  const entries = (await ask('ots_traceTransaction', hash)) as readonly Record<string, unknown>[]
  expect(entries.map(({ type, depth, from, to, value }) => [type, depth, from, to, value])).toEqual([
    ['CALL', 0, ALICE, SPLITTER, '0xa'],
    ['CALL', 1, SPLITTER, BOB, '0x5'],
    ['CALL', 1, SPLITTER, SPLITTER, '0x5'],
    ['CALL', 2, SPLITTER, BOB, '0x5'],
    ['STATICCALL', 1, SPLITTER, SPLITTER, null],
  ])
  expect(entries.at(-1)).toMatchObject({ input: encodeFunctionData({ abi: ABI, functionName: 'total' }), output: pad('0x1') })
  expect(entries[2]).toMatchObject({ output: expect.stringMatching(/^0x08c379a0/) })
})

it('lists transfers and creations inside a transaction, without what was undone', async () => {
  expect(await ask('ots_getInternalOperations', await call('split', [bob.address], 10n))).toEqual([
    { type: 0, from: SPLITTER, to: BOB, value: '0x5' },
  ])
  const created = getContractAddress({ from: SPLITTER, nonce: 1n }).toLowerCase()
  const make = await call('make', [CHILD])
  expect(await ask('ots_getInternalOperations', make)).toEqual([{ type: 2, from: SPLITTER, to: created, value: '0x0' }])
  expect(await ask('ots_traceTransaction', make)).toMatchObject([{ depth: 0 }, { type: 'CREATE', depth: 1, to: created }])
  expect(await ask('ots_getInternalOperations', await call('giveAndFail', [bob.address], 10n))).toEqual([])
  expect(await ask('ots_getInternalOperations', await send({ to: BOB, value: 3n, gas: 21_000n }))).toEqual([])
})

it('shows the error of a transaction', async () => {
  const data = encodeErrorResult({ abi: ABI, errorName: 'Refused', args: [7n] })
  expect(await ask('ots_getTransactionError', await call('refuse', []))).toBe(data)
  expect(await ask('ots_getTransactionError', await call('give', [bob.address], 1n))).toBe('0x')
  const failed = await send({ to: null, data: '0x6080' })
  expect(await ask('ots_getTransactionError', failed)).toMatch(/^0x08c379a0/)
  expect(await ask('ots_traceTransaction', failed)).toMatchObject([{ type: 'CREATE', to: zeroAddress }])
})

it('does not know a transaction that is not in the chain', async () => {
  for (const method of ['ots_traceTransaction', 'ots_getInternalOperations', 'ots_getTransactionError'])
    expect(await ask(method, pad('0x1'))).toBeNull()
})
