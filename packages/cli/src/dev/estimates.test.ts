import { type Abi, bytesToHex, encodeFunctionData, type Hex, multicall3Abi, parseAbi, toHex } from 'viem'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { containerOf } from '../../../../test/contracts/contract.mjs'
import { devClient, signer } from '../../test/dev-node.ts'
import { type DevNode, startDevNode } from './index.ts'

const MULTICALL = '0xca11bde05977b3631167028862be2a173976ca11'

/** Stores notes, and calls another contract whose failure it catches. */
const ABI = parseAbi([
  'function note(uint256 n)',
  'function count() view returns (uint256)',
  'function tryNote(address other, uint256 n)',
  'function refuse()',
  'function tryRefuse(address other, uint256 n)',
])
const SOURCE = `export default { functions: {
  note(n) {
    for (let i = 0n; i < n; i++) quoin.store('uint256', 'n' + i, 1n)
    quoin.store('uint256', 'count', quoin.load('uint256', 'count') + 1n)
  },
  count: () => quoin.load('uint256', 'count'),
  tryNote(other, n) { try { quoin.call(other, 'note(uint256)', [n]) } catch {} },
  refuse() { throw new Error('no') },
  tryRefuse(other, n) {
    try { quoin.call(other, 'refuse()', []) } catch {}
    try { quoin.call(other, 'note(uint256)', [n]) } catch {}
  },
} }`

let node: DevNode
let client: ReturnType<typeof devClient>
let wallet: ReturnType<typeof signer>

beforeAll(async () => {
  node = await startDevNode({ port: 0 })
  client = devClient(node.url)
  wallet = signer(node.url, 0)
})
afterAll(() => node.close())

async function deploy(): Promise<Hex> {
  const bytecode = bytesToHex(containerOf(SOURCE, ABI))
  const { contractAddress } = await client.getTransactionReceipt({ hash: await wallet.deployContract({ abi: ABI, bytecode }) })
  return contractAddress!
}
const count = (address: Hex) => client.readContract({ address, abi: ABI, functionName: 'count' })
const note = (target: Hex, allowFailure: boolean) => {
  return { target, allowFailure, callData: encodeFunctionData({ abi: ABI, functionName: 'note', args: [10n] }) }
}
/** Sends a transaction with viem's own gas estimate. */
const send = async (address: Hex, abi: Abi, functionName: string, args: readonly unknown[]) => {
  const hash = await wallet.writeContract({ address, abi, functionName, args })
  expect(await client.getTransactionReceipt({ hash })).toMatchObject({ status: 'success' })
}

describe("what viem sends with the node's estimate does what it was simulated to do", () => {
  it('through Multicall3, where calls may fail', async () => {
    const [a, b] = [await deploy(), await deploy()]
    const refuse = { target: a, allowFailure: true, callData: encodeFunctionData({ abi: ABI, functionName: 'refuse' }) }
    for (const calls of [[note(a, true)], [note(b, true), refuse, note(a, true)], [refuse, note(b, false), note(a, true)]])
      await send(MULTICALL, multicall3Abi, 'aggregate3', [calls])
    expect([await count(a), await count(b)]).toEqual([3n, 2n])
  })

  it('through a contract that catches failures of calls as its last action', async () => {
    const [a, b] = [await deploy(), await deploy()]
    await send(a, ABI, 'tryNote', [b, 200n])
    await send(a, ABI, 'tryRefuse', [b, 300n])
    expect(await count(b)).toBe(2n)
  })

  it('and not with a unit of gas less, where it needs more than it uses', async () => {
    const [a, b] = [await deploy(), await deploy()]
    const data = encodeFunctionData({ abi: ABI, functionName: 'tryNote', args: [b, 400n] })
    const gas = await client.estimateGas({ account: wallet.account, to: a, data })
    const { gasUsed } = await client.getTransactionReceipt({ hash: await wallet.sendTransaction({ to: a, data, gas }) })
    expect(gas).toBeGreaterThan(gasUsed)
    expect(await count(b)).toBe(1n)
    await wallet.sendTransaction({ to: a, data, gas: gas - 1n })
    expect(await count(b)).toBe(1n)
  })
})

it('tells viem which deployment is too large for its gas limit', async () => {
  // A code that the chain does not know yet: a known one is created for less.
  const bytecode = bytesToHex(containerOf(`${SOURCE}\n`, ABI))
  const request = { from: wallet.account.address, data: bytecode, gas: toHex(200_000) }
  const deployed = client.request({ method: 'eth_estimateGas', params: [request] } as never)
  await expect(deployed).rejects.toThrow(/gas required exceeds allowance \(200000\): contract too large for this gas limit/)
})
