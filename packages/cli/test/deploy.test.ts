import { deploy } from '@quoin/contracts/deploy'
import { createPublicClient, http, parseAbi } from 'viem'
import { describe, expect, it } from 'vitest'
import type { DevNode } from '../src/dev/index.ts'
import { devAccount } from './dev-node.ts'
import { shareDevNode, token } from './shared-dev-node.ts'

const KEY = '0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80'
const abi = parseAbi([
  'constructor(string name, string symbol, address owner, uint256 supply)',
  'function totalSupply() view returns (uint256)',
])
const artifact = { name: 'token', abi, bytecode: token.bytecode }

let node: DevNode
shareDevNode((_, started) => {
  node = started
})

describe('deploy', () => {
  it('signs, sends and waits, and says what came of it', async () => {
    const owner = devAccount(1).address
    const deployed = await deploy(artifact, { url: node.url, privateKey: KEY, args: ['Token', 'TKN', owner, 7n] })
    const client = createPublicClient({ transport: http(node.url) })
    const receipt = await client.getTransactionReceipt({ hash: deployed.transactionHash })
    expect(deployed).toMatchObject({ deployer: devAccount(0).address, gasUsed: receipt.gasUsed })
    expect(deployed.address.toLowerCase()).toBe(receipt.contractAddress)
    expect(await client.readContract({ address: deployed.address, abi, functionName: 'totalSupply' })).toBe(7n)
  })

  it('passes on why the node refuses', async () => {
    const args = ['Token', 'TKN', devAccount(0).address, 1n] as const
    const options = { url: node.url, privateKey: KEY, args } as const
    await expect(deploy({ ...artifact, bytecode: '0xef' }, options)).rejects.toThrow('eth_estimateGas: ')
    await expect(deploy(artifact, { ...options, value: 10n ** 30n })).rejects.toThrow('eth_estimateGas: ')
  })

  it('says when nothing answers, or something that is no node', async () => {
    const args = ['Token', 'TKN', devAccount(0).address, 1n] as const
    const url = 'http://127.0.0.1:1'
    await expect(deploy(artifact, { url, privateKey: KEY, args })).rejects.toThrow(`request to ${url} failed: `)
  })

  it.each(['0x', `${KEY}00`, `0x${'00'.repeat(32)}`, `0x${'ff'.repeat(32)}`] as const)(
    'refuses %s as a key',
    async (privateKey) => {
      const args = ['Token', 'TKN', devAccount(0).address, 1n] as const
      await expect(deploy(artifact, { url: node.url, privateKey, args })).rejects.toThrow('privateKey ')
    },
  )
})
