import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DEFAULT_RPC_LIMITS } from './limits.ts'
import { parseRequests } from './request-text.ts'

const LIMITS = { ...DEFAULT_RPC_LIMITS, batchItemsMax: 20, requestDepthMax: 16, requestValuesMax: 200 }
const turns = { isSliceOver: () => false, nextTurn: () => Promise.resolve() }
const parse = (text: string, parseAtOnceBytesMax: number, limits = LIMITS) =>
  parseRequests(Buffer.from(text), turns, { ...limits, parseAtOnceBytesMax })
const looked = (text: string, limits = LIMITS) => parse(text, 0, limits)

describe('a text that is scanned first', () => {
  it('is read as JSON.parse reads it, valid or not', async () => {
    const item = fc.oneof(
      fc.jsonValue({ maxDepth: 3 }),
      fc.record({
        method: fc.string(),
        params: fc.array(fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('[', '"', '\\', ',', ']'))),
      }),
    )
    const text = fc.oneof(
      item.map((value) => JSON.stringify(value)),
      fc.array(item, { maxLength: 4 }).map((value) => JSON.stringify(value, null, 1)),
      fc.string({ unit: fc.constantFrom('[', ']', '{', '}', ',', '"', '\\', ' ', '1', ':', '\n') }),
    )
    const mutated = fc.tuple(text, fc.nat(), fc.constantFrom('', ',', '[', ']', '"', '}', ' ')).map(([whole, at, put]) => {
      const place = whole.length === 0 ? 0 : at % whole.length
      return whole.slice(0, place) + put + whole.slice(place + 1)
    })
    await fc.assert(
      fc.asyncProperty(fc.oneof(text, mutated), async (given) => {
        const [plain, scanned] = [await parse(given, 1e9), await looked(given)]
        expect(scanned.ok).toBe(plain.ok)
        if (plain.ok) expect(scanned).toEqual(plain)
        else expect(scanned).toMatchObject({ error: { code: plain.error.code } })
      }),
      { numRuns: 2_000 },
    )
  })

  it('is refused if it nests too deeply, has too many values or too many requests, and is not read further', async () => {
    const deep = `${'['.repeat(1_500_000)}`
    expect(await looked(`{"params":${deep}`)).toMatchObject({
      ok: false,
      error: {
        code: -32005,
        message: 'request is nested too deeply: the limit is 16 levels',
        data: { reason: 'request-too-large' },
      },
    })
    expect(await looked(JSON.stringify({ params: new Array(201).fill(0) }))).toMatchObject({
      error: { code: -32005, message: 'request has too many values: the limit is 200' },
    })
    const refused = { error: { code: -32005, message: 'request too large: it has 1602 bytes, the limit is 1500' } }
    const long = JSON.stringify('x'.repeat(1_600))
    const bounded = { ...LIMITS, requestBytesMax: 1_500 }
    expect(await looked(long, bounded)).toMatchObject(refused)
    expect(await looked(`[1,${long},${'[,'}`, bounded)).toMatchObject(refused)
    expect(await looked(`[${new Array(9).fill(JSON.stringify('x'.repeat(1_000))).join(',')}]`, bounded)).toMatchObject({
      ok: true,
    })
    // Each request of a batch has its own limit.
    expect(await looked(JSON.stringify(new Array(20).fill(new Array(150).fill(0))))).toMatchObject({ ok: true })
    expect(await looked(JSON.stringify(new Array(21).fill({})))).toMatchObject({
      error: { code: -32005, message: 'batch too large: it has more than 20 requests, the limit is 20' },
    })
  })

  it('yields to others while it is scanned, and between its requests', async () => {
    let given = 0
    const busy = {
      isSliceOver: () => true,
      nextTurn: () => {
        given++
        return Promise.resolve()
      },
    }
    const text = JSON.stringify(new Array(10).fill('x'.repeat(64 * 1024)))
    expect(await parseRequests(Buffer.from(text), busy, { ...LIMITS, parseAtOnceBytesMax: 0 })).toMatchObject({ ok: true })
    expect(given).toBeGreaterThanOrEqual(20)
  })
})
