import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { Address, bigIntToBytes, type Crypto, concatBytes, nobleCrypto, numberToBytes, unwrap } from '@quoin/protocol'
import fc from 'fast-check'
import { privateKeyToAccount } from 'viem/accounts'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { ManualClock } from '../../test/clock.ts'
import { loadCrypto } from './load.ts'
import { createInlineRecovery, type SenderRecovery } from './recovery.ts'
import { RECOVERY_POOL_DEFAULTS, RecoveryPool, startRecoveryPool } from './recovery-pool.ts'
import { packSignatures, type RecoverableSignature, recoverBatch, senderAt } from './signature-batch.ts'

interface Signed {
  readonly item: RecoverableSignature
  readonly sender: Address | undefined
}

const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n
let crypto: Crypto
/** 600 signatures by 7 keys. Every ninth one is invalid. Expected senders are from viem. */
let signed: readonly Signed[]

beforeAll(async () => {
  crypto = await loadCrypto()
  const keys = Array.from({ length: 7 }, (_, i) => bigIntToBytes(BigInt(i + 1), 32))
  const addresses = keys.map((key) => Address(privateKeyToAccount(`0x${Buffer.from(key).toString('hex')}`).address))
  signed = Array.from({ length: 600 }, (_, i) => {
    const signingHash = crypto.keccak256(numberToBytes(i, 4))
    const { signature, yParity } = crypto.sign(signingHash, keys[i % 7]!)
    if (i % 9 !== 8) return { item: { signingHash, signature, yParity }, sender: addresses[i % 7]! }
    const highS = bigIntToBytes(ORDER - BigInt(`0x${Buffer.from(signature.subarray(32)).toString('hex')}`), 32)
    const refused = concatBytes(signature.subarray(0, 32), highS)
    return { item: { signingHash, signature: refused, yParity: (1 - yParity) as 0 | 1 }, sender: undefined }
  })
})

const items = (part: readonly Signed[]) => part.map(({ item }) => item)
const senders = (part: readonly Signed[]) => part.map(({ sender }) => sender)

describe('a packed batch', () => {
  it('carries signatures there and senders back in one buffer', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(599), { maxLength: 40 }), (picks) => {
        const part = picks.map((pick) => signed[pick]!)
        const batch = packSignatures(items(part))
        expect(batch.buffer.byteLength).toBe(97 * part.length)
        recoverBatch(crypto, batch)
        expect(part.map((_, i) => senderAt(batch, i))).toEqual(senders(part))
      }),
      { numRuns: 30 },
    )
  })
})

const implementations: readonly (readonly [string, () => Promise<SenderRecovery>])[] = [
  ['inline', async () => createInlineRecovery(nobleCrypto)],
  ['one worker', () => startRecoveryPool({ workers: 1 })],
  ['two workers, small batches', () => startRecoveryPool({ workers: 2, batchSignaturesMax: 5 })],
]

describe.each(implementations)('sender recovery, %s', (_, start) => {
  let recovery: SenderRecovery
  beforeAll(async () => {
    recovery = await start()
  })
  afterAll(() => recovery.close())

  it('answers in the order of the items, with undefined for invalid signatures', async () => {
    const part = signed.slice(0, 300)
    const before = recovery.stats
    expect(unwrap(await recovery.recoverSenders(items(part)))).toEqual(senders(part))
    expect(recovery.stats.recovered - before.recovered).toBe(300)
    expect(recovery.stats.invalid - before.invalid).toBe(33)
    expect(recovery.stats.pending).toBe(0)
  })

  it('returns the right answer to each of many concurrent calls', async () => {
    const before = recovery.stats.recovered
    const parts: Signed[][] = []
    for (let at = 0, size = 0; at < signed.length; at += size) {
      size = 1 + (at % 13)
      parts.push(signed.slice(at, at + size))
    }
    const answers = await Promise.all(parts.map((part) => recovery.recoverSenders(items(part))))
    expect(answers.map(unwrap)).toEqual(parts.map(senders))
    expect(recovery.stats.recovered - before).toBe(signed.length)
  })

  it('returns an empty list for no items', async () => {
    const before = recovery.stats
    expect(unwrap(await recovery.recoverSenders([]))).toEqual([])
    expect(recovery.stats).toEqual(before)
  })

  it('rejects a wrong size, which is a bug, without affecting other calls', async () => {
    const { item } = signed[0]!
    const bad: RecoverableSignature[] = [
      { ...item, signature: item.signature.subarray(1) },
      { ...item, signingHash: new Uint8Array(33) },
      { ...item, yParity: 2 as 0 },
    ]
    const good = recovery.recoverSenders([item])
    for (const one of bad) await expect(recovery.recoverSenders([item, one])).rejects.toThrow(RangeError)
    expect(unwrap(await good)).toEqual([signed[0]!.sender])
    expect(recovery.stats.pending).toBe(0)
  })

  it('does not change the memory of its items', async () => {
    const { item, sender } = signed[1]!
    const memory = concatBytes(item.signingHash, item.signature)
    const views = { signingHash: memory.subarray(0, 32), signature: memory.subarray(32), yParity: item.yParity }
    expect(unwrap(await recovery.recoverSenders([views, views]))).toEqual([sender, sender])
    expect(memory).toEqual(concatBytes(item.signingHash, item.signature))
  })
})

describe('the pool', () => {
  it('batches signatures that arrive while it works', async () => {
    const pool = await startRecoveryPool({ workers: 1, batchSignaturesMax: 128 })
    const calls = signed.map(({ item }) => pool.recoverSenders([item]))
    expect(pool.stats).toEqual({ recovered: 0, invalid: 0, batches: 0, pending: 600 })
    await Promise.all(calls)
    // All 600 arrived in one turn: 4 full batches and the rest.
    expect(pool.stats.batches).toBe(5)
    await pool.recoverSenders([signed[0]!.item])
    expect(pool.stats.batches).toBe(6)
    await pool.close()
  })

  it('refuses calls beyond its queue limit, and accepts as many again afterwards', async () => {
    const pool = await startRecoveryPool({ workers: 1, signaturesQueuedMax: 10 })
    const taken = pool.recoverSenders(items(signed.slice(0, 9)))
    const refused = await pool.recoverSenders(items(signed.slice(9, 11)))
    expect(refused).toMatchObject({ ok: false, error: { code: 'overloaded' } })
    const fitting = pool.recoverSenders(items(signed.slice(9, 10)))
    expect(unwrap(await taken)).toEqual(senders(signed.slice(0, 9)))
    expect(unwrap(await fitting)).toEqual(senders(signed.slice(9, 10)))
    expect(unwrap(await pool.recoverSenders(items(signed.slice(0, 10))))).toEqual(senders(signed.slice(0, 10)))
    expect(pool.stats.recovered).toBe(20)
    await pool.close()
  })

  it('finishes pending calls before it closes, and refuses later ones', async () => {
    const pool = await startRecoveryPool({ workers: 2, batchSignaturesMax: 16 })
    let answered = false
    const taken = pool.recoverSenders(items(signed)).then((result) => {
      answered = true
      return result
    })
    const closing = pool.close()
    expect(await pool.recoverSenders([signed[0]!.item])).toMatchObject({ ok: false, error: { code: 'closed' } })
    await closing
    expect(answered).toBe(true)
    expect(unwrap(await taken)).toEqual(senders(signed))
    await pool.close()
  })

  it('knows the backend of each worker', async () => {
    const pool = await startRecoveryPool({ workers: 2 })
    expect(pool.backends).toEqual([crypto.name, crypto.name])
    await pool.close()
  })

  it('refuses invalid limits', async () => {
    await expect(startRecoveryPool({ workers: 0 })).rejects.toThrow('workers must be at least 1')
    await expect(startRecoveryPool({ batchSignaturesMax: 1.5 })).rejects.toThrow('batchSignaturesMax')
  })
})

describe('when a worker dies', () => {
  const limits = { ...RECOVERY_POOL_DEFAULTS, workers: 1, restartMsMin: 1, restartMsMax: 1 }
  const ready = `const { parentPort } = require('node:worker_threads'); parentPort.postMessage({ ready: 'test' });`
  const worker = (code: string) => new Worker(code, { eval: true })

  /** Starts workers with these scripts in turn, the last one repeatedly. */
  const startOf = (...codes: readonly string[]) => {
    const started: Worker[] = []
    return { started, start: () => started[started.push(worker(codes[Math.min(started.length, codes.length - 1)]!)) - 1]! }
  }
  const dying = `${ready} parentPort.on('message', () => { throw new Error('out of luck') })`

  it('a new one takes over its batch', async () => {
    const lost: string[] = []
    const { startWorker } = await import('../threads/start-worker.ts')
    let starts = 0
    const start = () =>
      starts++ === 0 ? worker(dying) : startWorker(new URL('./recovery-pool.ts', import.meta.url).href, 'recovery-worker')
    const pool = new RecoveryPool(start, { ...limits, onWorkerLost: ({ message }) => lost.push(message) })
    await pool.ready
    expect(unwrap(await pool.recoverSenders(items(signed)))).toEqual(senders(signed))
    expect(unwrap(await pool.recoverSenders([signed[0]!.item]))).toEqual([signed[0]!.sender])
    expect(lost).toEqual(['the recovery worker failed: out of luck'])
    await pool.close()
  })

  it('repeatedly, pending calls are refused; the next call tries again, and close resolves', async () => {
    const { start, started } = startOf(dying)
    const pool = new RecoveryPool(start, limits)
    await pool.ready
    for (const count of [5, 9]) {
      const refused = await Promise.all([pool.recoverSenders([signed[0]!.item]), pool.recoverSenders(items(signed))])
      for (const one of refused) expect(one).toMatchObject({ ok: false, error: { code: 'failed' } })
      await vi.waitUntil(() => started.length === count)
    }
    expect(pool.stats.pending).toBe(0)
    await pool.close()
  })

  it('repeatedly, the next one starts later and later, until one answers', async () => {
    const clock = new ManualClock()
    const { start, started } = startOf(dying)
    const deaths: Error[] = []
    const onWorkerLost = (error: Error) => deaths.push(error)
    const pool = new RecoveryPool(start, { ...limits, clock, restartMsMin: 10, restartMsMax: 30, onWorkerLost })
    await pool.ready
    const call = pool.recoverSenders([signed[0]!.item])
    for (const [i, delayMs] of [10, 20, 30].entries()) {
      await vi.waitUntil(() => deaths.length === i + 1)
      clock.advance(delayMs - 1)
      expect(started).toHaveLength(i + 1)
      clock.advance(1)
      expect(started).toHaveLength(i + 2)
    }
    expect(await call).toMatchObject({ ok: false, error: { code: 'failed' } })
    await pool.close()
  })

  it('repeatedly, its restarts get rare, although another one answers', async () => {
    const clock = new ManualClock()
    const echo = `${ready} parentPort.on('message', (batch) => parentPort.postMessage(batch))`
    // The first thread serves. The second one is ended below, and each that takes its place dies at its start.
    const { start, started } = startOf(echo, echo, 'process.exit(3)')
    const deaths: Error[] = []
    const onWorkerLost = (error: Error) => deaths.push(error)
    const pool = new RecoveryPool(start, { ...limits, workers: 2, clock, restartMsMin: 10, restartMsMax: 40, onWorkerLost })
    await pool.ready
    await started[1]!.terminate()
    for (const [i, delayMs] of [10, 20, 40].entries()) {
      await vi.waitUntil(() => deaths.length === i + 1)
      expect(await pool.recoverSenders([signed[0]!.item])).toMatchObject({ ok: true })
      clock.advance(delayMs - 1)
      expect(started).toHaveLength(i + 2)
      clock.advance(1)
      expect(started).toHaveLength(i + 3)
    }
    await pool.close()
  })

  it('by an exit without an error, while the pool closes, counts as well', async () => {
    const { start } = startOf(`${ready} parentPort.on('message', () => process.exit(3))`)
    const pool = new RecoveryPool(start, limits)
    await pool.ready
    const call = pool.recoverSenders([signed[0]!.item])
    await pool.close()
    expect(await call).toMatchObject({ ok: false, error: { code: 'failed', message: expect.stringContaining('code 3') } })
  })

  it('before it is ready, the start fails', async () => {
    const failing = new RecoveryPool(startOf(`throw new Error('no start')`).start, limits)
    await expect(failing.ready).rejects.toThrow('no start')
    await failing.close()
    const silent = new RecoveryPool(startOf('').start, limits)
    await expect(silent.ready).rejects.toThrow('exited with code 0')
    await silent.close()
  })

  it('that never answers is terminated when the node must stop', async () => {
    const pool = new RecoveryPool(startOf(`${ready} parentPort.on('message', () => { for (;;); })`).start, limits)
    await pool.ready
    const call = pool.recoverSenders([signed[0]!.item])
    const closing = pool.close()
    pool.terminate()
    expect(await call).toMatchObject({ ok: false, error: { code: 'closed' } })
    await closing
  })

  it('that is terminated takes no further call, so that the pool can close', async () => {
    const pool = new RecoveryPool(startOf(`${ready} parentPort.on('message', () => {})`).start, limits)
    await pool.ready
    pool.terminate()
    expect(await pool.recoverSenders([signed[0]!.item])).toMatchObject({ ok: false, error: { code: 'closed' } })
    await pool.close()
  })

  it('leaves no thread behind', async () => {
    const thread = worker(`${ready} parentPort.on('message', () => {})`)
    const exited = once(thread, 'exit')
    const pool = new RecoveryPool(() => thread, limits)
    await pool.ready
    await pool.close()
    await exited
    expect(thread.threadId).toBe(-1)
  })
})
