import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ResourceLimits, Worker } from 'node:worker_threads'
import {
  type BlockTemplate,
  createExecutor,
  EXECUTOR_LIMITS,
  type ExecutableTransaction,
  type ExecutedBlock,
  type Executor,
  executionVersion,
  InterpreterFault,
  unpackOps,
} from '@quoin/execution'
import { MemoryKv } from '@quoin/platform'
import {
  Address,
  type ChainId,
  createValidatorSet,
  DEFAULT_PARAMETERS,
  type Genesis,
  type Hash,
  hexToBytes,
  idOfName,
  LIMITS,
  nobleCrypto,
  ownSeat,
  type Power,
  publicKeyOf,
  type TimeMs,
  ungovernedConsortium,
  unwrap,
  type Validator,
  type Wei,
  ZERO_HASH,
} from '@quoin/protocol'
import { privateKeyToAccount } from 'viem/accounts'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { containerOf } from '../../../../test/contracts/contract.mjs'
import { inOrder, LogRecorder } from '../../test/chain.ts'
import { testInterpreter } from '../../test/interpreter.ts'
import { type OwnedKv, openClassicKv } from '../store/classic-kv.ts'
import type { ExecutorRequest } from './messages.ts'
import { EXECUTION_WORKER_LIMITS, executionWorkers, startWorkerExecutor, WorkerExecutor } from './worker-executor.ts'

const account = privateKeyToAccount(`0x${'11'.repeat(32)}`)
const sender = Address(account.address)
const chainId = 31_337 as ChainId
const settings = { chainId, treeDepth: 4, historyHeights: 2 }
const FILL = { gasMax: 60_000_000, bytesMax: LIMITS.blockBytesMax, part: 1 }

const validator: Validator = {
  id: idOfName('v')!,
  address: sender,
  publicKey: publicKeyOf(nobleCrypto.publicKey(hexToBytes(`0x${'11'.repeat(32)}`))!),
  power: 1 as Power,
  feeAddress: sender,
}

const genesis: Genesis = {
  chainId,
  timeMs: 1_700_000_000_000 as TimeMs,
  development: true,
  executionVersion: executionVersion(nobleCrypto),
  parameters: DEFAULT_PARAMETERS,
  validators: createValidatorSet([validator]),
  nodes: [],
  consortium: ungovernedConsortium([ownSeat(validator)]),
  alloc: [{ address: sender, balance: (10n ** 21n) as Wei }],
  systemContracts: [{ address: Address(`0x${'22'.repeat(20)}`), code: containerOf('export default {}', []) }],
  restart: undefined,
}

const templateAbove = ({ header, hash }: ExecutedBlock): BlockTemplate => ({
  parent: header,
  parentHash: hash,
  timeMs: (header.timeMs + 500) as TimeMs,
  miner: sender,
  extra: header.extra,
})

async function transfers(count: number): Promise<ExecutableTransaction[]> {
  const raws = Array.from({ length: count }, (_, nonce) =>
    account.signTransaction({
      chainId,
      nonce,
      gas: 21_000n,
      to: `0x${'33'.repeat(20)}`,
      value: 5n,
      maxFeePerGas: 1n,
      maxPriorityFeePerGas: 1n,
    }),
  )
  return (await Promise.all(raws)).map((raw) => ({ raw: hexToBytes(raw), sender }))
}

let directory: string
let kv: OwnedKv
const failures: Error[] = []

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'quoin-executor-'))
  kv = await openClassicKv(directory)
  failures.length = 0
})

afterEach(async () => {
  await kv.close()
  await rm(directory, { recursive: true })
  expect(failures).toEqual([])
})

const options = () => ({
  databasePath: directory,
  ...settings,
  logger: new LogRecorder(),
  onFailure: (error: Error) => failures.push(error),
})
const start = async (): Promise<WorkerExecutor> => unwrap(await startWorkerExecutor(options()))

/**
 * The real threads, some of which are killed right after the message that calls a method. A thread may answer before it is dead, and does on
 * a busy machine; such an answer is dropped, so that the call is always lost with its thread. `heap` is the heap limit of the first one.
 */
function watch(heap: ResourceLimits = {}) {
  const started: Worker[] = []
  const log = new LogRecorder()
  const kills = new Map<string, number>()
  const data = { databasePath: directory, ...settings }
  const start = (stackSizeMb: number): Worker => {
    const worker = executionWorkers(data, started.length === 0 ? heap : {})(stackSizeMb)
    started.push(worker)
    const post = worker.postMessage.bind(worker)
    worker.postMessage = (message: ExecutorRequest, buffers) => {
      post(message, buffers)
      const { method } = message.call
      const left = kills.get(method) ?? 0
      kills.set(method, left - 1)
      if (left <= 0) return
      mute(worker)
      void worker.terminate()
    }
    return worker
  }
  const killNext = (method: string, times = 1) => kills.set(method, times)
  return { started, log, killNext, powers: { start, logger: log, onFailure: (error: Error) => failures.push(error) } }
}

/** Drops further messages of a worker, but not its exit event. */
function mute(worker: Worker): void {
  const emit = worker.emit.bind(worker)
  worker.emit = (event: string | symbol, ...values: unknown[]) =>
    event !== 'message' && emit(event as 'error', ...(values as [Error]))
}

/** The state root of a new executor that opens the database now. */
async function inlineRoot(template: BlockTemplate, transactions: readonly ExecutableTransaction[]): Promise<Hash> {
  const inline = unwrap(await createExecutor({ kv, crypto: nobleCrypto, interpreter: await testInterpreter(), ...settings }))
  return unwrap(await inline.execute(template, transactions)).header.stateRoot
}

/** Genesis, a built block and an executed one on the same parent; commits the first, and builds one more on it. */
async function story(executor: Executor, write: (block: ExecutedBlock) => Promise<void>) {
  const transactions = await transfers(6)
  const first = await executor.genesis(genesis)
  await write(first)
  await executor.commit(first.hash)
  const template = templateAbove(first)
  const bad = { raw: Uint8Array.of(1), sender }
  const built = await executor.build(template, inOrder([...transactions.slice(0, 3), bad, transactions[4]!]), FILL)
  const other = unwrap(await executor.execute({ ...template, timeMs: (template.timeMs + 1) as TimeMs }, transactions.slice(0, 1)))
  const refused = await executor.execute(template, transactions.slice(1, 2))
  const again = unwrap(await executor.execute(template, transactions.slice(0, 3)))
  await write(built)
  await executor.commit(built.hash)
  const last = unwrap(await executor.execute(templateAbove(built), transactions.slice(3)))
  return { first, built, other, refused, again, last }
}

describe('the execution worker', () => {
  it('returns the same results as the inline executor', async () => {
    const memory = new MemoryKv()
    const interpreter = await testInterpreter()
    const inline = unwrap(await createExecutor({ kv: memory, crypto: nobleCrypto, interpreter, ...settings }))
    const worker = await start()
    expect(worker.version).toBe(inline.version)
    expect(worker.stats).toEqual({ lastMs: 0, maxMs: 0 })
    const told = await story(worker, (block) => kv.write(unpackOps(block.ops)))
    const { lastMs, maxMs } = worker.stats
    expect(lastMs).toBeGreaterThan(0)
    expect(maxMs).toBeGreaterThanOrEqual(lastMs)
    expect(told).toEqual(await story(inline, (block) => memory.write(unpackOps(block.ops))))
    expect(told.built.included).toEqual([0, 1, 2])
    expect(told.again.hash).toBe(told.built.hash)
    await worker.close()
  })

  it('continues on a database of an earlier executor', async () => {
    const before = await start()
    const { built, last } = await story(before, (block) => kv.write(unpackOps(block.ops)))
    await before.close()
    const after = await start()
    const again = unwrap(await after.execute(templateAbove(built), (await transfers(6)).slice(3)))
    expect(again).toEqual(last)
    await after.close()
  })

  it('rejects a call that throws, and serves the next', async () => {
    const worker = await start()
    await expect(worker.commit(ZERO_HASH)).rejects.toThrow(/was not executed/)
    await expect(worker.genesis({ ...genesis, executionVersion: ZERO_HASH })).rejects.toThrow(/execution version/)
    expect((await worker.genesis(genesis)).header.number).toBe(0)
    await worker.close()
  })

  it('returns an error for a database with another tree depth', async () => {
    const worker = await start()
    const first = await worker.genesis(genesis)
    await kv.write(unpackOps(first.ops))
    await worker.close()
    const other = { ...options(), treeDepth: 5 }
    expect(await startWorkerExecutor(other)).toMatchObject({ ok: false, error: { code: 'other-depth', depth: 4 } })
  })

  it('waits for earlier calls before it closes, and refuses later ones', async () => {
    const worker = await start()
    const pending = worker.genesis(genesis)
    const closing = worker.close()
    expect(worker.close()).toBe(closing)
    await expect(worker.commit(ZERO_HASH)).rejects.toThrow(/closed/)
    expect((await pending).header.number).toBe(0)
    await closing
  })

  it('accepts a limited number of calls', async () => {
    const worker = await start()
    const calls = Array.from({ length: EXECUTOR_LIMITS.callsMax + 1 }, () => worker.commit(ZERO_HASH))
    const outcomes = (await Promise.allSettled(calls)).map((result) =>
      result.status === 'rejected' ? String(result.reason) : 'fulfilled',
    )
    expect(outcomes.filter((reason) => reason.includes('was not executed'))).toHaveLength(EXECUTOR_LIMITS.callsMax)
    expect(outcomes.at(-1)).toContain(`at most ${EXECUTOR_LIMITS.callsMax}`)
    await worker.close()
  })

  it('rejects when the database cannot be opened', async () => {
    const missing = { ...options(), databasePath: '/dev/null/nowhere' }
    await expect(startWorkerExecutor(missing)).rejects.toThrow()
  })
})

/** Threads may start slowly on a busy machine. */
const timeout = 60_000

describe('a thread that dies', { timeout }, () => {
  it('in any call: the next thread serves the call, with the same results', async () => {
    const watched = watch()
    const memory = new MemoryKv()
    const inline = unwrap(
      await createExecutor({ kv: memory, crypto: nobleCrypto, interpreter: await testInterpreter(), ...settings }),
    )
    const expected = await story(inline, (block) => memory.write(unpackOps(block.ops)))
    const executor = unwrap(await WorkerExecutor.open(watched.powers))
    for (const method of ['genesis', 'build', 'execute', 'commit'] as const) watched.killNext(method)
    const told = await story(executor, (block) => kv.write(unpackOps(block.ops)))
    expect(told).toEqual(expected)
    expect(watched.started).toHaveLength(5)
    const lost = { level: 'warn', fields: { error: expect.stringContaining('exited with code 1') } }
    expect(watched.log.lines).toMatchObject([lost, lost, lost, lost])
    await executor.close()
  })

  it('before its block is committed: the block is still committed, and the next thread builds on it', async () => {
    const watched = watch()
    const executor = unwrap(await WorkerExecutor.open(watched.powers))
    const first = await executor.genesis(genesis)
    await kv.write(unpackOps(first.ops))
    await watched.started[0]!.terminate()
    await executor.commit(first.hash)
    const [one, two] = [await transfers(1), (await transfers(2)).slice(1)]
    // The first of two blocks at a height is lost with its thread, the second is executed by the next thread.
    const block = unwrap(await executor.execute(templateAbove(first), one))
    await watched.started[1]!.terminate()
    const other = unwrap(await executor.execute({ ...templateAbove(first), timeMs: (first.header.timeMs + 900) as TimeMs }, []))
    await kv.write(unpackOps(block.ops))
    await executor.commit(block.hash)
    await expect(executor.execute(templateAbove(other), two)).rejects.toThrow(/the database holds the state of block 1/)
    const above = unwrap(await executor.execute(templateAbove(block), two))
    expect(above.header.number).toBe(2)
    expect(await inlineRoot(templateAbove(block), two)).toBe(above.header.stateRoot)
    await executor.close()
  })

  it('twice during one call makes the call fail like an interpreter fault; the next call is served', async () => {
    const watched = watch()
    const executor = unwrap(await WorkerExecutor.open(watched.powers))
    watched.killNext('genesis', 2)
    const fault: unknown = await executor.genesis(genesis).catch((error: unknown) => error)
    expect(fault).toBeInstanceOf(InterpreterFault)
    expect(fault).toMatchObject({ transaction: undefined, message: expect.stringContaining('exited with code 1') })
    expect((await executor.genesis(genesis)).header.number).toBe(0)
    expect(watched.started).toHaveLength(3)
    await executor.close()
  })

  it.each([
    ['twice in one transaction: the fault names it', [7, 7], `0x${'07'.repeat(32)}`],
    ['in one transaction, then in another: the fault names none', [7, 8], undefined],
    ['in a transaction, then before any: the fault names none', [7, 0], undefined],
  ])('%s', async (_, [first, second], transaction) => {
    const told: Error[] = []
    /** Dies during its first call, while it runs a transaction whose hash repeats one byte. */
    const mortal = (byte: number) =>
      new Worker(
        `const port = require('node:worker_threads').parentPort
        const turns = new SharedArrayBuffer(36)
        port.on('message', () => { new Uint8Array(turns).fill(${byte}); process.exit(1) })
        const value = { version: '${ZERO_HASH}', backend: 'none', turns }
        port.postMessage({ kind: 'opened', opened: { ok: true, value } })`,
        { eval: true },
      )
    const bytes = [first!, second!]
    const start = () => mortal(bytes.shift()!)
    const executor = unwrap(
      await WorkerExecutor.open({ start, logger: new LogRecorder(), onFailure: (error) => told.push(error) }),
    )
    await expect(executor.genesis(genesis)).rejects.toMatchObject({ name: 'InterpreterFault', transaction })
    expect(told).toEqual([])
    await executor.close()
  })

  it('because its heap is too small: the call is served by the next thread', async () => {
    const watched = watch({ maxOldGenerationSizeMb: 18, maxYoungGenerationSizeMb: 4 })
    const executor = unwrap(await WorkerExecutor.open(watched.powers))
    const first = await executor.genesis(genesis)
    await kv.write(unpackOps(first.ops))
    await executor.commit(first.hash)
    const [transfer] = await transfers(1)
    const many = new Array<ExecutableTransaction>(120_000).fill(transfer!)
    const built = await executor.build(templateAbove(first), inOrder(many), FILL)
    expect(built.included).toEqual([0])
    expect(watched.log.lines.map(({ fields }) => fields)).toMatchObject([
      { error: expect.stringMatching(/out of memory|memory limit/i) },
    ])
    await executor.close()
  })

  it('repeatedly before it can serve: every call is refused, and the node is notified once', async () => {
    const told: Error[] = []
    const watched = watch()
    let starts = 0
    const start = (stackSizeMb: number) =>
      starts++ === 0 ? watched.powers.start(stackSizeMb) : new Worker('process.exit(3)', { eval: true })
    const executor = unwrap(await WorkerExecutor.open({ ...watched.powers, start, onFailure: (error) => told.push(error) }))
    await watched.started[0]!.terminate()
    const calls = [executor.genesis(genesis), executor.commit(ZERO_HASH)]
    for (const result of await Promise.allSettled(calls))
      expect(result).toMatchObject({ status: 'rejected', reason: { message: expect.stringContaining('exited with code 3') } })
    expect(starts).toBe(1 + EXECUTION_WORKER_LIMITS.failedStartsMax)
    expect(told).toHaveLength(1)
    await executor.close()
  })

  it('while idle can still be closed', async () => {
    const watched = watch()
    const executor = unwrap(await WorkerExecutor.open(watched.powers))
    await watched.started[0]!.terminate()
    await executor.close()
  })
})
