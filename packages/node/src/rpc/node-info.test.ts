import { Hash } from '@quoin/protocol'
import { getAddress } from 'viem'
import { expect, it } from 'vitest'
import type { TestNode } from '../../test/chain.ts'
import { fourValidators as validators } from '../../test/fixture.ts'
import type { TestRpc } from '../../test/rpc.ts'
import { serveEach } from '../../test/serve-each.ts'
import type { RpcBackend } from './backend.ts'
import { forkId } from './fork-id.ts'
import { chainMethods } from './methods/chain.ts'
import { SyncChanges } from './sync-changes.ts'

let node: TestNode
let rpc: TestRpc

serveEach((opened, served) => {
  node = opened
  rpc = served
})

const result = async (method: string) => (await rpc.call(method)).result

it('answers the questions of older tools', async () => {
  expect(await result('eth_mining')).toBe(false)
  expect(await result('eth_hashrate')).toBe('0x0')
  expect(await result('eth_protocolVersion')).toBe('0x1')
  expect(await result('eth_baseFee')).toBe(await result('eth_gasPrice'))
})

it('the coinbase is the fee address of the node, if it is a validator', () => {
  const ask = (coinbase: RpcBackend['coinbase']) => chainMethods['eth_coinbase']!.run({ coinbase } as RpcBackend, [], {} as never)
  const { feeAddress } = validators.set.validators[0]!
  expect(ask(() => feeAddress)).toBe(feeAddress)
  expect(() => ask(() => undefined)).toThrow('not in the validator set')
})

it('a fork id is the checksum that EIP-2124 gives for mainnet', () => {
  expect(forkId(Hash('0xd4e56740f876aef8c010b86a40d5f56745a118d0906a34e69aec8c0db1cb8fa3'))).toBe('0xfc64ec04')
})

it('the configuration has the form of EIP-7910', async () => {
  await node.produce()
  const { hash } = node.store.header(0 as never)!
  const config = (await result('eth_config')) as { current: { systemContracts: Record<string, `0x${string}`> } }
  expect(config).toEqual({
    current: {
      activationTime: 0,
      blobSchedule: { baseFeeUpdateFraction: 0, max: 0, target: 0 },
      chainId: '0x7a69',
      forkId: forkId(hash),
      precompiles: {},
      systemContracts: { CODE_REGISTRY: expect.any(String), MULTICALL3: expect.any(String) },
    },
    next: null,
    last: null,
  })
  const { MULTICALL3 } = config.current.systemContracts
  expect(getAddress(MULTICALL3!)).toBe('0xcA11bde05977b3631167028862bE2a173976CA11')
})

it('the capabilities name the head, and what can be read from which block on', async () => {
  const { hash } = await node.produce()
  const complete = { disabled: false, oldestBlock: '0x0' }
  expect(await result('eth_capabilities')).toEqual({
    head: { number: '0x1', hash },
    ...{ state: complete, tx: complete, logs: complete, receipts: complete, blocks: complete },
    stateproofs: { disabled: false, oldestBlock: '0x0', deleteStrategy: { type: 'window', retentionBlocks: '0x8' } },
  })
})

it('catching up begins when the node is far behind, and ends when it is not behind', () => {
  let progress: { current: number; highest: number } | undefined
  const changes = new SyncChanges(() => progress)
  const seen: unknown[] = []
  for (const behind of [0, 3, 0, 4, 2, 1, 0, 3, 9, 0]) {
    progress = behind === 0 ? undefined : { current: 10, highest: 10 + behind }
    const before = changes.next
    expect(changes.check()).toBe(changes.next === before + 1)
    seen.push(changes.next === before ? undefined : changes.at(before))
  }
  const begun = (highestBlock: string) => ({ syncing: true, status: { startingBlock: '0x0', currentBlock: '0xa', highestBlock } })
  const no = undefined
  expect(seen).toEqual([no, no, no, begun('0xe'), no, no, false, no, begun('0x13'), false])
  // A slow client gets only the last change.
  expect([changes.at(0), changes.at(changes.next - 1)]).toEqual([undefined, false])
})
