import { type Address, Hash, type Height, type Round } from '@quoin/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { crc32cTable } from '../../test/crc32c.ts'
import { MemoryLog } from '../store/memory-log.ts'
import {
  createSignState,
  LastSignState,
  type MissingSignState,
  SIGN_STATE_FORMAT,
  SIGN_STEPS,
  type SignedStep,
  type SignOwner,
} from './last-sign-state.ts'
import { RecordFile } from './record-file.ts'

const random = { bytes: (length: number) => new Uint8Array(length).fill(1) }
const owner: SignOwner = { validator: `0x${'11'.repeat(20)}` as Address, genesisHash: Hash(new Uint8Array(32).fill(7)) }
const open = (file: MemoryLog, missing: MissingSignState = 'new-key', of = owner) =>
  LastSignState.open({ file, crc32c: crc32cTable, random }, of, missing)

const step = (height: number, round: number, at: number, content: number): SignedStep => ({
  height: height as Height,
  round: round as Round,
  step: SIGN_STEPS[at]!,
  digest: new Uint8Array(32).fill(content),
  signature: new Uint8Array(64).fill(content),
})

const steps = fc.tuple(fc.nat(3), fc.nat(3), fc.nat(2), fc.nat(2)).map((args) => step(...args))

describe('the sign guard', () => {
  it('over any requests and restarts: one content a step, the same answer to the same question, and never backwards', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(steps, fc.boolean()), { maxLength: 40 }), async (requests) => {
        const log = new MemoryLog()
        let state = await open(log)
        /** An independent model: what was signed, and the highest position as one number. */
        const signed = new Map<number, number>()
        for (const [request, restarts] of requests) {
          const position = request.height * 100 + request.round * 10 + SIGN_STEPS.indexOf(request.step)
          const content = request.digest[0]!
          const highest = Math.max(-1, ...signed.keys())
          const known = signed.get(position)
          const sameHeight = Math.floor(highest / 100) === request.height
          const checked = state.check(request)
          if (position > highest) {
            expect(checked).toEqual({ ok: true, value: undefined })
            state.record(request)
            signed.set(position, content)
            await state.sync()
          } else if (known === content && sameHeight) expect(checked).toEqual({ ok: true, value: request.signature })
          else expect(checked.ok).toBe(false)
          if (restarts) state = await open(log)
        }
      }),
    )
  })

  it('hands nothing to its file before sync', async () => {
    const log = new MemoryLog()
    const state = await open(log)
    const empty = log.content.length
    state.record(step(1, 0, 0, 7))
    expect(log.content.length).toBe(empty)
    await state.sync()
    expect(log.durableLength).toBe(log.content.length)
    expect((await open(log)).last).toEqual(step(1, 0, 0, 7))
  })

  it('says whether a refusal is a conflict or a step backwards', async () => {
    const state = await open(new MemoryLog())
    state.record(step(5, 2, 1, 7))
    const conflict = state.check(step(5, 2, 1, 8))
    const back = state.check(step(5, 1, 2, 7))
    expect(conflict.ok ? '' : conflict.error).toEqual({
      code: 'conflict',
      message: 'prevote of height 5 round 2 is not what was signed as prevote of height 5 round 2',
    })
    expect(back.ok ? '' : back.error.code).toBe('regression')
    expect(() => state.record(step(5, 2, 1, 8))).toThrow(/is not what was signed/)
  })

  it('abstaining, refuses even what it signed, up to the last signed height', async () => {
    const state = await open(new MemoryLog())
    state.record(step(5, 2, 1, 7))
    state.abstain()
    for (const at of [step(5, 2, 1, 7), step(5, 9, 0, 7), step(4, 0, 0, 1)]) {
      const checked = state.check(at)
      expect(checked.ok ? '' : checked.error.code).toBe('abstaining')
    }
    expect(state.check(step(6, 0, 0, 1))).toEqual({ ok: true, value: undefined })
  })

  it('remembers the steps of the last height through compaction', async () => {
    const log = new MemoryLog()
    const state = await open(log)
    for (let height = 1; height <= 9_000; height++) state.record(step(height, 0, 0, 1))
    state.record(step(9_000, 0, 1, 2))
    await state.sync()
    const long = log.content.length
    await state.compact()
    expect(log.content.length).toBeLessThan(long / 1_000)
    const again = await open(log)
    expect(again.check(step(9_000, 0, 0, 1))).toEqual({ ok: true, value: new Uint8Array(64).fill(1) })
    expect(again.check(step(9_000, 0, 1, 1)).ok).toBe(false)
  })

  it('refuses a file with a malformed record', async () => {
    const log = new MemoryLog()
    const state = await open(log)
    state.record({ ...step(1, 0, 0, 1) })
    await state.sync()
    const { file } = await RecordFile.open({ file: log, crc32c: crc32cTable, random }, SIGN_STATE_FORMAT)
    file.append(new Uint8Array(109).fill(9))
    await expect(open(log)).rejects.toThrow(/record 2 of the sign state is malformed/)
  })
})

describe('the owner of a sign state', () => {
  const other = `0x${'22'.repeat(20)}` as Address
  const elsewhere = Hash(new Uint8Array(32).fill(8))

  it('must be the key and the chain of the node', async () => {
    const log = new MemoryLog()
    await open(log)
    await expect(open(log, 'refuse', { ...owner, validator: other })).rejects.toThrow(
      /belongs to validator 0x1111.*, but the key of this node is 0x2222/,
    )
    await expect(open(log, 'refuse', { ...owner, genesisHash: elsewhere })).rejects.toThrow(
      /belongs to the chain with genesis 0x0707/,
    )
    expect((await open(log, 'refuse')).last).toBeUndefined()
  })

  it('made with the key, it is bound to the first chain that it starts on', async () => {
    const log = new MemoryLog()
    await createSignState({ file: log, crc32c: crc32cTable, random }, owner.validator)
    await expect(open(log, 'refuse', { ...owner, validator: other })).rejects.toThrow(/belongs to validator/)
    const state = await open(log, 'refuse')
    expect(state.check(step(1, 0, 0, 1)).ok).toBe(true)
    await expect(open(log, 'refuse', { ...owner, genesisHash: elsewhere })).rejects.toThrow(/belongs to the chain/)
    await expect(createSignState({ file: log, crc32c: crc32cTable, random }, owner.validator)).rejects.toThrow(/already/)
  })

  it('a key without one is refused, and the message says what to do', async () => {
    await expect(open(new MemoryLog(), 'refuse')).rejects.toThrow(/no sign state of validator 0x1111.*--new-sign-state/)
    const log = new MemoryLog()
    await open(log)
    await expect(open(log, 'lost')).rejects.toThrow(/a sign state exists: start without --new-sign-state/)
  })

  it('a lost one signs nothing until it is settled, and then above that height, also after restarts and a rewrite', async () => {
    const log = new MemoryLog()
    let state = await open(log, 'lost')
    for (let restart = 0; restart < 2; restart++) {
      expect([state.isLost, state.check(step(1_000, 0, 0, 1)).ok]).toEqual([true, false])
      state = await open(log, 'refuse')
    }
    state.settle(12 as Height)
    expect([12, 13].map((height) => state.check(step(height, 0, 0, 1)).ok)).toEqual([false, true])
    await state.sync()
    state = await open(log, 'refuse')
    expect([12, 13].map((height) => state.check(step(height, 0, 0, 1)).ok)).toEqual([false, true])
    state.lose()
    await state.sync()
    expect((await open(log, 'refuse')).isLost).toBe(true)
    state.settle(20 as Height)
    for (let height = 21; height <= 9_000; height++) state.record(step(height, 0, 0, 1))
    await state.sync()
    await state.compact()
    state = await open(log, 'refuse')
    expect([state.abstainTo, state.last?.height]).toEqual([20, 9_000])
  })
})
