import { describe, expect, it } from 'vitest'
import { runs } from '../../../test/long.ts'
import { byInterpreter, byV8 } from './differential/interpreters.ts'
import { type Difference, KNOWN_DIFFERENCES, textsOfPowers } from './differential/known.ts'
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
  return expressions
    .map((expression, i) => ({ operations, expression, v8: v8[i]!, interpreter: interpreter[i]! }))
    .filter((one) => one.v8 !== one.interpreter)
}

/** Differences, among this many random operations, that no known one explains. */
function search({ name, draw }: Operations, count: number): readonly Difference[] {
  const random = new Random(seed)
  const found: Difference[] = []
  for (let left = count; left > 0 && found.length < REPORTED_MAX; left -= BATCH_SIZE) {
    const batch = Array.from({ length: Math.min(left, BATCH_SIZE) }, () => draw(random))
    found.push(...differencesOf(name, batch).filter((one) => !KNOWN_DIFFERENCES.some((known) => known.covers(one))))
  }
  return found
}

describe(`${OPERATIONS_COUNT} random operations have the same result in the interpreter and in V8`, () => {
  it('counts all', () => {
    expect(OPERATIONS.reduce((sum, { percent }) => sum + percent, 0)).toBe(100)
  })

  it.each(OPERATIONS)('$name', (operations) => {
    const found = search(operations, runs((OPERATIONS_COUNT * operations.percent) / 100))
    const lines = found.map(({ expression, v8, interpreter }) => `${expression}\n  V8     ${v8}\n  interpreter ${interpreter}`)
    const again = `Again: QUOIN_FUZZ_SEED=${seed} npx vitest run --project unit packages/execution/test/differential.test.ts`
    expect(lines, `${lines.join('\n')}\n${again}`).toEqual([])
  })
})

describe('known differences are still there', () => {
  const examples = KNOWN_DIFFERENCES.flatMap(({ name, examples }) =>
    examples.map(([expression, interpreter]) => ({ name, expression, interpreter })),
  )

  it.each(examples)('$name: $expression', ({ expression, interpreter }) => {
    expect(byInterpreter([expression])).toEqual([interpreter])
    expect(byV8([expression])).not.toEqual([interpreter])
  })

  it('54 of all powers of two have a longer text than necessary, which reads as the same number', () => {
    expect(textsOfPowers().length).toBe(54)
    for (const { long, short } of textsOfPowers()) {
      expect(Number(long)).toBe(Number(short))
      expect(long.length).toBeGreaterThan(short.length)
    }
  })
})
