import { bytesToHex, type Hex, pad, parseAbi, toHex } from 'viem'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { containerOf } from '../../../../test/contracts/contract.mjs'
import { devAccount, devClient, request, signer } from '../../test/dev-node.ts'
import { type DevNode, startDevNode } from './index.ts'

const ABI = parseAbi(['function add(uint256 n)', 'function spin()'])
const SOURCE = `export default { functions: {
  add(n) { quoin.store('uint256', 'n', quoin.load('uint256', 'n') + n) },
  spin() { for (;;) Math.max(1, 2) },
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

const diffOf = (hash: Hex) =>
  request(node.url, 'debug_traceTransaction', hash, {
    tracer: 'prestateTracer',
    tracerConfig: { diffMode: true, disableCode: true },
  })
const callsOf = (hash: Hex) => request(node.url, 'debug_traceTransaction', hash, { tracer: 'callTracer' })

it('traces transactions before and after a snapshot is restored, with state that was set and senders that were impersonated', async () => {
  const bytecode = bytesToHex(containerOf(SOURCE, ABI))
  const receipt = await client.getTransactionReceipt({ hash: await wallet.deployContract({ abi: ABI, bytecode }) })
  const address = receipt.contractAddress!.toLowerCase() as Hex
  const add = (n: bigint) => wallet.writeContract({ address, abi: ABI, functionName: 'add', args: [n] })
  const key = toHex('n')
  const entries = (value: bigint) => ({ storage: { [key]: pad(toHex(value)) } })
  await client.setStorageAt({ address, index: key, value: pad('0x05') })
  const before = await add(1n)
  expect(await diffOf(before)).toMatchObject({ pre: { [address]: entries(5n) }, post: { [address]: entries(6n) } })
  const id = await client.snapshot()
  const lost = await add(10n)
  expect(await diffOf(lost)).toMatchObject({ post: { [address]: entries(16n) } })
  await client.revert({ id })
  await expect(callsOf(lost)).rejects.toThrow('transaction not found')
  expect(await diffOf(await add(100n))).toMatchObject({ pre: { [address]: entries(6n) }, post: { [address]: entries(106n) } })
  expect(await diffOf(before)).toMatchObject({ post: { [address]: entries(6n) } })
  await client.impersonateAccount({ address })
  await client.setBalance({ address, value: 10n ** 18n })
  const value = 7n
  const sent = await client.sendTransaction({ account: address, to: devAccount(3).address, value, chain: client.chain } as never)
  expect(await callsOf(sent)).toMatchObject({ type: 'CALL', from: address, value: '0x7' })
})

it('knows where the gas ended', async () => {
  const bytecode = bytesToHex(containerOf(SOURCE, ABI))
  const receipt = await client.getTransactionReceipt({ hash: await wallet.deployContract({ abi: ABI, bytecode }) })
  const call = { address: receipt.contractAddress!, abi: ABI, functionName: 'spin', gas: 500_000n } as const
  const hash = await wallet.writeContract(call)
  const frame = (await callsOf(hash)) as { readonly error: string; readonly quoin: { readonly stack: string } }
  expect(frame.error).toBe('out of gas')
  expect(frame.quoin.stack).toMatch(/at spin .*:3:/)
})
