import type { Address, Hex } from 'viem'
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest'
import { readContract } from '../../../test/contracts/contract.mjs'
import { type DevNode, startDevNode } from '../src/dev/index.ts'
import { devAccount, devClient, request as requestOf, signer } from './dev-node.ts'

export const token = readContract('token')

/**
 * One development chain for all tests of a file. Each test begins at block 0: a revert removes the effects of the one before, which also tests
 * reverts.
 *
 * @param onStart gets a client of the node, and the node, before the first test
 */
export function shareDevNode(onStart: (client: ReturnType<typeof devClient>, node: DevNode) => void) {
  let node: DevNode
  let client: ReturnType<typeof devClient>
  let start: Hex

  /** From now on the test's end reverts to this point. For a test that removes all snapshots. */
  const beginHere = async (): Promise<void> => {
    start = await client.snapshot()
  }

  beforeAll(async () => {
    node = await startDevNode({ port: 0 })
    client = devClient(node.url)
    onStart(client, node)
  })
  afterAll(() => node.close())
  beforeEach(beginHere)
  afterEach(async () => {
    await client.setAutomine(true)
    await client.revert({ id: start })
  })

  return {
    beginHere,
    request: (method: string, ...params: unknown[]) => requestOf(node.url, method, ...params),
    /** Deploys a token of account 0, which owns the supply of 1,000. */
    async deployToken(): Promise<Hex> {
      const args = ['Token', 'TKN', devAccount(0).address, 1_000n]
      const hash = await signer(node.url, 0).deployContract({ ...token, args })
      const { contractAddress } = await client.getTransactionReceipt({ hash })
      return contractAddress!
    },
    /** Transfers tokens of account 0, to account 1 by default. */
    give: (address: Hex, value: bigint, to: Hex = devAccount(1).address) =>
      signer(node.url, 0).writeContract({ address, abi: token.abi, functionName: 'transfer', args: [to, value] }),
    /** A balance of tokens, of a past block if one is given. */
    tokens: (address: Hex, owner: Address, blockNumber?: bigint) =>
      client.readContract({
        address,
        abi: token.abi,
        functionName: 'balanceOf',
        args: [owner],
        ...(blockNumber === undefined ? {} : { blockNumber }),
      }),
  }
}
