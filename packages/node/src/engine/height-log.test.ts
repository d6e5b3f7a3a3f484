import { type Hash, type Height, nobleCrypto, type Round, type SigningDomain, type Vote, ZERO_HASH } from '@quoin/protocol'
import { describe, expect, it } from 'vitest'
import { LogRecorder, testValidators } from '../../test/chain.ts'
import { crc32cTable } from '../../test/crc32c.ts'
import { MemoryLog } from '../store/memory-log.ts'
import { HeightLog } from './height-log.ts'
import { LastSignState } from './last-sign-state.ts'
import { createSigner, PrivateValidator } from './private-validator.ts'
import { type LoggedInput, Wal, type WalContent } from './wal.ts'

const random = { bytes: (length: number) => new Uint8Array(length).fill(1) }
const powers = (file: MemoryLog) => ({ file, crc32c: crc32cTable, random })
const [[self, secretKey]] = [...testValidators(nobleCrypto, 1).secretKeys] as [[PrivateValidator['address'], Uint8Array]]
const domain: SigningDomain = { genesisHash: ZERO_HASH, restartEpoch: 0 }
const HEIGHT = 7 as Height
const valueId = `0x${'22'.repeat(32)}` as Hash

async function openLog() {
  const logger = new LogRecorder()
  const state = await LastSignState.open(powers(new MemoryLog()), { validator: self, genesisHash: ZERO_HASH }, 'new-key')
  const validator = new PrivateValidator(createSigner(nobleCrypto, self, secretKey), nobleCrypto, domain, state)
  const file = new MemoryLog()
  const { wal } = await Wal.open(powers(file), ZERO_HASH)
  const log = new HeightLog(wal, validator, logger)
  /** Signs a prevote, as an earlier process did. */
  const prevote = (round: number, height = HEIGHT): Vote => {
    const signed = validator.signVote({ kind: 'prevote', height, round: round as Round, valueId, validator: self })
    if (!signed.ok) throw new Error(signed.error.message)
    return signed.value
  }
  /** Whether the validator may sign in a round of the height. */
  const verdict = (round: number, height = HEIGHT) => {
    const signed = validator.signVote({ kind: 'precommit', height, round: round as Round, valueId, validator: self })
    return signed.ok ? 'signed' : signed.error.code
  }
  return { logger, file, log, prevote, verdict }
}

const content = (entries: readonly LoggedInput[], isWhole = true): WalContent => ({ height: HEIGHT, isWhole, entries })

describe('a log against the sign state', () => {
  it('that holds the last signed vote is believed', async () => {
    const { logger, log, prevote, verdict } = await openLog()
    const inputs: LoggedInput[] = [
      { kind: 'vote', vote: prevote(0) },
      { kind: 'vote', vote: prevote(2) },
    ]
    expect(log.resume(content(inputs))).toEqual(inputs)
    expect([verdict(2), verdict(3), logger.lines]).toEqual(['signed', 'signed', []])
  })

  it.each([
    ['is empty', () => []],
    ['ends with an earlier round', (vote: (round: number) => Vote) => [{ kind: 'vote', vote: vote(0) } as const]],
    [
      "holds the round, and another validator's vote",
      (vote: (round: number) => Vote) => [
        { kind: 'vote', vote: { ...vote(0), round: 2 as Round, validator: `0x${'11'.repeat(20)}` as never } } as const,
      ],
    ],
    [
      'holds the round, and another kind of vote',
      (vote: (round: number) => Vote) => [{ kind: 'vote', vote: { ...vote(0), round: 2 as Round, kind: 'precommit' } } as const],
    ],
  ])('that went back in time, for it %s, silences the validator for the height, and says so', async (_, entriesOf) => {
    const { logger, log, prevote, verdict } = await openLog()
    const entries = entriesOf(prevote)
    prevote(2)
    log.resume(content(entries))
    expect([verdict(2), verdict(9), verdict(0, (HEIGHT + 1) as Height)]).toEqual(['abstaining', 'abstaining', 'signed'])
    expect(logger.lines).toMatchObject([{ level: 'error', fields: { height: HEIGHT, signed: HEIGHT } }])
  })

  it('that began after an earlier one was lost silences the validator again at each start', async () => {
    const { file, log, prevote, verdict } = await openLog()
    prevote(1)
    await log.start(HEIGHT)
    expect(verdict(2)).toBe('abstaining')
    const { content: begun } = await Wal.open(powers(file), ZERO_HASH)
    expect(begun).toEqual(content([], false))
    const again = await openLog()
    again.prevote(1)
    again.log.resume(begun!)
    expect(again.verdict(2)).toBe('abstaining')
  })

  it('is reported as lost once, though every fetched height is entered', async () => {
    const { logger, log, prevote, verdict } = await openLog()
    prevote(1)
    for (const height of [HEIGHT - 2, HEIGHT - 1, HEIGHT]) await log.start(height as Height)
    expect(verdict(2)).toBe('abstaining')
    expect(logger.lines).toMatchObject([{ level: 'error', fields: { height: HEIGHT - 2, signed: HEIGHT } }])
  })

  it('of a height in which nothing was signed is whole', async () => {
    const { file, log, prevote, verdict } = await openLog()
    prevote(5, (HEIGHT - 1) as Height)
    await log.start(HEIGHT)
    expect((await Wal.open(powers(file), ZERO_HASH)).content).toEqual(content([]))
    expect(verdict(0)).toBe('signed')
  })
})
