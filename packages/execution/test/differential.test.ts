import { describe, expect, it } from 'vitest'
import { runs } from '../../../test/long.ts'
import { byInterpreter, byStock, byV8 } from './differential/interpreters.ts'
import { type Difference, KNOWN_DIFFERENCES, originOf, textsOfPowers } from './differential/known.ts'
import { OPERATIONS, type Operations } from './differential/operations.ts'
import { Random } from './differential/random.ts'

/**
 * The interpreter must compute what V8 computes. The ordinary run draws the same operations each time, so that its result does
 * not depend on luck; the long run draws others each time. QUOIN_FUZZ_SEED sets the seed.
 */
const OPERATIONS_COUNT = 100_000
const BATCH_SIZE = 500
const REPORTED_MAX = 10

const given = process.env['QUOIN_FUZZ_SEED']
const isLong = process.env['QUOIN_TEST_LONG'] !== undefined
const seed = given !== undefined ? Number(given) : isLong ? Date.now() % 2 ** 31 : 9

function differencesOf(operations: string, expressions: readonly string[]): readonly Difference[] {
  const [v8, interpreter] = [byV8(expressions), byInterpreter(expressions)]
  const found = expressions
    .map((expression, i) => ({ operations, expression, v8: v8[i]!, interpreter: interpreter[i]! }))
    .filter((one) => one.v8 !== one.interpreter)
  const stock = byStock(found.map(({ expression }) => expression))
  return found.map((one, i) => ({ ...one, stock: stock[i]! }))
}

/** A difference of ours that only looks like a known one of upstream's is not excused. */
const isKnown = (one: Difference): boolean =>
  KNOWN_DIFFERENCES.some((known) => (one.stock === one.interpreter || known.isOurs === true) && known.covers(one))

/** Differences, among this many random operations, that no known one explains. */
function search({ name, draw }: Operations, count: number): readonly Difference[] {
  const random = new Random(seed)
  const found: Difference[] = []
  for (let left = count; left > 0 && found.length < REPORTED_MAX; left -= BATCH_SIZE) {
    const batch = Array.from({ length: Math.min(left, BATCH_SIZE) }, () => draw(random))
    found.push(...differencesOf(name, batch).filter((one) => !isKnown(one)))
  }
  return found
}

describe(`${OPERATIONS_COUNT} random operations have the same result in the interpreter and in V8`, () => {
  it('counts all', () => {
    expect(OPERATIONS.reduce((sum, { percent }) => sum + percent, 0)).toBe(100)
  })

  it.each(OPERATIONS)('$name', (operations) => {
    const found = search(operations, runs((OPERATIONS_COUNT * operations.percent) / 100))
    const lines = found.map(
      (one) => `${one.expression}\n  V8          ${one.v8}\n  interpreter ${one.interpreter}\n  ${originOf(one)}`,
    )
    const again = `Again: QUOIN_FUZZ_SEED=${seed} npx vitest run --project unit packages/execution/test/differential.test.ts`
    expect(lines, `${lines.join('\n')}\n${again}`).toEqual([])
  })
})

describe('known differences are still there', () => {
  const examples = KNOWN_DIFFERENCES.flatMap(({ name, isOurs, examples }) =>
    examples.map(([expression, interpreter]) => ({ name, isOurs, expression, interpreter })),
  )

  it.each(examples)('$name: $expression', ({ expression, interpreter, isOurs }) => {
    expect(byInterpreter([expression])).toEqual([interpreter])
    expect(byV8([expression])).not.toEqual([interpreter])
    expect(byStock([expression])[0] === interpreter).toBe(isOurs !== true)
  })

  it('54 of all powers of two have a longer text than necessary, which reads as the same number', () => {
    expect(textsOfPowers().length).toBe(54)
    for (const { long, short } of textsOfPowers()) {
      expect(Number(long)).toBe(Number(short))
      expect(long.length).toBeGreaterThan(short.length)
    }
  })
})

describe("stock QuickJS tells upstream's errors from ours", () => {
  it.each([
    ['-5n < -1.5', 'false'],
    ['Math.acosh(-52421) < 0', 'true'],
    ['new Int8Array([-3]).lastIndexOf(-3)', '-1'],
    ['((a) => { for (let i = 20; i > 10; i--) a[i * 100] = i; a.length = 3; return Object.keys(a).length > 0 })([])', 'true'],
    ['BigInt.asUintN(64, -1n)', '-0x1n'],
  ])('it has an error that a patch or the prelude corrects: %s', (expression, wrong) => {
    expect(byStock([expression])).toEqual([wrong])
    expect(byV8([expression])).not.toEqual([wrong])
    expect(byInterpreter([expression])).toEqual(byV8([expression]))
  })

  it('reports a difference by the result that stock QuickJS shares', () => {
    expect(originOf({ v8: '1', interpreter: '2', stock: '2' })).toContain("upstream's")
    expect(originOf({ v8: '1', interpreter: '2', stock: '1' })).toContain('ours')
    expect(originOf({ v8: '1', interpreter: '2', stock: '3' })).toContain('both')
  })

  it('survives what does not parse and what never ends its recursion', () => {
    expect(byStock(['1 + 1', ')', '((f) => f(f))((f) => f(f))', '2 + 2'])).toEqual(['2', 'no answer', expect.any(String), '4'])
  })
})
