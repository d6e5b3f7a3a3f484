import type { Height, Round } from '@quoin/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MemoryLog } from '../store/memory-log.ts'
import { crc32cTable } from './crc32c.ts'
import { LastSignState, SIGN_STATE_FORMAT, SIGN_STEPS, type SignedStep } from './last-sign-state.ts'
import { RecordFile } from './record-file.ts'

const random = { bytes: (length: number) => new Uint8Array(length).fill(1) }
const open = (file: MemoryLog) => LastSignState.open({ file, crc32c: crc32cTable, random })

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
        /** An independent model: what was signed, and the highest position, as one number. */
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
    await expect(open(log)).rejects.toThrow(/record 1 of the sign state is malformed/)
  })
})
