import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Lru } from './lru.ts'

describe('Lru', () => {
  it('keeps the most recently used entries within its bound, like a simple reference list', () => {
    const use = fc.record({
      key: fc.integer({ min: 0, max: 6 }),
      weight: fc.option(fc.integer({ min: 1, max: 6 }), { nil: undefined }),
    })
    fc.assert(
      fc.property(fc.array(use, { maxLength: 40 }), fc.integer({ min: 1, max: 12 }), (uses, weightMax) => {
        const lru = new Lru<number, string>(weightMax)
        let model: { readonly key: number; readonly weight: number; readonly value: string }[] = []
        for (const [i, { key, weight }] of uses.entries()) {
          const known = model.find((entry) => entry.key === key)
          if (weight === undefined) expect(lru.get(key)).toBe(known?.value)
          else lru.set(key, `v${i}`, weight)
          const used = weight === undefined ? known : { key, weight, value: `v${i}` }
          model = model.filter((entry) => entry.key !== key)
          if (used !== undefined && used.weight <= weightMax) model.push(used)
          while (model.reduce((sum, entry) => sum + entry.weight, 0) > weightMax) model.shift()
        }
        for (const { key, value } of model) expect(lru.get(key)).toBe(value)
        for (let key = 0; key <= 6; key++) expect(lru.get(key) !== undefined).toBe(model.some((entry) => entry.key === key))
      }),
      { numRuns: 500 },
    )
  })
})
