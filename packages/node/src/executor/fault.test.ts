import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Worker } from 'node:worker_threads'
import { type BlockTemplate, type ExecutableTransaction, type ExecutedBlock, InterpreterFault, unpackOps } from '@quoin/execution'
import { MemoryKv } from '@quoin/platform'
import { Address, codec, Hash, hexToBytes, nobleCrypto, receiptsCodec, type TimeMs, unwrap } from '@quoin/protocol'
import { encodeFunctionData, parseAbi } from 'viem'
import type { PrivateKeyAccount } from 'viem/accounts'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { containerOf } from '../../../../test/contracts/contract.mjs'
import {
  inOrder,
  LogRecorder,
  openTestExecutor,
  openTestNode,
  testAccounts,
  testGenesis,
  testValidators,
} from '../../test/chain.ts'
import { Quarantine } from '../mempool/quarantine.ts'
import { type OwnedKv, openClassicKv } from '../store/classic-kv.ts'
import type { ExecutorMessage } from './messages.ts'
import { Turns } from './turns.ts'
import { EXECUTION_WORKER_LIMITS, executionWorkers, WorkerExecutor } from './worker-executor.ts'

/**
 * A stack that is large enough to start a thread, but on which V8 throws long before the depth limit that is the same on every machine: a
 * guest can parse about 2,000 nested arrays there, but is allowed more than 3,000.
 */
const smallStackMb = 0.5

const ABI = parseAbi(['function parse(string text) returns (uint256)'])
const address = Address(`0x${'77'.repeat(20)}`)
const validators = testValidators(nobleCrypto, 4)
const genesis = testGenesis(nobleCrypto, validators.set, {
  systemContracts: [
    {
      address,
      code: containerOf('export default { functions: { parse: (text) => BigInt(JSON.parse(text).length) } }', [...ABI]),
    },
  ],
})
const [, deepAccount, flatAccount] = testAccounts as [PrivateKeyAccount, PrivateKeyAccount, PrivateKeyAccount]
const { chainId } = genesis

/** A transaction that parses this many nested arrays. */
async function parse(account: PrivateKeyAccount, depth: number, nonce = 0): Promise<ExecutableTransaction> {
  const data = encodeFunctionData({ abi: ABI, args: ['['.repeat(depth) + ']'.repeat(depth)] })
  const raw = await account.signTransaction({ type: 'legacy', chainId, nonce, to: address, gas: 14_000_000n, gasPrice: 1n, data })
  return { raw: hexToBytes(raw), sender: Address(account.address) }
}
const deep = () => parse(deepAccount, 3_000)
const flat = () => parse(flatAccount, 1)
const hashOf = ({ raw }: ExecutableTransaction): Hash => Hash(nobleCrypto.keccak256(raw))

const statuses = ({ receipts }: ExecutedBlock) => unwrap(codec.decode(receiptsCodec, receipts)).map(({ status }) => status)

const templateAbove = ({ header, hash }: ExecutedBlock, ms = 500): BlockTemplate => ({
  parent: header,
  parentHash: hash,
  timeMs: (header.timeMs + ms) as TimeMs,
  miner: validators.set.validators[0]!.feeAddress,
  extra: header.extra,
})

let directory: string
let kv: OwnedKv
let log: LogRecorder
let stacksMb: number[]
let turnsOf: Turns[]

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'quoin-fault-'))
  kv = await openClassicKv(directory)
  log = new LogRecorder()
  stacksMb = []
  turnsOf = []
})
afterEach(async () => {
  await kv.close()
  await rm(directory, { recursive: true })
})

/** Opens an executor whose threads get the stack that `granted` returns. */
async function open(granted = (stackSizeMb: number) => stackSizeMb): Promise<WorkerExecutor> {
  const real = executionWorkers({ databasePath: directory, chainId, treeDepth: 4, historyHeights: 8 })
  const start = (stackSizeMb: number): Worker => {
    stacksMb.push(stackSizeMb)
    const worker = real(granted(stackSizeMb))
    worker.once('message', ({ opened }: Extract<ExecutorMessage, { kind: 'opened' }>) =>
      turnsOf.push(new Turns(unwrap(opened).turns)),
    )
    return worker
  }
  const onFailure = (error: Error): never => {
    throw error
  }
  return unwrap(await WorkerExecutor.open({ start, stackSizeMb: smallStackMb, logger: log, onFailure }))
}
const grownMb = smallStackMb * EXECUTION_WORKER_LIMITS.stackGrowthFactor
const alwaysSmall = () => smallStackMb

async function commitGenesis(executor: WorkerExecutor): Promise<ExecutedBlock> {
  const first = await executor.genesis(genesis)
  await kv.write(unpackOps(first.ops))
  await executor.commit(first.hash)
  return first
}

/** Threads may start slowly on a busy machine. */
const timeout = 60_000

describe('a transaction for which the stack of the execution worker is too small', { timeout }, () => {
  it('runs on a larger stack with the same result as on every other node, and that thread stays', async () => {
    const executor = await open()
    const first = await commitGenesis(executor)
    const before = unwrap(await executor.execute(templateAbove(first), [await flat()]))
    const built = await executor.build(templateAbove(first), inOrder([await deep(), await flat()]), {
      gasMax: 6e7,
      bytesMax: 1e6,
      part: 1,
    })
    expect(stacksMb).toEqual([smallStackMb, grownMb])
    expect(built.included).toEqual([0, 1])
    expect(statuses(built)).toEqual([1, 1])
    const memory = new MemoryKv()
    const inline = await openTestExecutor(nobleCrypto, memory)
    await memory.write(unpackOps((await inline.genesis(genesis)).ops))
    await inline.commit(first.hash)
    const other = unwrap(await inline.execute(templateAbove(first), [await deep(), await flat()]))
    expect({ ...built, included: undefined, refused: undefined }).toEqual({ ...other, included: undefined, refused: undefined })
    // A block that the small thread executed can still be committed, and the next deep one needs no new thread.
    await kv.write(unpackOps(before.ops))
    await executor.commit(before.hash)
    expect((await executor.execute(templateAbove(before), [await deep()])).ok).toBe(true)
    expect(stacksMb).toEqual([smallStackMb, grownMb, grownMb])
    await executor.close()
  })

  it('fails with its hash if the larger stack is too small too, and a thread is started for it only the first time', async () => {
    const executor = await open(alwaysSmall)
    const first = await commitGenesis(executor)
    const bad = await deep()
    for (let i = 0; i < 2; i++) {
      const fault: unknown = await executor.execute(templateAbove(first), [await flat(), bad]).catch((error: unknown) => error)
      expect(fault).toBeInstanceOf(InterpreterFault)
      expect(fault).toMatchObject({ transaction: hashOf(bad), cause: { name: 'RangeError' } })
    }
    expect(stacksMb).toEqual([smallStackMb, grownMb])
    // What the main thread would read if the worker had died there.
    expect(turnsOf[1]!.transaction).toBe(hashOf(bad))
    expect(unwrap(await executor.execute(templateAbove(first), [await flat()])).header.gasUsed).toBeGreaterThan(21_000)
    await executor.close()
  })

  it('fails with its hash if no larger thread can be started; the small one continues', async () => {
    const executor = await open((stackSizeMb) => {
      if (stackSizeMb > smallStackMb) throw new Error('no memory for a stack')
      return stackSizeMb
    })
    const first = await commitGenesis(executor)
    await expect(executor.execute(templateAbove(first), [await deep()])).rejects.toThrow(InterpreterFault)
    expect((await executor.execute(templateAbove(first), [await flat()])).ok).toBe(true)
    expect(stacksMb).toEqual([smallStackMb, grownMb])
    await executor.close()
  })

  it('never stops a node: it builds its blocks without the transaction, also after a restart, and follows all others', async () => {
    const executor = await open(alwaysSmall)
    const node = await openTestNode({ crypto: nobleCrypto, validators, genesis, kv, executor })
    const [bad, good] = [await deep(), await flat()]
    const block = await node.produce([bad.raw, good.raw])
    expect(block.transactions.map(({ hash }) => hash)).toEqual([hashOf(good)])
    expect((await Quarantine.open(kv)).has(hashOf(bad))).toBe(true)
    expect(await node.pool.add(bad.raw, 'rpc')).toMatchObject({ ok: false, error: { code: 'quarantined' } })
    const healthy = await openTestNode({ crypto: nobleCrypto, validators, genesis })
    await healthy.chain.commit(block, node.chain.head.certificate!)
    const proposed = await healthy.produce([bad.raw])
    expect(await node.chain.validate(proposed)).toMatchObject({
      ok: false,
      error: { code: 'interpreter-fault', transaction: hashOf(bad) },
    })
    await executor.close()
    // With the normal stack, the block becomes final here too.
    stacksMb = []
    const repaired = await open()
    const restarted = await openTestNode({ crypto: nobleCrypto, validators, genesis, kv, executor: repaired })
    expect(await restarted.pool.add(bad.raw, 'rpc')).toMatchObject({ ok: false, error: { code: 'quarantined' } })
    await restarted.chain.commit(proposed, healthy.chain.head.certificate!)
    expect(restarted.chain.head.hash).toBe(healthy.chain.head.hash)
    await repaired.close()
  })
})
