import { SYSTEM_ADDRESS, SYSTEM_RECORDS } from '@quoin/execution'
import {
  type AccountProofJson,
  type Address,
  Hash,
  type Height,
  type Hex,
  LIMITS,
  unwrap,
  verifyAccountProof,
} from '@quoin/protocol'
import { fromRlp, keccak256 } from 'viem'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openTestNode, PROOF_BLOCKS, type TestNode, testAccounts, testTransfers } from '../../test/chain.ts'
import { crypto, oneValidator as validators } from '../../test/fixture.ts'
import { serveTestNode, type TestRpc, testBackend } from '../../test/rpc.ts'

const [alice, bob] = testAccounts.map(({ address }) => address.toLowerCase()) as [Address, Address]
const nobody = `0x${'ee'.repeat(20)}` as Address
/** More blocks than have proofs. */
const BLOCKS = PROOF_BLOCKS + 3

let node: TestNode
let rpc: TestRpc
beforeAll(async () => {
  node = await openTestNode({ crypto, validators })
  for (let nonce = 0; nonce < BLOCKS; nonce++) await node.produce(await testTransfers(testAccounts[1]!, nonce, 1))
  rpc = await serveTestNode(node, crypto)
})
afterAll(() => rpc.server.close())

const result = async (method: string, ...params: unknown[]) => {
  const { result, error } = await rpc.call(method, ...params)
  if (error !== undefined) throw new Error(`${error.code} ${error.message}`)
  return result
}

/** A header as a client gets it: the hash is computed from its bytes. */
async function trusted(height: number) {
  const raw = (await result('debug_getRawHeader', `0x${height.toString(16)}`)) as Hex
  const stateRoot = (fromRlp(raw, 'hex') as readonly Hex[])[3]!
  return { number: height as Height, hash: Hash(keccak256(raw)), stateRoot: Hash(stateRoot) }
}

it('a proof verifies with the header of its block alone, at the head and at each recent block', async () => {
  for (let height = BLOCKS - PROOF_BLOCKS; height <= BLOCKS; height++) {
    const block = await trusted(height)
    for (const address of [alice, bob, nobody]) {
      const keys = [Uint8Array.of(), Uint8Array.of(1), new Uint8Array(LIMITS.stateKeyBytesMax)]
      const asked = keys.map((key) => `0x${Buffer.from(key).toString('hex')}`)
      const answer = await result('quoin_getProof', address, asked, `0x${height.toString(16)}`)
      const { account, values } = unwrap(verifyAccountProof(crypto, { block, address, keys }, answer))
      expect(values).toEqual([undefined, undefined, undefined])
      const [balance, nonce] = await Promise.all(
        ['eth_getBalance', 'eth_getTransactionCount'].map((method) => result(method, address, `0x${height.toString(16)}`)),
      )
      expect([account?.balance ?? 0n, account?.nonce ?? 0]).toEqual([BigInt(balance as Hex), Number(nonce)])
      expect(account === undefined).toBe(address === nobody)
      const next = { ...block, stateRoot: (await trusted(height === BLOCKS ? height - 1 : height + 1)).stateRoot }
      expect(verifyAccountProof(crypto, { block: next, address, keys }, answer)).toMatchObject({
        error: { code: 'wrong-account' },
      })
    }
  }
})

it('the values of a contract are proven, by block hash too', async () => {
  // The chain's own records are storage.
  const block = await trusted(BLOCKS - 1)
  const keys = [SYSTEM_RECORDS.parameters.key, SYSTEM_RECORDS.sets.key]
  const asked = keys.map((key) => `0x${Buffer.from(key).toString('hex')}`)
  const answer = (await result('quoin_getProof', SYSTEM_ADDRESS, asked, block.hash)) as AccountProofJson
  const { values } = unwrap(verifyAccountProof(crypto, { block, address: SYSTEM_ADDRESS, keys }, answer))
  expect(values.map((value) => `0x${Buffer.from(value!).toString('hex')}`)).toEqual(
    await Promise.all(asked.map((key) => result('eth_getStorageAt', SYSTEM_ADDRESS, key, block.hash))),
  )
})

it('is refused with words: other blocks, too many keys, no block, large values', async () => {
  const old = BLOCKS - PROOF_BLOCKS - 1
  expect(await rpc.call('quoin_getProof', alice, [], `0x${old.toString(16)}`)).toMatchObject({
    error: { code: 4444, message: `proofs are available for the blocks from ${old + 1} to ${BLOCKS}, not for block ${old}` },
  })
  expect(await rpc.call('quoin_getProof', alice, [], '0xffff')).toMatchObject({ error: { code: -32001 } })
  const keys = Array.from({ length: 1_025 }, () => '0x01')
  expect(await rpc.call('quoin_getProof', alice, keys, 'latest')).toMatchObject({
    error: { code: -32602, message: 'invalid param 1: has 1025 storage keys, the limit is 1024' },
  })
  expect(await rpc.call('quoin_getProof', alice, ['0x', `0x${'00'.repeat(129)}`], 'latest')).toMatchObject({
    error: { code: -32602, message: 'invalid param 1: 1 is longer than 128 bytes' },
  })
  const small = await serveTestNode(node, crypto, { proofValueBytesMax: 80 })
  const record = `0x${Buffer.from(SYSTEM_RECORDS.parameters.key).toString('hex')}`
  expect(await small.call('quoin_getProof', SYSTEM_ADDRESS, [record], 'latest')).toMatchObject({
    error: { code: -32005, message: 'the values of the first 1 keys have more than 80 bytes: ask for fewer keys' },
  })
  await small.server.close()
})

it('a block that the proofs have not reached is not found, and not pruned', async () => {
  const behind = await openTestNode({ crypto, validators })
  const { proofs } = testBackend(behind, crypto)
  const lagging = await serveTestNode(node, crypto, {}, { backend: { proofs } })
  expect(await lagging.call('quoin_getProof', alice, [], 'latest')).toMatchObject({
    error: { code: -32001, message: `block ${BLOCKS} is not there yet, the last one is 0: ask again` },
  })
  await lagging.server.close()
})

it('costs more for each block after the one that is proven, and the next call waits for it', async () => {
  /** Units that a proof costs: after it, a call that needs the whole bucket must wait for them. */
  const costOf = async (block: string) => {
    const settings = { unitsPerSecond: 1, unitsBurst: 400 }
    const limited = await serveTestNode(node, crypto, {}, { settings })
    await limited.call('quoin_getProof', alice, [], block)
    const { error } = await limited.call('debug_traceBlockByNumber', block)
    await limited.server.close()
    return (error!.data as { readonly retryAfterMs: number }).retryAfterMs / 1_000
  }
  const at = (height: number) => `0x${height.toString(16)}`
  const oldest = BLOCKS - PROOF_BLOCKS
  const { hash } = await trusted(oldest)
  const blocks = ['latest', at(BLOCKS), at(BLOCKS - 1), at(oldest), hash, at(oldest - 1)]
  expect(await Promise.all(blocks.map(costOf))).toEqual([10, 10, 26, 138, 138, 10])
})

it('answers the largest request', async () => {
  const block = await trusted(BLOCKS)
  const keys = Array.from({ length: 1_024 }, (_, i) => Uint8Array.of(i >> 8, i & 255))
  const answer = await result(
    'quoin_getProof',
    bob,
    keys.map((key) => `0x${Buffer.from(key).toString('hex')}`),
    'latest',
  )
  expect(verifyAccountProof(crypto, { block, address: bob, keys }, answer).ok).toBe(true)
})

it('eth_getProof is refused and names the method', async () => {
  expect(await rpc.call('eth_getProof', alice, [], 'latest')).toMatchObject({
    error: { code: -32601, message: expect.stringMatching(/Use quoin_getProof/) },
  })
})
