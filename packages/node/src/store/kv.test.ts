import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { KvOp } from '@quoin/execution'
import { MemoryKv } from '@quoin/platform'
import { compareBytes } from '@quoin/protocol'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Kv, KvRange } from '../powers.ts'
import { type OwnedKv, openClassicKv } from './classic-kv.ts'

const bytes = fc.uint8Array({ minLength: 0, maxLength: 4, max: 3 })
const key = fc.uint8Array({ minLength: 1, maxLength: 4, max: 3 })
const ops = fc.array(fc.record({ key, value: fc.option(bytes, { nil: undefined }) }), { maxLength: 12 })
const range = fc.record(
  { from: bytes, to: key, reverse: fc.boolean(), limit: fc.integer({ min: 1, max: 6 }) },
  { requiredKeys: ['from', 'to'] },
)

/** What a `Kv` must answer, computed in the simplest way. */
class Model {
  entries: [Uint8Array, Uint8Array][] = []

  write(batch: readonly KvOp[]): void {
    for (const { key: name, value } of batch) {
      this.entries = this.entries.filter(([other]) => compareBytes(other, name) !== 0)
      if (value !== undefined) this.entries.push([name, value])
    }
    this.entries.sort(([a], [b]) => compareBytes(a, b))
  }

  scan({ from, to, reverse, limit }: KvRange): [Uint8Array, Uint8Array][] {
    const found = this.entries.filter(([name]) => compareBytes(name, from) >= 0 && compareBytes(name, to) < 0)
    return (reverse ? found.reverse() : found).slice(0, limit)
  }
}

const plain = (entries: Iterable<readonly [Uint8Array, Uint8Array]>) =>
  [...entries].map(([name, value]) => [[...name], [...value]])

async function collect(kv: Kv, wanted: KvRange) {
  const found: (readonly [Uint8Array, Uint8Array])[] = []
  for await (const entry of kv.scan(wanted)) found.push(entry)
  return found
}

/** Scans while others are open, each read inside the loops of the ones before it. */
async function nested(kv: Kv, depth: number): Promise<number> {
  let count = 0
  for await (const _ of kv.scan({ from: Uint8Array.of(), to: Uint8Array.of(255) }))
    count += depth === 0 ? 1 : await nested(kv, depth - 1)
  return count
}

async function agrees(kv: Kv, batches: readonly (readonly KvOp[])[], ranges: readonly KvRange[]): Promise<void> {
  const model = new Model()
  for await (const [name] of kv.scan({ from: Uint8Array.of(), to: Uint8Array.of(255) }))
    await kv.write([{ key: name, value: undefined }])
  for (const batch of batches) {
    await kv.write(batch)
    model.write(batch)
  }
  for (const wanted of ranges) expect(plain(await collect(kv, wanted))).toEqual(plain(model.scan(wanted)))
  const names = batches.flat().map((op) => op.key)
  const expected = names.map((name) => model.entries.find(([other]) => compareBytes(other, name) === 0)?.[1])
  expect(names.map((name) => kv.get(name)?.join())).toEqual(expected.map((value) => value?.join()))
  expect((await kv.getMany(names)).map((value) => value?.join())).toEqual(expected.map((value) => value?.join()))
}

let directory: string
let level: OwnedKv
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'quoin-kv-'))
  level = await openClassicKv(join(directory, 'db'))
})
afterEach(async () => {
  await level.close()
  await rm(directory, { recursive: true })
})

describe.each([
  ['classic-level', () => level, 40],
  ['memory', () => new MemoryKv(), 200],
] as const)('Kv on %s', (_, open, numRuns) => {
  it('answers as an ordered map does, after any batches', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(ops, { maxLength: 4 }), fc.array(range, { maxLength: 4 }), async (batches, ranges) =>
        agrees(open(), batches, ranges),
      ),
      { numRuns },
    )
  })

  it('keeps its own copy of what is written', async () => {
    const kv = open()
    const [name, value] = [Uint8Array.of(1), Uint8Array.of(7)]
    await kv.write([{ key: name, value }])
    name[0] = 2
    value[0] = 8
    expect(kv.get(Uint8Array.of(1))).toEqual(Uint8Array.of(7))
    expect(kv.get(Uint8Array.of(2))).toBeUndefined()
  })

  it('scans one snapshot, whatever is written meanwhile', async () => {
    const kv = open()
    const entry = (i: number) => ({ key: Uint8Array.of(1, i >> 8, i & 255), value: Uint8Array.of(i & 255) })
    await kv.write(Array.from({ length: 600 }, (_, i) => entry(2 * i)))
    const seen: number[] = []
    for await (const [name] of kv.scan({ from: Uint8Array.of(1), to: Uint8Array.of(2) })) {
      if (seen.length === 0) await kv.write([entry(1199), { key: entry(1198).key, value: undefined }])
      seen.push(name[1]! * 256 + name[2]!)
    }
    expect(seen).toEqual(Array.from({ length: 600 }, (_, i) => 2 * i))
  })

  it('scans inside the loops of other scans, and many at once, also ones that are left early', async () => {
    const kv = open()
    await kv.write(Array.from({ length: 4 }, (_, i) => ({ key: Uint8Array.of(i), value: Uint8Array.of(i) })))
    expect(await nested(kv, 2)).toBe(64)
    const all = { from: Uint8Array.of(), to: Uint8Array.of(255) }
    const first = async () => {
      for await (const [name] of kv.scan(all)) return name[0]
      return undefined
    }
    expect(await Promise.all(Array.from({ length: 100 }, first))).toEqual(new Array(100).fill(0))
  })
})

describe('openClassicKv', () => {
  it('finds everything again after reopening', async () => {
    const names = Array.from({ length: 1000 }, (_, i) => Uint8Array.of(9, i >> 8, i & 255))
    await level.write(names.map((name) => ({ key: name, value: name })))
    await level.close()
    level = await openClassicKv(join(directory, 'db'))
    expect((await level.getMany(names)).every((value, i) => compareBytes(value!, names[i]!) === 0)).toBe(true)
  })

  it('opens twice in one process, and both see what either wrote', async () => {
    const other = await openClassicKv(join(directory, 'db'))
    await level.write([{ key: Uint8Array.of(1), value: Uint8Array.of(2) }])
    expect(other.get(Uint8Array.of(1))).toEqual(Uint8Array.of(2))
    await other.close()
    expect(level.get(Uint8Array.of(1))).toEqual(Uint8Array.of(2))
  })
})
