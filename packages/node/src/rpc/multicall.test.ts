import { MULTICALL_ADDRESS } from '@quoin/execution/contract'
import {
  type Address,
  type Chain,
  createPublicClient,
  createWalletClient,
  decodeFunctionData,
  type Hex,
  http,
  multicall3Abi,
} from 'viem'
import { foundry } from 'viem/chains'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readContract } from '../../../../test/contracts/contract.mjs'
import { openTestNode, type TestNode, testAccounts } from '../../test/chain.ts'
import { crypto, oneValidator as validators } from '../../test/fixture.ts'
import { serveTestNode, type TestRpc } from '../../test/rpc.ts'
import type { CallRunner } from '../executor/call-runner.ts'

const { abi, bytecode } = readContract('token')
const [alice, bob] = testAccounts as [(typeof testAccounts)[0], (typeof testAccounts)[0]]
const chain: Chain = { ...foundry, contracts: { multicall3: { address: MULTICALL_ADDRESS } } }

interface Call {
  readonly params: readonly { readonly data: Hex }[]
}

let node: TestNode
let rpc: TestRpc
let tokens: readonly Address[]
/** Requests that the client sent. */
const requests: Call[] = []
/** Addresses that the server called. */
const ran: (Address | undefined)[] = []

beforeEach(async () => {
  node = await openTestNode({ crypto, validators })
  const run: CallRunner['run'] = (kind, request, signal, client) => {
    if ('call' in request) ran.push(request.call.to)
    return node.calls.run(kind, request, signal, client)
  }
  rpc = await serveTestNode({ ...node, calls: { stats: node.calls.stats, close: () => node.calls.close(), run } }, crypto)
  tokens = [await deploy('Gold', 700n), await deploy('Iron', 30n)]
  requests.length = 0
  ran.length = 0
})

afterEach(() => rpc.server.close())

async function deploy(name: string, supply: bigint): Promise<Address> {
  const wallet = createWalletClient({ account: alice, chain, transport: http(rpc.url) })
  const hash = await wallet.deployContract({ abi, bytecode, args: [name, name.toUpperCase(), alice.address, supply] } as never)
  await node.produce()
  const { contractAddress } = await reader(false).getTransactionReceipt({ hash })
  return contractAddress!
}

/** A standard client whose transport records what it sends. */
function reader(multicall: boolean) {
  const onFetchRequest = async (request: Request) => {
    requests.push((await request.clone().json()) as Call)
  }
  return createPublicClient({ chain, transport: http(rpc.url, { onFetchRequest }), batch: { multicall } })
}

const reads = (client: ReturnType<typeof reader>) =>
  Promise.all([
    ...tokens.flatMap((address) => [
      client.readContract({ address, abi, functionName: 'name' }),
      client.readContract({ address, abi, functionName: 'balanceOf', args: [alice.address] }),
    ]),
    client.getBalance({ address: bob.address }),
  ])

describe('a client of viem with `batch: { multicall: true }`', () => {
  it('sends its reads as one aggregate3, and gets the same results as without', async () => {
    const batched = await reads(reader(true))
    expect(batched).toEqual(['Gold', 700n, 'Iron', 30n, 10n ** 18n])
    expect(requests).toHaveLength(1)
    expect(ran).toEqual([MULTICALL_ADDRESS])
    const { functionName, args } = decodeFunctionData({ abi: multicall3Abi, data: requests[0]!.params[0]!.data })
    expect(functionName).toBe('aggregate3')
    expect(args?.[0]).toHaveLength(5)
    expect(await reads(reader(false))).toEqual(batched)
    expect(requests).toHaveLength(1 + 5)
    // A single balance is not a contract call.
    expect(ran.slice(1)).toEqual(tokens.flatMap((token) => [token, token]))
  })

  it('has a failing read fail alone', async () => {
    const client = reader(true)
    const [good, bad] = await Promise.allSettled([
      client.readContract({ address: tokens[0]!, abi, functionName: 'symbol' }),
      client.readContract({ address: tokens[1]!, abi, functionName: 'transfer', args: [bob.address, 5n] }),
    ])
    expect(requests).toHaveLength(1)
    expect(good).toMatchObject({ status: 'fulfilled', value: 'GOLD' })
    // msg.sender is the multicall contract, which has no tokens.
    expect(bad).toMatchObject({ status: 'rejected', reason: { message: expect.stringMatching(/ERC20InsufficientBalance/) } })
  })

  it('reads many contracts by name, at past blocks too, and finds code at the multicall address', async () => {
    const client = reader(false)
    const contracts = tokens.map((address) => ({ address, abi, functionName: 'totalSupply' }))
    const results = await client.multicall({ contracts, allowFailure: false })
    expect(results).toEqual([700n, 30n])
    const past = await client.multicall({ contracts, blockNumber: 1n })
    expect(past).toMatchObject([{ status: 'success', result: 700n }, { status: 'failure' }])
    expect(requests).toHaveLength(2)
    expect(await client.getCode({ address: MULTICALL_ADDRESS })).toBe('0xfe')
  })
})
