import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { Hash, hexToBytes, nobleCrypto, unwrap } from '@quoin/protocol'
import { bytesToHex, encodeDeployData, type Hex, parseAbi } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { containerOf } from '../../../../test/contracts/contract.mjs'
import { LogRecorder, openTestNode, type TestNode, testAccounts, testGenesis, testValidators } from '../../test/chain.ts'
import { ManualWatch } from '../../test/watch.ts'
import type { CandidateBlock } from '../chain/types.ts'
import { Quarantine } from '../mempool/quarantine.ts'
import { type OwnedKv, openClassicKv } from '../store/classic-kv.ts'
import type { ExecutorMessage, ExecutorWorkerData } from './messages.ts'
import { Turns } from './turns.ts'
import { workMsMax } from './watchdog.ts'
import { EXECUTION_WORKER_LIMITS, WorkerExecutor } from './worker-executor.ts'

/** Steps of a transaction's execution in a block. Each may fail on a machine. */
const STEPS = [
  'decode',
  'begin',
  'kv.get',
  'interpreter.compile',
  'interpreter.call',
  'receipt',
  'crypto.keccak256',
  'interpreter.packImage',
] as const
type Fault = readonly [of: string, step: string, how: 'throw' | 'loop']

const ABI = parseAbi(['constructor(uint256 n)', 'event Made(uint256 n)'])
const SOURCE = 'export default { constructor(n) { quoin.emit("Made", n) } }'
const validators = testValidators(nobleCrypto, 4)
const genesis = testGenesis(nobleCrypto, validators.set)
const [funder] = testAccounts
const { blockGasMax } = genesis.parameters

/** A contract creation that emits a log and passes all of these steps. Gas is free, so any account can send it. */
async function creation(nonce: number, account = funder!, n = nonce): Promise<Uint8Array> {
  const bytecode = bytesToHex(containerOf(`${SOURCE} // ${account.address} ${n}`, [...ABI]))
  const data = encodeDeployData({ abi: ABI, bytecode, args: [BigInt(n)] })
  const fields = { type: 'legacy', chainId: genesis.chainId, nonce, gas: 8_000_000n, gasPrice: 0n, data } as const
  return hexToBytes(await account.signTransaction(fields))
}
const stranger = (n: number) => privateKeyToAccount(`0x${String(n + 1).padStart(64, '0')}` as Hex)
const hashOf = (raw: Uint8Array): Hash => Hash(nobleCrypto.keccak256(raw))
const hashesOf = ({ transactions }: CandidateBlock) => transactions.map(({ hash }) => hash)

let directory: string
let kv: OwnedKv
let log: LogRecorder
let watch: ManualWatch
/** `Turns` of each started thread. */
let turns: Turns[]
/** Number of started threads. */
let started: number

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'quoin-steps-'))
  kv = await openClassicKv(directory)
  log = new LogRecorder()
  watch = new ManualWatch()
  turns = []
  started = 0
})
afterEach(async () => {
  await kv.close()
  await rm(directory, { recursive: true })
})

/** Opens an executor whose nth thread has the faults that `faultsOf` returns. */
async function open(faultsOf: (thread: number) => readonly Fault[]): Promise<WorkerExecutor> {
  const start = (stackSizeMb: number): Worker => {
    const data: ExecutorWorkerData = { databasePath: directory, chainId: genesis.chainId, treeDepth: 4, historyHeights: 8 }
    const workerData = { ...data, faults: faultsOf(started++) }
    const script = new URL('../../test/faulty-worker.mjs', import.meta.url)
    const worker = new Worker(script, { workerData, resourceLimits: { stackSizeMb }, execArgv: [] })
    worker.once('message', ({ opened }: Extract<ExecutorMessage, { kind: 'opened' }>) =>
      turns.push(new Turns(unwrap(opened).turns)),
    )
    return worker
  }
  const onFailure = (error: Error): never => {
    throw error
  }
  return unwrap(await WorkerExecutor.open({ start, logger: log, onFailure, watch }))
}

const openNode = (executor: WorkerExecutor): Promise<TestNode> =>
  openTestNode({ crypto: nobleCrypto, validators, genesis, kv, executor })

/** A block with these transactions on top of a node's head, proposed by a machine without faults. */
async function proposal(healthy: TestNode, raws: readonly Uint8Array[]): Promise<CandidateBlock> {
  for (const raw of raws) unwrap(await healthy.pool.add(raw, 'rpc'))
  const { header, parameters } = healthy.chain.head
  const block = await healthy.chain.build({
    timeMs: (header.timeMs + 500) as never,
    feeAddress: validators.set.validators[0]!.feeAddress,
    fillGasMax: parameters.blockGasMax,
  })
  healthy.pool.drop(hashesOf(block))
  return block
}

/** Threads may start slowly on a busy machine. */
const timeout = 60_000

describe('a machine that fails at a step of a transaction', { timeout }, () => {
  it.each([
    ['quarantines it when it builds, and the block holds the others', 'build'],
    ['votes nil on a block that holds it, and follows the others', 'validate'],
  ])('%s', async (_, way) => {
    const raws = await Promise.all(STEPS.map((_, i) => creation(0, stranger(i))))
    const good = await creation(0)
    const faults = STEPS.map((step, i): Fault => [hashOf(raws[i]!), step, 'throw'])
    const executor = await open(() => faults)
    const node = await openNode(executor)
    const healthy = await openTestNode({ crypto: nobleCrypto, validators, genesis })
    if (way === 'build') {
      expect(hashesOf(await node.produce([...raws.slice(0, 4), good]))).toEqual([hashOf(good)])
      expect(hashesOf(await node.produce(raws.slice(4)))).toEqual([])
    } else {
      for (const [i, raw] of raws.entries()) {
        const verdict = await node.chain.validate(await proposal(healthy, [good, raw]))
        expect(verdict, STEPS[i]).toMatchObject({ ok: false, error: { code: 'interpreter-fault', transaction: hashOf(raw) } })
      }
      const block = await healthy.produce([good])
      expect(await node.chain.validate(block)).toEqual({ ok: true, value: undefined })
      await node.chain.commit(block, healthy.chain.head.certificate!)
    }
    const quarantine = await Quarantine.open(kv)
    for (const [i, raw] of raws.entries()) expect(quarantine.has(hashOf(raw)), STEPS[i]).toBe(true)
    expect(quarantine.has(hashOf(good))).toBe(false)
    await executor.close()
  })
})

describe('a machine on which a transaction never ends', { timeout }, () => {
  /** Resolves when the nth thread runs the transaction. */
  const reaches = (thread: number, transaction: Hash): Promise<void> =>
    vi.waitFor(() => expect(turns[thread]?.transaction).toBe(transaction), { timeout, interval: 5 })

  /** As `reaches`, then advances the clock past the time limit. */
  async function runOut(thread: number, transaction: Hash, attempt: number): Promise<void> {
    await reaches(thread, transaction)
    watch.work(workMsMax(blockGasMax, attempt))
  }

  it('quarantines it while building a block, after a second attempt with four times as much time', async () => {
    const [bad, good] = [await creation(0, stranger(1)), await creation(0)]
    const executor = await open(() => [[hashOf(bad), 'interpreter.call', 'loop']])
    const node = await openNode(executor)
    const block = node.produce([bad, good])
    await runOut(0, hashOf(bad), 0)
    await runOut(1, hashOf(bad), 0)
    expect((await Quarantine.open(kv)).has(hashOf(bad))).toBe(false)
    await runOut(1, hashOf(bad), 1)
    expect(hashesOf(await block)).toEqual([hashOf(good)])
    expect((await Quarantine.open(kv)).has(hashOf(bad))).toBe(true)
    expect(log.lines).toMatchObject([
      { level: 'warn', fields: { error: expect.stringMatching(/call of build took longer than 4800 ms/) } },
      { level: 'warn', fields: { error: expect.stringMatching(/call of build took longer than 19200 ms/) } },
    ])
    await executor.close()
  })

  it('votes nil on a block that contains it; if the block is decided, it makes one more attempt before it gives up', async () => {
    const [bad, good] = [await creation(0, stranger(1)), await creation(0)]
    // Four threads in which it does not end: two of a proposal, two of the decided block, whose third attempt succeeds.
    const executor = await open((thread) => (thread < 4 ? [[hashOf(bad), 'interpreter.call', 'loop']] : []))
    const node = await openNode(executor)
    const healthy = await openTestNode({ crypto: nobleCrypto, validators, genesis })
    const block = await healthy.produce([bad, good])
    const verdict = node.chain.validate(block)
    for (const attempt of [0, 1]) await runOut(attempt, hashOf(bad), attempt)
    expect(await verdict).toMatchObject({ ok: false, error: { code: 'interpreter-fault', transaction: hashOf(bad) } })
    const decided = node.chain.validate(block, true)
    for (const attempt of [0, 1]) await runOut(2 + attempt, hashOf(bad), attempt)
    expect(await decided).toEqual({ ok: true, value: undefined })
    await node.chain.commit(block, healthy.chain.head.certificate!)
    expect(node.chain.head.hash).toBe(healthy.chain.head.hash)
    await executor.close()
  })

  it('gives up on a decided block after the third attempt', async () => {
    const bad = await creation(0)
    const executor = await open(() => [[hashOf(bad), 'interpreter.call', 'loop']])
    const node = await openNode(executor)
    const healthy = await openTestNode({ crypto: nobleCrypto, validators, genesis })
    const block = await healthy.produce([bad])
    const committed = node.chain.commit(block, healthy.chain.head.certificate!).catch((error: unknown) => error)
    for (let attempt = 0; attempt < EXECUTION_WORKER_LIMITS.deathsPerDecidedMax; attempt++)
      await runOut(attempt, hashOf(bad), attempt)
    expect(await committed).toMatchObject({ name: 'InterpreterFault', transaction: hashOf(bad) })
    await executor.close()
  })

  it('continues if the commit of a block never ends', async () => {
    const executor = await open((thread) => (thread === 0 ? [['commit', '2', 'loop']] : []))
    const node = await openNode(executor)
    let isOver = false
    const first = node.produce([await creation(0)]).finally(() => {
      isOver = true
    })
    while (!isOver) {
      // Advance the clock once the block is in the database, which is before its commit.
      if (node.store.head.header.number === 1) watch.work(1_000)
      await new Promise((resolve) => setImmediate(resolve))
    }
    const second = await node.produce([await creation(1)])
    expect(second.header.parentHash).toBe((await first).hash)
    expect(hashesOf(second)).toHaveLength(1)
    expect(log.lines).toMatchObject([{ fields: { error: expect.stringMatching(/call of commit took longer than 4800 ms/) } }])
    await executor.close()
  })

  it.each([1, 2])('ends at once when the node must stop, and blames no transaction: in attempt %i', async (attempt) => {
    const bad = await creation(0, stranger(1))
    const executor = await open(() => [[hashOf(bad), 'interpreter.call', 'loop']])
    const node = await openNode(executor)
    const block = node.produce([bad]).catch((error: unknown) => error)
    for (let failed = 0; failed < attempt - 1; failed++) await runOut(failed, hashOf(bad), failed)
    await reaches(attempt - 1, hashOf(bad))
    const closing = executor.close()
    executor.terminate()
    expect(await block).toMatchObject({ message: expect.stringMatching(/because the node is stopping/) })
    await closing
    expect((await Quarantine.open(kv)).has(hashOf(bad))).toBe(false)
    expect(turns).toHaveLength(attempt)
  })

  it('ends at once when the node must stop while a thread is opening its database', async () => {
    const executor = await open((thread) => (thread === 0 ? [['build', '1', 'throw']] : [['open', '', 'loop']]))
    // The first build, which opens the chain, kills the first thread; the next thread never opens.
    const node = openNode(executor).catch((error: unknown) => error)
    await vi.waitFor(() => expect(started).toBe(2), { timeout, interval: 5 })
    const closing = executor.close()
    executor.terminate()
    expect(await node).toMatchObject({ message: expect.stringMatching(/because the node is stopping/) })
    await closing
  })
})
