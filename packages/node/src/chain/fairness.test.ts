import { flatKeyOf } from '@quoin/execution'
import { MemoryKv } from '@quoin/platform'
import { Address, accountFromValue, accountKey, DEFAULT_PARAMETERS, unwrap, type Wei } from '@quoin/protocol'
import { encodeFunctionData, parseAbi } from 'viem'
import { describe, expect, it } from 'vitest'
import { containerOf } from '../../../../test/contracts/contract.mjs'
import { openTestNode, type TestNode, testGenesis } from '../../test/chain.ts'
import { crypto, fourValidators as validators } from '../../test/fixture.ts'
import { type SignedSpec, signTransaction, type TestKey, testKey } from '../../test/sign.ts'
import { POOL_LIMITS } from '../mempool/limits.ts'
import type { CandidateBlock } from './types.ts'

const DEAD = Address(`0x${'de'.repeat(20)}`)
const BURNER = Address(`0x${'77'.repeat(20)}`)
const ABI = parseAbi(['function burn()'])
const BLOCK = DEFAULT_PARAMETERS.blockGasMax
const MOST = BigInt(DEFAULT_PARAMETERS.transactionGasMax)
const TIMEOUT = 60_000

/** A node with a contract that burns all gas, and with these keys funded. */
async function open(funded: readonly TestKey[], kv = new MemoryKv()): Promise<TestNode> {
  const code = containerOf('export default { functions: { burn() { for (;;); } } }', [...ABI])
  const genesis = testGenesis(crypto, validators.set, {
    alloc: funded
      .map(({ address }) => ({ address, balance: (10n ** 18n) as Wei }))
      .sort((a, b) => (a.address < b.address ? -1 : 1)),
    systemContracts: [{ address: BURNER, code }],
  })
  return openTestNode({ crypto, validators, genesis, kv })
}

const send = async (node: TestNode, key: TestKey, spec: SignedSpec) =>
  unwrap(await node.pool.add(signTransaction(crypto, key, spec), 'rpc'))
const transfer = (nonce: number, other: Partial<SignedSpec> = {}): SignedSpec => ({
  nonce,
  gas: 21_000n,
  to: DEAD,
  value: 1n,
  ...other,
})

async function flood(
  node: TestNode,
  keys: readonly TestKey[],
  count: number,
  spec: (nonce: number) => SignedSpec,
): Promise<void> {
  for (let nonce = 0; nonce < count; nonce++)
    for (const raw of keys.map((key) => signTransaction(crypto, key, spec(nonce)))) unwrap(await node.pool.add(raw, 'rpc'))
}

const sendersOf = ({ transactions }: CandidateBlock): readonly Address[] => transactions.map(({ sender }) => sender)

describe('a flood', { timeout: TIMEOUT }, () => {
  it('of 5,000 transfers of nothing with the largest gas limit and a tip of 2^255 has an honest transfer in the first block, which is full', async () => {
    const honest = testKey(crypto, 0)
    const node = await open([honest])
    const strangers = Array.from({ length: 13 }, (_, n) => testKey(crypto, 100 + n))
    await flood(node, strangers, 385, (nonce) => transfer(nonce, { gas: MOST, value: 0n, fee: 2n ** 255n }))
    await send(node, honest, transfer(0))
    const block = await node.produce()
    expect(sendersOf(block)).toContain(honest.address)
    // The block is full: the next transaction's limit does not fit.
    expect(block.header.gasUsed).toBeGreaterThan(BLOCK - Number(MOST) - 21_000)
    expect(block.transactions.length).toBeGreaterThan(1_700)
    // Each stranger is known now, and has used more than the honest sender.
    for (let nonce = 1; node.pool.stats.count > 0; nonce++) {
      await send(node, honest, transfer(nonce))
      expect(sendersOf(await node.produce())[0]).toBe(honest.address)
    }
  })

  it('of calls that burn all their gas, by twenty funded keys, has an honest transfer in the next block', async () => {
    const honest = testKey(crypto, 0)
    const burners = Array.from({ length: 20 }, (_, n) => testKey(crypto, 200 + n))
    const node = await open([honest, ...burners])
    // The honest sender has used something, the others have not.
    for (let nonce = 0; nonce < 3; nonce++) {
      await send(node, honest, transfer(nonce))
      await node.produce()
    }
    const data = encodeFunctionData({ abi: ABI })
    await flood(node, burners, 2, (nonce) => ({ nonce, gas: MOST, to: BURNER, data }))
    for (let nonce = 3; nonce < 6; nonce++) {
      await send(node, honest, transfer(nonce))
      const block = await node.produce()
      expect(sendersOf(block)).toContain(honest.address)
      // A burner's transaction too.
      expect(block.transactions.length).toBeGreaterThanOrEqual(2)
    }
  })
})

describe('what senders used', { timeout: TIMEOUT }, () => {
  /** Blocks in which known senders and newcomers send, burn, and fund one another. */
  async function lively(node: TestNode, [known, rich, ...fresh]: readonly TestKey[], blocks: number): Promise<void> {
    const nonces = new Map<TestKey, number>()
    const next = (key: TestKey) => {
      const nonce = nonces.get(key) ?? 0
      nonces.set(key, nonce + 1)
      return nonce
    }
    for (let height = 0; height < blocks; height++) {
      await send(node, known!, transfer(next(known!)))
      const newcomer = fresh[height % fresh.length]!
      await send(node, newcomer, { nonce: next(newcomer), gas: 200_000n, to: BURNER, data: encodeFunctionData({ abi: ABI }) })
      if (height % 7 === 0) await send(node, rich!, { nonce: next(rich!), gas: 100_000n, to: BURNER, data: '0xffffffff' })
      // A newcomer that receives something is known before it sends.
      if (height % 11 === 0) await send(node, known!, transfer(next(known!), { to: fresh[(height + 1) % fresh.length]!.address }))
      await node.produce()
    }
  }

  /** The order in which senders would be served now, with their use, as the pool offers them. */
  async function figures(node: TestNode, keys: readonly TestKey[]) {
    for (const key of keys) await send(node, key, transfer(nonceOf(node, key), { value: 0n }))
    const fill = { gasMax: BLOCK, bytesMax: 4_194_304, part: 1 }
    return node.pool.candidates(fill).map(({ use, candidates }) => [use, candidates.map(({ sender }) => sender)])
  }
  const nonceOf = ({ kv }: TestNode, { address }: TestKey) => accountFromValue(kv.get(flatKeyOf(accountKey(address)))).nonce

  it('is the same after a restart, and counts for a hundred blocks', async () => {
    const keys = Array.from({ length: 12 }, (_, n) => testKey(crypto, n))
    const unseen = testKey(crypto, 99)
    const kv = new MemoryKv()
    const node = await open(keys.slice(0, 2), kv)
    await lively(node, keys, 105)
    const restarted = await open(keys.slice(0, 2), kv.clone())
    const before = await figures(node, [...keys, unseen])
    expect(await figures(restarted, [...keys, unseen])).toEqual(before)
    // Of ten that entered the state by sending, in the first ten blocks, five did so more than a hundred blocks ago. The others are still
    // newcomers, and so is a sender that the state does not know.
    expect(before.map(([, senders]) => new Set(senders as Address[]).size)).toEqual([...new Array(7).fill(1), 6])
    expect(before.at(-1)![0]).toBeGreaterThan(POOL_LIMITS.useFloorGas)

    const idle = await open(keys.slice(0, 2), kv.clone())
    for (let height = 0; height < 100; height++) await idle.produce()
    const after = await figures(idle, keys)
    const floor = POOL_LIMITS.useFloorGas
    // All have sent before, and used nothing recently: they go first.
    expect(after.map(([use]) => use)).toEqual(keys.map(() => floor - 1))
  })
})
