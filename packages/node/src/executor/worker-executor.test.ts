import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import {
  type BlockTemplate,
  createExecutor,
  EXECUTOR_LIMITS,
  type ExecutableTransaction,
  type ExecutedBlock,
  type Executor,
  executionVersion,
  unpackOps,
} from '@quoin/execution'
import {
  Address,
  type ChainId,
  createValidatorSet,
  DEFAULT_PARAMETERS,
  type Genesis,
  type Hash,
  hexToBytes,
  LIMITS,
  nobleCrypto,
  type Power,
  publicKeyOf,
  type TimeMs,
  unwrap,
  type Wei,
  ZERO_HASH,
} from '@quoin/protocol'
import { privateKeyToAccount } from 'viem/accounts'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type OwnedKv, openClassicKv } from '../store/classic-kv.ts'
import { MemoryKv } from '../store/memory-kv.ts'
import { startWorkerExecutor, WorkerExecutor } from './worker-executor.ts'

const account = privateKeyToAccount(`0x${'11'.repeat(32)}`)
const sender = Address(account.address)
const chainId = 31_337 as ChainId
const settings = { chainId, treeDepth: 4, historyHeights: 2 }
const FILL = { gasMax: 60_000_000, bytesMax: LIMITS.blockBytesMax }

const genesis: Genesis = {
  chainId,
  timeMs: 1_700_000_000_000 as TimeMs,
  development: true,
  executionVersion: executionVersion(nobleCrypto),
  parameters: DEFAULT_PARAMETERS,
  validators: createValidatorSet([
    {
      address: sender,
      publicKey: publicKeyOf(nobleCrypto.publicKey(hexToBytes(`0x${'11'.repeat(32)}`))!),
      power: 1 as Power,
      feeAddress: sender,
    },
  ]),
  nodes: [],
  alloc: [{ address: sender, balance: (10n ** 21n) as Wei }],
  systemContracts: [{ address: Address(`0x${'22'.repeat(20)}`), code: Uint8Array.of(0xef, 0x51) }],
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

const start = async (): Promise<WorkerExecutor> =>
  unwrap(await startWorkerExecutor({ databasePath: directory, ...settings, onFailure: (error) => failures.push(error) }))

/** Genesis, a built block and an executed one on the same parent, the first committed, one more above it. */
async function story(executor: Executor, write: (block: ExecutedBlock) => Promise<void>) {
  const transactions = await transfers(6)
  const first = await executor.genesis(genesis)
  await write(first)
  await executor.commit(first.hash)
  const template = templateAbove(first)
  const bad = { raw: Uint8Array.of(1), sender }
  const built = await executor.build(template, [...transactions.slice(0, 3), bad, transactions[4]!], FILL)
  const other = unwrap(await executor.execute({ ...template, timeMs: (template.timeMs + 1) as TimeMs }, transactions.slice(0, 1)))
  const refused = await executor.execute(template, transactions.slice(1, 2))
  const again = unwrap(await executor.execute(template, transactions.slice(0, 3)))
  await write(built)
  await executor.commit(built.hash)
  const last = unwrap(await executor.execute(templateAbove(built), transactions.slice(3)))
  return { first, built, other, refused, again, last }
}

describe('the execution worker', () => {
  it('gives what the inline executor gives', async () => {
    const memory = new MemoryKv()
    const inline = unwrap(await createExecutor({ kv: memory, crypto: nobleCrypto, ...settings }))
    const worker = await start()
    expect(worker.version).toBe(inline.version)
    const told = await story(worker, (block) => kv.write(unpackOps(block.ops)))
    expect(told).toEqual(await story(inline, (block) => memory.write(unpackOps(block.ops))))
    expect(told.built.included).toEqual([0, 1, 2])
    expect(told.again.hash).toBe(told.built.hash)
    await worker.close()
  })

  it('continues on a database that another one left', async () => {
    const before = await start()
    const { built, last } = await story(before, (block) => kv.write(unpackOps(block.ops)))
    await before.close()
    const after = await start()
    const again = unwrap(await after.execute(templateAbove(built), (await transfers(6)).slice(3)))
    expect(again).toEqual(last)
    await after.close()
  })

  it('rejects the call that throws, and serves the next', async () => {
    const worker = await start()
    await expect(worker.commit(ZERO_HASH)).rejects.toThrow(/was not executed/)
    await expect(worker.genesis({ ...genesis, executionVersion: ZERO_HASH })).rejects.toThrow(/execution version/)
    expect((await worker.genesis(genesis)).header.number).toBe(0)
    await worker.close()
  })

  it('refuses a database of another tree depth as a value', async () => {
    const worker = await start()
    const first = await worker.genesis(genesis)
    await kv.write(unpackOps(first.ops))
    await worker.close()
    const other = { databasePath: directory, ...settings, treeDepth: 5, onFailure: (error: Error) => failures.push(error) }
    expect(await startWorkerExecutor(other)).toMatchObject({ ok: false, error: { code: 'other-depth', depth: 4 } })
  })

  it('lets earlier calls end before it closes, and refuses later ones', async () => {
    const worker = await start()
    const pending = worker.genesis(genesis)
    const closing = worker.close()
    expect(worker.close()).toBe(closing)
    await expect(worker.commit(ZERO_HASH)).rejects.toThrow(/closed/)
    expect((await pending).header.number).toBe(0)
    await closing
  })

  it('takes a bounded number of calls', async () => {
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
    const missing = { databasePath: '/dev/null/nowhere', ...settings, onFailure: (error: Error) => failures.push(error) }
    await expect(startWorkerExecutor(missing)).rejects.toThrow()
  })
})

describe('a worker that dies', () => {
  const dying = (code: string) => {
    const told: Error[] = []
    const worker = new Worker(`require('node:worker_threads').parentPort.on('message', () => { ${code} })`, { eval: true })
    return { told, executor: new WorkerExecutor(worker, ZERO_HASH, 'none', (error) => told.push(error)) }
  }

  it.each([
    ['by an error', `throw new RangeError('Maximum call stack size exceeded')`, /worker failed: Maximum call stack/],
    ['by an exit', 'process.exit(3)', /exited with code 3/],
    [
      'by answering what was not asked',
      `require('node:worker_threads').parentPort.postMessage({ kind: 'answer', id: 99 })`,
      /answered call 99/,
    ],
  ])('%s ends every call with its reason, and says so once', async (_, code, reason) => {
    const { told, executor } = dying(code)
    const calls = [executor.commit(ZERO_HASH as Hash), executor.commit(ZERO_HASH as Hash)]
    for (const result of await Promise.allSettled(calls))
      expect(result).toMatchObject({ status: 'rejected', reason: { message: expect.stringMatching(reason) } })
    await expect(executor.commit(ZERO_HASH)).rejects.toThrow(reason)
    await executor.close()
    expect(told).toEqual([expect.objectContaining({ message: expect.stringMatching(reason) })])
  })
})
