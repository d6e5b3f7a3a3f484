import { createHash } from 'node:crypto'
import { expect, it } from 'vitest'
import { ManualClock } from '../test/clock.ts'
import { FadingRecall, RECALL_KEY_BYTES, Recall } from './recall.ts'

const hashOf = (index: number) => createHash('sha256').update(`${index}`).digest()
const keyOf = (index: number) => hashOf(index).subarray(0, RECALL_KEY_BYTES)

it('knows exactly the noted hashes', () => {
  const recall = new Recall(keyOf(-1))
  for (let i = 0; i < 1_000; i++) expect(recall.note(hashOf(i))).toBe(false)
  let known = 0
  for (let i = 0; i < 1_000; i++) if (recall.note(hashOf(i))) known++
  // Hashes that share a slot have replaced each other: about 1,000² / 2¹⁵ of them.
  expect(known).toBeGreaterThan(900)
})

it('reads a hash that lies within a larger buffer', () => {
  const recall = new Recall(keyOf(-1))
  const buffer = new Uint8Array(40)
  buffer.set(hashOf(7), 5)
  expect(recall.note(buffer.subarray(5, 37))).toBe(false)
  expect(recall.note(hashOf(7))).toBe(true)
})

it('puts hashes that share a slot with one key into different slots with another', () => {
  const first = new Recall(keyOf(-1))
  const pairs: (readonly [Uint8Array, Uint8Array])[] = []
  const pushes = (a: Uint8Array, b: Uint8Array, recall: Recall) => {
    recall.note(a)
    recall.note(b)
    return !recall.note(a)
  }
  for (let i = 0; pairs.length < 4 && i < 10 ** 6; i++)
    if (pushes(hashOf(0), hashOf(i + 1), first)) pairs.push([hashOf(0), hashOf(i + 1)])
  expect(pairs.length).toBe(4)
  const second = new Recall(keyOf(-2))
  expect(pairs.filter(([a, b]) => pushes(a, b, second))).toEqual([])
})

it('requires a key of the full length', () => {
  expect(() => new Recall(new Uint8Array(15))).toThrow(RangeError)
})

it('has as many slots as it is told', () => {
  const large = new Recall(keyOf(-1), 19)
  for (let i = 0; i < 30_000; i++) large.note(hashOf(i))
  let known = 0
  for (let i = 0; i < 30_000; i++) if (large.has(hashOf(i))) known++
  // About 30,000² / 2²⁰ have replaced each other; with 2¹⁵ slots it would be 15,000.
  expect(known).toBeGreaterThan(28_500)
})

it('fades: a hash is known for a while, less than twice as long, however often it is asked for', () => {
  for (const stepMs of [100, 700, 999, 1_000, 1_999, 2_500]) {
    const clock = new ManualClock()
    const recall = new FadingRecall({ clock, key: keyOf(-1), keptMs: 1_000 })
    let noted = Number.NEGATIVE_INFINITY
    for (let i = 0; i < 200; i++) {
      const isKnown = recall.noteOnce(hashOf(7))
      const ageMs = clock.monotonic() - noted
      if (isKnown) expect(ageMs).toBeLessThan(2_000)
      else expect(ageMs).toBeGreaterThanOrEqual(1_000)
      if (!isKnown) noted = clock.monotonic()
      clock.advance(stepMs)
    }
  }
})
