import { MemoryKv } from '@quoin/platform'
import { nobleCrypto as crypto, EVIDENCE_HEIGHTS_MAX, type Height, ZERO_HASH } from '@quoin/protocol'
import { describe, expect, it } from 'vitest'
import { testValidators } from '../../test/chain.ts'
import { testEvidence } from '../../test/evidence.ts'
import { evidenceKey } from '../store/schema.ts'
import { EvidencePool } from './evidence-pool.ts'
import { EVIDENCE_LIMITS } from './limits.ts'

const validators = testValidators(crypto, 4)
const [first, second] = validators.set.validators.map(({ address }) => address)
const domain = { genesisHash: ZERO_HASH, restartEpoch: 0 }
const evidence = (height: number, validator = first!, round = 0, values?: readonly [number, number]) =>
  testEvidence(crypto, domain, validators, { validator, height, round, ...(values && { values }) })
const never = () => false

describe('the pool of evidence', () => {
  it('keeps one piece for each place, also after a restart', async () => {
    const kv = new MemoryKv()
    const pool = await EvidencePool.open(kv, crypto)
    expect(pool.add(evidence(5))).toBeDefined()
    expect(pool.add(evidence(5))).toBeUndefined()
    expect(pool.add(evidence(5, first, 0, [1, 3]))).toBeUndefined()
    for (const other of [evidence(5, second), evidence(5, first, 1), evidence(4)]) expect(pool.add(other)).toBeDefined()
    expect(
      pool.list().map(
        ({
          evidence: {
            first: { height },
          },
        }) => height,
      ),
    ).toEqual([4, 5, 5, 5])
    await pool.close()
    const again = await EvidencePool.open(kv, crypto)
    expect(again.list()).toEqual(pool.list())
  })

  it('drops what is settled or too old, on disk as well', async () => {
    const kv = new MemoryKv()
    const pool = await EvidencePool.open(kv, crypto)
    for (const one of [evidence(5), evidence(6), evidence(7, second)]) pool.add(one)
    pool.prune((4 + EVIDENCE_HEIGHTS_MAX) as Height, never)
    expect(pool.size).toBe(3)
    pool.prune((5 + EVIDENCE_HEIGHTS_MAX) as Height, never)
    expect(
      pool.list().map(
        ({
          evidence: {
            first: { height },
          },
        }) => height,
      ),
    ).toEqual([6, 7])
    pool.prune(7 as Height, ({ first: message }) => 'validator' in message && message.validator === second)
    await pool.close()
    expect((await EvidencePool.open(kv, crypto)).list()).toEqual(pool.list())
    expect(pool.size).toBe(1)
  })

  it('lets a key fill a few places, and all keys together a number', async () => {
    const pool = await EvidencePool.open(new MemoryKv(), crypto)
    for (let height = 1; height <= EVIDENCE_LIMITS.perKeyCountMax; height++) expect(pool.add(evidence(height))).toBeDefined()
    expect(pool.add(evidence(100))).toBeUndefined()
    expect(pool.add(evidence(100, second))).toBeDefined()
    const many = await EvidencePool.open(new MemoryKv(), crypto)
    const keys = Array.from(
      { length: EVIDENCE_LIMITS.countMax / EVIDENCE_LIMITS.perKeyCountMax },
      (_, i) => `0x${String(i).padStart(40, '0')}`,
    )
    const made = evidence(5)
    for (const [i, validator] of keys.entries())
      for (let n = 0; n < EVIDENCE_LIMITS.perKeyCountMax; n++) many.add(moved(made, validator, 10 + i, n))
    expect(many.size).toBe(EVIDENCE_LIMITS.countMax)
    expect(many.add(moved(made, `0x${'f'.repeat(40)}`, 9, 0))).toBeUndefined()
    expect(many.add(moved(made, `0x${'f'.repeat(40)}`, 900, 0))).toBeDefined()
    expect(many.size).toBe(EVIDENCE_LIMITS.countMax)
    expect(
      many.list().filter(
        ({
          evidence: {
            first: { height },
          },
        }) => height === 10,
      ),
    ).toHaveLength(EVIDENCE_LIMITS.perKeyCountMax - 1)
  })

  it('leaves out bytes that are no evidence', async () => {
    const kv = new MemoryKv()
    await kv.write([{ key: evidenceKey(ZERO_HASH), value: Uint8Array.of(1, 2, 3) }])
    expect((await EvidencePool.open(kv, crypto)).size).toBe(0)
  })

  it('tells that the database cannot be written', async () => {
    const failures: unknown[] = []
    const kv = {
      scan: () => new MemoryKv().scan({ from: new Uint8Array(), to: Uint8Array.of(1) }),
      write: async () => Promise.reject(new Error('disk')),
    }
    const pool = await EvidencePool.open(kv, crypto, (error) => failures.push(error))
    pool.add(evidence(5))
    await pool.close()
    expect(failures).toEqual([new Error('disk')])
  })
})

/** The same evidence as if another key had made it elsewhere. */
function moved(made: ReturnType<typeof evidence>, validator: string, height: number, round: number) {
  if (made.kind !== 'votes') throw new Error('votes are meant')
  const place = { validator: validator as never, height: height as never, round: round as never }
  return { kind: 'votes' as const, first: { ...made.first, ...place }, second: { ...made.second, ...place } }
}
