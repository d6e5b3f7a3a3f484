import { InterpreterFault } from '@quoin/execution'
import { MemoryKv } from '@quoin/platform'
import { nobleCrypto as crypto, Hash, type TimeMs, unwrap, ZERO_HASH } from '@quoin/protocol'
import { describe, expect, it } from 'vitest'
import {
  certify,
  openTestExecutor,
  openTestNode,
  type TestNode,
  testAccounts,
  testTransfers,
  testValidators,
} from '../../test/chain.ts'
import { faultyExecutor, type Poison } from '../../test/faulty-executor.ts'
import { buildFaultsMax, suspensionHeights } from './faults.ts'

const validators = testValidators(crypto, 4)
const [, first, second, third] = testAccounts

/** A node whose interpreter fails at the poison transaction, and only there. */
async function openFaulty(poison: Poison, kv = new MemoryKv()): Promise<TestNode> {
  const executor = faultyExecutor(await openTestExecutor(crypto, kv), crypto, poison)
  return openTestNode({ crypto, validators, kv, executor })
}

const hashOf = (raw: Uint8Array): Hash => Hash(crypto.keccak256(raw))
const request = ({ chain }: TestNode) => ({
  timeMs: (chain.head.header.timeMs + 500) as TimeMs,
  feeAddress: validators.set.validators[0]!.feeAddress,
  fillGasMax: chain.head.parameters.blockGasMax,
})
const hashesOf = (block: { readonly transactions: readonly { readonly hash: Hash }[] }) =>
  block.transactions.map(({ hash }) => hash)

describe('an interpreter fault while a block is built', () => {
  it('costs the transaction and those behind it, for good; the block holds all others', async () => {
    const [bad, behind] = await testTransfers(first!, 0, 2)
    const [good] = await testTransfers(second!, 0, 1)
    const kv = new MemoryKv()
    const node = await openFaulty({ transactions: new Set([hashOf(bad!)]) }, kv)
    const block = await node.produce([bad!, behind!, good!])
    expect(hashesOf(block)).toEqual([hashOf(good!)])
    expect(await node.pool.add(bad!, 'rpc')).toMatchObject({ ok: false, error: { code: 'quarantined' } })
    expect(hashesOf(await node.produce())).toEqual([])
    const restarted = await openTestNode({ crypto, validators, kv })
    expect(await restarted.pool.add(bad!, 'rpc')).toMatchObject({ ok: false, error: { code: 'quarantined' } })
    expect(node.log.lines.filter(({ level }) => level === 'error')).toMatchObject([
      { fields: { height: 1, transaction: hashOf(bad!), error: expect.stringContaining('Maximum call stack') } },
    ])
  })

  it('of an unknown transaction lets all candidates wait, and the block is empty', async () => {
    const [bad] = await testTransfers(first!, 0, 1)
    const [good] = await testTransfers(second!, 0, 1)
    const node = await openFaulty({ transactions: new Set([hashOf(bad!)]), isNamed: false })
    expect(hashesOf(await node.produce([bad!, good!]))).toEqual([])
    expect(node.pool.stats.count).toBe(2)
    const [late] = await testTransfers(third!, 0, 1)
    expect(hashesOf(await node.produce([late!]))).toEqual([hashOf(late!)])
    expect(suspensionHeights).toBe(2)
    expect(hashesOf(await node.produce())).toEqual([])
  })

  it('is tried again a bounded number of times, and then the block is empty', async () => {
    const [good] = await testTransfers(first!, 0, 1)
    const node = await openTestNode({ crypto, validators })
    const counts: number[] = []
    const build = node.executor.build.bind(node.executor)
    // Whichever transaction is left out, the next one fails.
    node.executor.build = async (template, queues, fill) => {
      const { length } = queues.flatMap(({ candidates }) => candidates)
      counts.push(length)
      if (length > 0) throw new InterpreterFault(ZERO_HASH, new RangeError('Maximum call stack size exceeded'))
      return build(template, queues, fill)
    }
    expect(hashesOf(await node.produce([good!]))).toEqual([])
    expect(counts).toEqual([...new Array<number>(buildFaultsMax).fill(1), 0])
  })
})

describe('an interpreter fault in a block of another', () => {
  it('is a refusal of its own and quarantines the transaction; the next block is validated', async () => {
    const [bad] = await testTransfers(first!, 0, 1)
    const [healthy, node] = [
      await openTestNode({ crypto, validators }),
      await openFaulty({ transactions: new Set([hashOf(bad!)]) }),
    ]
    const empty = await healthy.chain.build(request(healthy))
    unwrap(await healthy.pool.add(bad!, 'rpc'))
    const block = await healthy.chain.build(request(healthy))
    expect(await node.chain.validate(block)).toMatchObject({
      ok: false,
      error: { code: 'interpreter-fault', transaction: hashOf(bad!), message: expect.stringContaining('RangeError') },
    })
    expect(await node.pool.add(bad!, 'gossip')).toMatchObject({ ok: false, error: { code: 'quarantined' } })
    expect(await node.chain.validate(empty)).toEqual({ ok: true, value: undefined })
  })

  it('ends the node when the block is decided', async () => {
    const [bad] = await testTransfers(first!, 0, 1)
    const [healthy, node] = [
      await openTestNode({ crypto, validators }),
      await openFaulty({ transactions: new Set([hashOf(bad!)]) }),
    ]
    const block = await healthy.produce([bad!])
    const certificate = certify(crypto, node.chain.domain, validators, block)
    await expect(node.chain.commit(block, certificate)).rejects.toThrow(/interpreter failed in transaction 0x/)
    expect(node.chain.head.header.number).toBe(0)
  })
})

it('transactions of a block that yields another root wait for some heights, and stay in the pool', async () => {
  const [one] = await testTransfers(first!, 0, 1)
  const [two] = await testTransfers(second!, 0, 1)
  const node = await openTestNode({ crypto, validators })
  for (const raw of [one!, two!]) unwrap(await node.pool.add(raw, 'rpc'))
  const other = await openTestNode({ crypto, validators })
  unwrap(await other.pool.add(one!, 'rpc'))
  const block = await other.chain.build(request(other))
  const header = { ...block.header, stateRoot: ZERO_HASH }
  expect(await node.chain.validate({ ...block, header, hash: ZERO_HASH })).toMatchObject({ error: { code: 'root-mismatch' } })
  expect(hashesOf(await node.produce())).toEqual([hashOf(two!)])
  for (let height = 2; height <= suspensionHeights; height++) expect(hashesOf(await node.produce())).toEqual([])
  expect(hashesOf(await node.produce())).toEqual([hashOf(one!)])
})
