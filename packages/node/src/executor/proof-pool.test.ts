import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type AccountProofJson, Address, type Height, nobleCrypto, unwrap, verifyAccountProof } from '@quoin/protocol'
import { ClassicLevel } from 'classic-level'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { LogRecorder, openTestNode, type TestNode, testAccounts, testTransfers, testValidators } from '../../test/chain.ts'
import { type OwnedKv, openClassicKv } from '../store/classic-kv.ts'
import type { DamagedError } from '../store/damage.ts'
import { systemClock } from '../system-clock.ts'
import { openProofPool } from './proof-pool.ts'

const never = new AbortController().signal
const client = { remote: '192.0.2.1', connection: 1 }
const sender = Address(testAccounts[1]!.address)
const keys = [Uint8Array.of(1)]

let directory: string
let kv: OwnedKv
let node: TestNode
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'quoin-proofs-'))
  kv = await openClassicKv(directory)
  node = await openTestNode({ crypto: nobleCrypto, validators: testValidators(nobleCrypto, 1), kv })
})
afterEach(async () => {
  await kv.close()
  await rm(directory, { recursive: true })
})

function open(onDamage: (damage: DamagedError) => void = () => {}) {
  const pool = openProofPool({ databasePath: directory, clock: systemClock, logger: new LogRecorder(), onDamage })
  const ask = (height: number, address = sender) => {
    const { header, hash } = node.store.header(height as Height)!
    const request = { address, keys, height: header.number, blockHash: hash, stateRoot: header.stateRoot, valueBytesMax: 1_000 }
    return pool.run('proof', request, never, client)
  }
  /** Asks for the sender's account after a block, and verifies it. Returns its nonce. */
  const nonceAt = async (height: number) => {
    const outcome = unwrap(await ask(height))
    if (outcome.kind === 'refused') return outcome.refusal.code
    const { header, hash } = node.store.header(height as Height)!
    const block = { number: header.number, hash, stateRoot: header.stateRoot }
    const answer = JSON.parse(outcome.json) as AccountProofJson
    return unwrap(verifyAccountProof(nobleCrypto, { block, address: sender, keys }, answer)).account?.nonce
  }
  return { pool, ask, nonceAt }
}

/** Commits a block with one transfer of the sender, so that its nonce is the height. */
const produce = async () => {
  const { number } = node.chain.head.header
  await node.produce(await testTransfers(testAccounts[1]!, number, 1))
}

// Threads may start slowly on a busy machine.
const timeout = 60_000

it('proofs are made in a thread while blocks are committed, and by another one after it', { timeout }, async () => {
  const { pool, nonceAt } = open()
  for (let i = 0; i < 3; i++) await produce()
  let isDone = false
  const producing = (async () => {
    for (let i = 0; i < 20; i++) await produce()
    isDone = true
  })()
  let asked = 0
  while (!isDone || asked < 10) {
    const height = node.chain.head.header.number - (asked++ % 4)
    const found = await nonceAt(height)
    // Blocks that went out of the history in the meantime are refused.
    if (found !== 'not-provable') expect(found).toBe(height)
  }
  await producing
  for (let back = 0; back <= 8; back++) expect(await nonceAt(23 - back)).toBe(23 - back)
  expect(await nonceAt(14)).toBe('not-provable')
  pool.dismissIdle()
  expect(await nonceAt(20)).toBe(20)
  await pool.close()
})

it('a damaged tree is reported, and proves nothing', { timeout }, async () => {
  const found: string[] = []
  await produce()
  const options = { keyEncoding: 'view', valueEncoding: 'view', multithreading: true } as const
  const level = new ClassicLevel<Uint8Array, Uint8Array>(directory, options)
  await level.open()
  const [[key, record]] = (await level.iterator({ gte: Uint8Array.of(0x20, 2), lt: Uint8Array.of(0x20, 3), limit: 1 }).all()) as [
    [Uint8Array, Uint8Array],
  ]
  await level.put(key, Uint8Array.from(record).with(0, record[0]! ^ 1))
  await level.close()
  const { pool, ask } = open(({ finding }) => found.push(finding))
  await expect(ask(1)).rejects.toThrow(/the database is damaged/)
  await vi.waitUntil(() => found.length > 0)
  await pool.close()
})
