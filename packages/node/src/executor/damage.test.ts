import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { flatKeyOf, unpackOps } from '@quoin/execution'
import { Address, accountKey, nobleCrypto, type TimeMs, unwrap, type Wei } from '@quoin/protocol'
import { ClassicLevel } from 'classic-level'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { LogRecorder, testAccounts, testGenesis, testTransfers, testValidators } from '../../test/chain.ts'
import { type OwnedKv, openClassicKv } from '../store/classic-kv.ts'
import { DamagedError } from '../store/damage.ts'
import { systemClock } from '../system-clock.ts'
import { openCallPool } from './call-pool.ts'
import { startWorkerExecutor } from './worker-executor.ts'

const validators = testValidators(nobleCrypto, 4)
const genesis = testGenesis(nobleCrypto, validators.set)
const sender = Address(testAccounts[1]!.address)
const account = flatKeyOf(accountKey(sender))
const treeHead = Uint8Array.of(0x20, 0x00)

let directory: string
let kv: OwnedKv
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'quoin-damage-'))
  kv = await openClassicKv(directory)
})
afterEach(async () => {
  await kv.close()
  await rm(directory, { recursive: true })
})

const start = () =>
  startWorkerExecutor({
    databasePath: directory,
    chainId: genesis.chainId,
    treeDepth: 4,
    historyHeights: 8,
    logger: new LogRecorder(),
    onFailure: (error) => {
      throw error
    },
  })

/** Flips a bit of a record without updating its checksum. */
async function spoil(key: Uint8Array): Promise<void> {
  const options = { keyEncoding: 'view', valueEncoding: 'view', multithreading: true } as const
  const level = new ClassicLevel<Uint8Array, Uint8Array>(directory, options)
  await level.open()
  const record = (await level.get(key))!
  await level.put(key, Uint8Array.from(record).with(0, record[0]! ^ 1))
  await level.close()
}

async function genesisOn(executor: Awaited<ReturnType<typeof unwrappedStart>>) {
  const first = await executor.genesis(genesis)
  await kv.write(unpackOps(first.ops))
  await executor.commit(first.hash)
  return first
}

const unwrappedStart = async () => unwrap(await start())

// Threads may start slowly on a busy machine.
const timeout = 60_000

it('is not blamed on the transaction that found it: the block ends with DamagedError', { timeout }, async () => {
  const executor = await unwrappedStart()
  const { header, hash } = await genesisOn(executor)
  await spoil(account)
  const template = {
    parent: header,
    parentHash: hash,
    timeMs: (header.timeMs + 500) as TimeMs,
    miner: validators.set.validators[0]!.feeAddress,
    extra: header.extra,
  }
  const [raw] = await testTransfers(testAccounts[1]!, 0, 1)
  const block = executor.execute(template, [{ raw: raw!, sender }])
  await expect(block).rejects.toThrow(DamagedError)
  await expect(block).rejects.toMatchObject({ key: account, message: expect.stringContaining('flat state at 0x') })
  await executor.close()
})

it('includes an inconsistent tree whose records match their checksums', { timeout }, async () => {
  const executor = await unwrappedStart()
  const { header, hash } = await genesisOn(executor)
  const pages = { from: Uint8Array.of(0x20, 0x01), to: Uint8Array.of(0x20, 0x02) }
  for await (const [key, value] of kv.scan(pages)) await kv.write([{ key, value: value.subarray(1) }])
  const template = {
    parent: header,
    parentHash: hash,
    timeMs: (header.timeMs + 500) as TimeMs,
    miner: validators.set.validators[0]!.feeAddress,
    extra: header.extra,
  }
  const [raw] = await testTransfers(testAccounts[1]!, 0, 1)
  await expect(executor.execute(template, [{ raw: raw!, sender }])).rejects.toThrow(DamagedError)
  await executor.close()
})

it('refuses to start on a tree that is damaged', { timeout }, async () => {
  const executor = await unwrappedStart()
  await genesisOn(executor)
  await executor.close()
  await spoil(treeHead)
  expect(await start()).toMatchObject({ ok: false, error: { code: 'damaged', message: expect.stringContaining('state tree') } })
})

it('ends a call, and is reported to the node', { timeout }, async () => {
  const executor = await unwrappedStart()
  const { header } = await genesisOn(executor)
  await executor.close()
  await spoil(account)
  const told: DamagedError[] = []
  const pool = openCallPool({
    databasePath: directory,
    chainId: genesis.chainId,
    clock: systemClock,
    limits: { workers: 1 },
    logger: new LogRecorder(),
    onDamage: (damage) => told.push(damage),
  })
  const { number, timeMs, miner: proposer, gasLimit, baseFeePerGas: baseFee } = header
  const call = {
    call: {
      from: sender,
      to: sender,
      data: new Uint8Array(0),
      value: 1n as Wei,
      accessList: [],
      gas: undefined,
      maxFeePerGas: 0n as Wei,
    },
    block: { number, timeMs, proposer, gasLimit, baseFee },
    gasMax: 1_000_000,
    stateOverrides: new Map(),
    blockOverrides: {},
  }
  await expect(pool.run('call', call, new AbortController().signal, { remote: '', connection: 0 })).rejects.toThrow(DamagedError)
  expect(told).toMatchObject([{ key: account }])
  await pool.close()
})
