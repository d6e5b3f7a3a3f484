import { bytesToHex, nobleCrypto } from '@quoin/protocol'
import { expect, it } from 'vitest'
import { openTestNode, testAccounts, testTransfers, testValidators } from '../../test/chain.ts'
import type { RpcBackend } from './backend.ts'
import type { JsonText } from './json-text.ts'
import type { CallContext } from './method.ts'
import { transactionMethods } from './methods/transactions.ts'

it('a pending transaction is serialized once, and a large one yields to others before each response', async () => {
  const node = await openTestNode({ crypto: nobleCrypto, validators: testValidators(nobleCrypto, 1) })
  const [raw] = await testTransfers(testAccounts[0]!, 0, 1)
  const small = (await node.pool.verify([raw!])) as unknown as { value: { hash: string }[] }
  const large = { ...small.value[0]!, data: new Uint8Array(250_000) }
  let turns = 0
  const call = { nextTurn: async () => void turns++ } as unknown as CallContext
  const ask = (found: object) => {
    const backend = { blocks: { locate: () => undefined }, pool: { get: async () => found } } as unknown as RpcBackend
    return transactionMethods['eth_getTransactionByHash']!.run(backend, [small.value[0]!.hash], call) as Promise<JsonText>
  }
  const answers = await Promise.all(Array.from({ length: 9 }, () => ask(large)))
  expect([new Set(answers).size, turns]).toEqual([1, 9])
  expect(JSON.parse(answers[0]!.pieces.join(''))).toMatchObject({ input: bytesToHex(large.data), blockHash: null })
  await ask(small.value[0]!)
  expect(turns).toBe(9)
})
