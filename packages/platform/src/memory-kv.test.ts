import fc from 'fast-check'
import { expect, it } from 'vitest'
import { MemoryKv } from './memory-kv.ts'

const bytesOf = (text: string) => new Uint8Array(Buffer.from(text, 'latin1'))
const valueOf = (n: number) => bytesOf(String(n))
const numberOf = (value: Uint8Array) => Number(Buffer.from(value).toString('latin1'))

/** Few distinct keys, so that operations often have the same one. Includes the empty key and bytes above 0x7f. */
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
      ...{ kind: fc.constant('scan' as const), from: key, to: key },
      ...{ reverse: fc.boolean(), limit: fc.oneof(fc.nat(5), fc.constant(Number.POSITIVE_INFINITY)) },
    }),
  },
)

const sorted = (model: ReadonlyMap<string, number>) => [...model].sort(([a], [b]) => (a < b ? -1 : 1))

const END = '\u00ff\u00ff\u00ff'

/** Keys and values of a range, as strings and numbers. */
async function scanned(kv: MemoryKv, from: string, to: string, order: { reverse?: boolean; limit?: number } = {}) {
  const found: (readonly [string, number])[] = []
  for await (const [name, value] of kv.scan({ ...order, from: bytesOf(from), to: bytesOf(to) }))
    found.push([Buffer.from(name).toString('latin1'), numberOf(value)])
  return found
}

it('is an ordered map, and its clones are independent', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(step, fc.nat(3)), { maxLength: 120 }), async (steps) => {
      const maps: { readonly kv: MemoryKv; readonly model: Map<string, number> }[] = [{ kv: new MemoryKv(), model: new Map() }]
      for (const [action, which] of steps) {
        const { kv, model } = maps[which % maps.length]!
        switch (action.kind) {
          case 'set':
            kv.apply([{ key: bytesOf(action.key), value: valueOf(action.value) }])
            model.set(action.key, action.value)
            break
          case 'delete':
            kv.apply([{ key: bytesOf(action.key), value: undefined }])
            model.delete(action.key)
            break
          case 'clone':
            maps[maps.length % 4] = { kv: kv.clone(), model: new Map(model) }
            break
          case 'fill': {
            const names = Array.from({ length: action.count }, (_, i) => `f${i}`)
            kv.apply(names.map((name, i) => ({ key: bytesOf(name), value: valueOf(i) })))
            names.forEach((name, i) => model.set(name, i))
            break
          }
          case 'drain': {
            const names = [...model.keys()].filter((name) => name < action.to)
            kv.apply(names.map((name) => ({ key: bytesOf(name), value: undefined })))
            for (const name of names) model.delete(name)
            break
          }
          case 'scan': {
            const within = sorted(model).filter(([name]) => name >= action.from && name < action.to)
            if (action.reverse) within.reverse()
            expect(await scanned(kv, action.from, action.to, action)).toEqual(within.slice(0, action.limit))
          }
        }
      }
      for (const { kv, model } of maps) {
        expect(kv.size).toBe(model.size)
        expect([...model.keys()].map((name) => numberOf(kv.get(bytesOf(name))!))).toEqual([...model.values()])
        expect(await scanned(kv, '', END)).toEqual(sorted(model))
        expect(kv.get(bytesOf('absent'))).toBeUndefined()
      }
    }),
    { numRuns: 300 },
  )
})
