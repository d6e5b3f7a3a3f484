import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type DevNode, startDevNode } from '../../packages/cli/src/dev/index.ts'
import { fetchChain, NodesFailedError, WrongChainError } from '../../packages/sdk/src/index.ts'
import { failureOf, QUICK, stage } from './stage.ts'

const { nodes, direct } = stage()
const options = { webSocket: QUICK.webSocket }

/** Other chains: with another id, and with the same id. */
let [other, twin]: [DevNode | undefined, DevNode | undefined] = [undefined, undefined]
beforeAll(async () => {
  other = await startDevNode({ port: 0, chainId: 7 })
  twin = await startDevNode({ port: 0 })
})
afterAll(() => Promise.all([other?.close(), twin?.close()]))

const genesisHash = async () => (await direct().getBlock({ blockNumber: 0n })).hash

describe('fetchChain', () => {
  it("describes the chain, as viem's clients want it", async () => {
    const [one, two] = await nodes(2)
    const secret = one!.url.replace('//', '//user:secret@')
    const chain = await fetchChain([secret, two!.socketUrl], { ...options, genesisHash: await genesisHash() })
    expect(chain).toMatchObject({
      ...{ id: 31_337, name: 'Quoin 31337', genesisHash: await genesisHash(), fees: { maxPriorityFeePerGas: 0n } },
      rpcUrls: { default: { http: [one!.url], webSocket: [two!.socketUrl] } },
      contracts: { multicall3: { address: '0xcA11bde05977b3631167028862bE2a173976CA11' } },
    })
  })

  it('leaves out a node that is down or frozen', async () => {
    const [down, frozen, up] = await nodes(3)
    await down!.stop()
    frozen!.faults = { freeze: true }
    const chain = await fetchChain([down!.url, frozen!.socketUrl, up!.url], options)
    expect(chain.id).toBe(31_337)
    expect(chain.rpcUrls.default.http).toEqual([down!.url, up!.url])
  })

  it('refuses a node of another chain, even with the same id, and names it', async () => {
    const wanted = await genesisHash()
    for (const stranger of [other!, twin!]) {
      const error = await failureOf(fetchChain([direct().transport.url!, stranger.url], { genesisHash: wanted }))
      expect(error).toBeInstanceOf(WrongChainError)
      expect(error).toMatchObject({ reason: 'genesis', url: stranger.url, expected: wanted })
    }
    await expect(fetchChain([twin!.url, other!.url])).rejects.toBeInstanceOf(WrongChainError)
  })

  it('fails if no node answers, and says why', async () => {
    const [down] = await nodes(1)
    await down!.stop()
    const error = await failureOf(fetchChain([down!.url]))
    expect(error).toBeInstanceOf(NodesFailedError)
    expect((error as Error).message).toContain(down!.url)
  })

  it('ends with its signal', async () => {
    const [frozen] = await nodes(1)
    frozen!.faults = { freeze: true }
    const controller = new AbortController()
    const fetching = failureOf(fetchChain([frozen!.url], { signal: controller.signal }))
    const reason = new Error('enough')
    controller.abort(reason)
    expect(await fetching).toBe(reason)
  })
})
