import {
  type CommitCertificate,
  type Hash,
  Height,
  nobleCrypto,
  Round,
  type SigningDomain,
  unwrap,
  type Vote,
} from '@quoin/protocol'
import { describe, expect, it } from 'vitest'
import { LogRecorder } from '../../test/chain.ts'
import { crc32cTable } from '../../test/crc32c.ts'
import { developmentValidatorKey } from '../keys/development.ts'
import { validatorKeyOf } from '../keys/validator-key.ts'
import { DamagedError } from '../store/damage.ts'
import { MemoryLog } from '../store/memory-log.ts'
import { createSigner, PrivateValidator } from './private-validator.ts'
import { openSignState, SignCustody, type SignStateOptions } from './sign-custody.ts'

const hashOf = (byte: number): Hash => `0x${byte.toString(16).padStart(2, '0').repeat(32)}` as Hash
const domain: SigningDomain = { genesisHash: hashOf(7), restartEpoch: 0 }
const key = unwrap(validatorKeyOf(nobleCrypto, developmentValidatorKey(nobleCrypto, 0)))
const other = unwrap(validatorKeyOf(nobleCrypto, developmentValidatorKey(nobleCrypto, 1)))

async function setUp(options: SignStateOptions, head = 0, file = new MemoryLog()) {
  const powers = { file, crc32c: crc32cTable, random: { bytes: (length: number) => new Uint8Array(length).fill(1) } }
  const owner = { validator: key.address, genesisHash: domain.genesisHash }
  const state = await openSignState(powers, owner, options, Height(head))
  const signer = createSigner(nobleCrypto, key.address, key.secretKey)
  const validator = new PrivateValidator(signer, nobleCrypto, domain, state)
  const custody = new SignCustody(validator, new LogRecorder(), options)
  const prevote = (height: number, round = 0, valueId: Hash | undefined = hashOf(1)) =>
    validator.signVote({ kind: 'prevote', height: Height(height), round: Round(round), valueId, validator: key.address })
  const commit = (height: number, isProven: boolean) =>
    custody.committed({ height: Height(height), round: Round(0), blockHash: hashOf(2), signatures: [] }, false, isProven)
  return { file, validator, custody, prevote, commit }
}

/** Votes that this key signed before its state was lost. */
const earlier = async (...steps: Parameters<Awaited<ReturnType<typeof setUp>>['prevote']>): Promise<Vote> =>
  unwrap((await setUp({ missing: 'new-key' })).prevote(...steps))

describe('a validator that lost its sign state', () => {
  it('stays silent two heights longer with each block that a peer proves, and no longer with those that it decides with the others', async () => {
    const { custody, prevote, commit } = await setUp({ missing: 'lost' })
    await custody.rejoined(Height(5))
    await commit(6, true)
    await commit(7, true)
    expect(prevote(8).ok).toBe(false)
    await commit(8, false)
    expect(prevote(9).ok).toBe(false)
    await commit(9, false)
    expect(prevote(10).ok).toBe(true)
    // Now it knows what it signs: being behind for a while has no meaning.
    await commit(10, true)
    expect(prevote(11).ok).toBe(true)
  })

  it('does so after a restart too', async () => {
    const { file, custody } = await setUp({ missing: 'lost' })
    await custody.rejoined(Height(5))
    const { prevote, commit } = await setUp({}, 5, file)
    for (const height of [6, 7, 8]) await commit(height, true)
    expect([prevote(9).ok, prevote(10).ok, prevote(11).ok]).toEqual([false, false, true])
  })

  it('trusts --vote-from for a height, and signs there only what peers show of it', async () => {
    const before = await earlier(7, 0, hashOf(1))
    const { custody, prevote, validator } = await setUp({ missing: 'lost', voteFrom: Height(7) })
    custody.heard(before)
    expect(validator.isLost).toBe(false)
    expect([prevote(7, 0, hashOf(9)).ok, prevote(7, 0, hashOf(1)).ok, prevote(7, 1, hashOf(9)).ok]).toEqual([false, true, true])
  })

  it('is lost again when peers show what it signed above that height', async () => {
    const { custody, validator } = await setUp({ missing: 'lost', voteFrom: Height(7) })
    custody.heard(await earlier(8))
    expect(validator.isLost).toBe(true)
  })

  it('fetches blocks below the height of that word, and its silence ends there; of one that is final the word says nothing', async () => {
    const { custody, prevote, commit } = await setUp({ missing: 'lost', voteFrom: Height(7) })
    for (const height of [5, 6]) await commit(height, true)
    expect([prevote(6).ok, prevote(7).ok]).toEqual([false, true])
    expect(custody.silence(Height(7))).toBeUndefined()
    const late = await setUp({ missing: 'lost', voteFrom: Height(7) })
    for (const height of [6, 7, 8]) await late.commit(height, true)
    expect([late.prevote(10).ok, late.prevote(11).ok]).toEqual([false, true])
    const used = await setUp({ missing: 'lost', voteFrom: Height(7) }, 7)
    expect(used.validator.isLost).toBe(true)
  })
})

it('a signature of its own in a block on the own disk, of which the sign state knows nothing, makes it silent', async () => {
  const { custody, validator } = await setUp({ missing: 'new-key' })
  const found = (by: typeof key.address) => {
    const certificate = (height: Height): CommitCertificate => {
      // The disk may be damaged too; that is repaired elsewhere.
      if (height === 2) throw new DamagedError('a bit')
      return {
        ...{ height, round: Round(0), blockHash: hashOf(2) },
        signatures: [{ validator: by, signature: new Uint8Array(64) }],
      }
    }
    custody.findIn({ certificate }, Height(3))
  }
  found(other.address)
  expect(validator.isLost).toBe(false)
  found(key.address)
  expect(validator.isLost).toBe(true)
})
