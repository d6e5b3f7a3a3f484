import { type Address, codec, type Height, type Hex, storageKey, unwrap, ZERO_HASH } from '@quoin/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MemoryKv } from '../../test/memory-kv.ts'
import { InterpreterFault } from '../fault.ts'
import { headCodec, headKey } from '../state/head.ts'
import { flatOps, type HistoryKv, historyOps } from '../state/history.ts'
import type { StateChange } from '../state/journal.ts'
import { flatKeyOf } from '../state/keys.ts'
import type { KvReader } from '../state/kv.ts'
import { TREE_FORMAT } from '../state/tree/records.ts'
import { CALL_LIMITS } from './limits.ts'
import { runOnPast } from './past-run.ts'

const KEYS = 6
const OWNER = `0x${'ab'.repeat(20)}` as Address
const flatKeys = Array.from({ length: KEYS }, (_, i) => flatKeyOf(storageKey(OWNER, Uint8Array.of(i))))

type State = readonly (number | undefined)[]
/** Writes of one block: values of some keys. */
type Block = readonly { readonly key: number; readonly value: number | undefined }[]

const bytesOf = (value: number | undefined): Uint8Array | undefined => (value === undefined ? undefined : Uint8Array.of(value))

/** A database to which blocks are committed, with a naive model that keeps every past state. */
class Story {
  readonly kv = new MemoryKv()
  readonly states: State[] = [new Array<number | undefined>(KEYS).fill(undefined)]
  readonly #hasHead: boolean

  constructor(hasHead: boolean) {
    this.#hasHead = hasHead
    this.#writeHead()
  }

  commit(block: Block): void {
    const before = this.states.at(-1)!
    const after = [...before]
    for (const { key, value } of block) after[key] = value
    const changes: StateChange[] = flatKeys.flatMap((flatKey, i) =>
      before[i] === after[i] ? [] : [{ flatKey, before: bytesOf(before[i]), after: bytesOf(after[i]) }],
    )
    this.kv.write([...flatOps(changes), ...historyOps(changes, this.states.length)])
    this.states.push(after)
    this.#writeHead()
  }

  #writeHead(): void {
    if (!this.#hasHead) return
    const height = (this.states.length - 1) as Height
    const head = { format: TREE_FORMAT, depth: 4, height, oldestUndo: 0 as Height, root: ZERO_HASH }
    this.kv.write([{ key: headKey, value: codec.encode(headCodec, head) }])
  }
}

/** Reads that depend on earlier reads. The result names every key and value that was read. */
const program =
  (steps: number, seed: number) =>
  (read: (key: number) => number | undefined): string => {
    let at = seed
    let trace = ''
    for (let i = 0; i < steps; i++) {
      const key = at % KEYS
      const value = read(key)
      trace += `${key}:${value} `
      at = (at * 31 + (value ?? 7) * 17 + i) % 1_000_003
      if (value === 0) throw new Error(trace)
    }
    return trace
  }

const block = fc.array(fc.record({ key: fc.nat(KEYS - 1), value: fc.option(fc.nat(5), { nil: undefined, freq: 3 }) }), {
  maxLength: 4,
})

const outcomeOf = async (run: () => unknown): Promise<string> => {
  try {
    return String(await run())
  } catch (error) {
    return `threw ${(error as Error).message}`
  }
}

describe('a run on a past state', () => {
  it.each([true, false])('is the run on that state, whatever is committed meanwhile (head record: %s)', async (hasHead) => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(block, { maxLength: 6 }),
        fc.array(fc.record({ after: fc.nat(25), block }), { maxLength: 6 }),
        fc.nat(6),
        fc.integer({ min: 0, max: 30 }),
        fc.nat(1_000),
        async (blocks, later, back, steps, seed) => {
          const story = new Story(hasHead)
          for (const one of blocks) story.commit(one)
          const height = Math.max(0, blocks.length - back)
          const pending = later.toSorted((a, b) => a.after - b.after)
          let operations = 0
          const commitDue = (): void => {
            operations++
            while (pending[0] !== undefined && pending[0].after < operations) story.commit(pending.shift()!.block)
          }
          const kv: HistoryKv = {
            get(key) {
              commitDue()
              return story.kv.get(key)
            },
            async *scan(range) {
              commitDue()
              yield* story.kv.scan(range)
            },
          }
          const run = program(steps, seed)
          const found = await outcomeOf(async () =>
            unwrap(await runOnPast(kv, height, (state) => run((key) => state.get(flatKeys[key]!)?.[0]))),
          )
          const expected = await outcomeOf(() => run((key) => story.states[height]![key]))
          expect(found).toBe(expected)
        },
      ),
      { numRuns: 400 },
    )
  })

  const chainOf = (length: number) => {
    const keyOf = (i: number): Hex => storageKey(OWNER, Uint8Array.of(i >> 8, i & 255))
    const kv = new MemoryKv()
    const link = (i: number, next: number): StateChange => ({
      flatKey: flatKeyOf(keyOf(i)),
      before: Uint8Array.of(next >> 8, next & 255),
      after: Uint8Array.of(0xff),
    })
    const changes = Array.from({ length }, (_, i) => link(i, i + 1))
    kv.write([...flatOps(changes), ...historyOps(changes, 1)])
    let runs = 0
    const walk = (state: KvReader): number => {
      runs++
      let at = 0
      for (;;) {
        const next = state.get(flatKeyOf(keyOf(at)))
        if (next?.length !== 2) return at
        at = next[0]! * 256 + next[1]!
      }
    }
    return { kv, walk, runs: () => runs }
  }

  it('follows a chain of changed values, one run for each', async () => {
    const { kv, walk, runs } = chainOf(40)
    expect(await runOnPast(kv, 0, walk)).toEqual({ ok: true, value: 40 })
    expect(runs()).toBe(41)
  })

  it('gives up a chain that is longer than its bound, and says so', async () => {
    const { kv, walk, runs } = chainOf(CALL_LIMITS.runsMax)
    expect(await runOnPast(kv, 0, walk)).toMatchObject({ ok: false, error: { code: 'too-many-runs' } })
    expect(runs()).toBe(CALL_LIMITS.runsMax)
  })

  it('runs once at the head, without a look into the history', async () => {
    const story = new Story(true)
    story.commit([{ key: 1, value: 3 }])
    const kv: HistoryKv = { get: (key) => story.kv.get(key), scan: () => expect.unreachable('history') }
    expect(await runOnPast(kv, 1, (state) => state.get(flatKeys[1]!)?.[0])).toEqual({ ok: true, value: 3 })
  })

  it('ends at once when the machine fails', async () => {
    const story = new Story(false)
    let runs = 0
    const failing = runOnPast(story.kv, 0, (state) => {
      runs++
      state.get(flatKeys[0]!)
      throw new InterpreterFault(undefined, new RangeError('Maximum call stack size exceeded'))
    })
    await expect(failing).rejects.toThrow(InterpreterFault)
    expect(runs).toBe(1)
  })
})
