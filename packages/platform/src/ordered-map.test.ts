import fc from 'fast-check'
import { expect, it } from 'vitest'
import { OrderedMap } from './ordered-map.ts'

/** Few distinct keys, so that they meet; the empty one and bytes above 0x7f among them. */
const key = fc.oneof(
  { weight: 9, arbitrary: fc.nat(300).map((n) => n.toString(36)) },
  { weight: 1, arbitrary: fc.constantFrom('', '\u0000', '\u00ff', '\u00ff\u00ff') },
)
const step = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('set' as const), key, value: fc.nat() }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('delete' as const), key }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('clone' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('fill' as const), count: fc.nat(1_500) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('drain' as const), to: fc.nat(999).map((n) => `f${n}`) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      ...{ kind: fc.constant('range' as const), from: key, to: key },
      ...{ reverse: fc.boolean(), limit: fc.oneof(fc.nat(5), fc.constant(Number.POSITIVE_INFINITY)) },
    }),
  },
)

const sorted = (model: ReadonlyMap<string, number>) => [...model].sort(([a], [b]) => (a < b ? -1 : 1))

it('is a map in order, and none of its clones sees what the others do', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(step, fc.nat(3)), { maxLength: 120 }), (steps) => {
      const maps: { readonly map: OrderedMap<number>; readonly model: Map<string, number> }[] = [
        { map: new OrderedMap(), model: new Map() },
      ]
      for (const [action, which] of steps) {
        const { map, model } = maps[which % maps.length]!
        switch (action.kind) {
          case 'set':
            map.set(action.key, action.value)
            model.set(action.key, action.value)
            break
          case 'delete':
            expect(map.delete(action.key)).toBe(model.delete(action.key))
            break
          case 'clone':
            maps[maps.length % 4] = { map: map.clone(), model: new Map(model) }
            break
          case 'fill':
            for (let i = 0; i < action.count; i++) {
              map.set(`f${i}`, i)
              model.set(`f${i}`, i)
            }
            break
          case 'drain':
            for (const [name] of sorted(model).filter(([name]) => name < action.to)) {
              expect(map.delete(name)).toBe(true)
              model.delete(name)
            }
            break
          case 'range': {
            const within = sorted(model).filter(([name]) => name >= action.from && name < action.to)
            if (action.reverse) within.reverse()
            expect(map.range(action)).toEqual(within.slice(0, action.limit).map(([, value]) => value))
          }
        }
      }
      for (const { map, model } of maps) {
        expect(map.size).toBe(model.size)
        for (const [name, value] of model) expect(map.get(name)).toBe(value)
        expect(map.range({ from: '', to: '\uffff', reverse: false, limit: 1_000_000 })).toEqual(
          sorted(model).map(([, value]) => value),
        )
        expect(map.get('absent')).toBeUndefined()
      }
    }),
    { numRuns: 300 },
  )
})
