import { describe, expect, it } from 'vitest'
import { wasmPower } from '../../test/engine.ts'
import { GuestMemory } from './memory.ts'
import { pageStart, WATCH_PAGE_BYTES } from './meter/watch.ts'
import { Unwind } from './outcome.ts'
import { LAYOUT, type Meter } from './quickjs.ts'

const PAGES = 512
const END = PAGES * 65_536
const GRANTED = 200
const LOW = pageStart(LAYOUT.heapBase) - WATCH_PAGE_BYTES
const TOP = LOW + 8 * WATCH_PAGE_BYTES

function guestMemory() {
  const power = wasmPower()
  const { buffer } = power.memory(PAGES)
  const charged: number[] = []
  const counter = <T>(value: T) => ({ value })
  const meter: Meter = {
    gas: counter(0n),
    depth: counter(0),
    stackPointer: counter(0),
    low: counter(0),
    span: counter(0),
    pages: counter(0),
  }
  const memory = new GuestMemory(buffer, power.text(buffer), meter, (gas) => void charged.push(gas))
  memory.setEdges(LOW, TOP, GRANTED * 65_536)
  return { memory, charged, bytes: new Uint8Array(buffer) }
}

const ending = (action: () => unknown): unknown => {
  try {
    action()
    return 'none'
  } catch (error) {
    return error instanceof Unwind ? error.ending.kind : error
  }
}

describe('the host reads', () => {
  const { memory } = guestMemory()

  it.each([
    ['a word', (at: number) => memory.word(at), 4],
    ['half a word', (at: number) => memory.half(at), 2],
    ['a byte', (at: number) => memory.byte(at), 1],
    ['bytes', (at: number) => memory.slice(at, 10), 10],
    ['Latin-1', (at: number) => memory.latin1(at, 10), 10],
    ['UTF-16', (at: number) => memory.utf16(at, 5), 10],
  ])('%s up to the last byte of memory, and traps behind it', (_, read, length) => {
    expect(ending(() => read(END - length))).toBe('none')
    for (const at of [END, END + 100, 0x7fff_fffc, 0xffff_fff0, -4, -END])
      expect(
        ending(() => read(at)),
        `${at}`,
      ).toBe('trap')
  })

  it('nothing by a length that is more than memory', () => {
    expect(ending(() => memory.slice(END - 9, 10))).toBe('trap')
    expect(ending(() => memory.utf16(0, 2 ** 31))).toBe('trap')
    expect(ending(() => memory.latin1(1, 0x7fff_ffff))).toBe('trap')
  })
})

describe('the host writes', () => {
  const granted = GRANTED * 65_536

  it.each([
    ['words', (memory: GuestMemory, at: number) => memory.setWords(at, [1, 2]), 8],
    ['bytes', (memory: GuestMemory, at: number) => memory.set(at, Uint8Array.of(1, 2, 3, 4)), 4],
    ['Latin-1', (memory: GuestMemory, at: number) => memory.setLatin1(at, 'abcd'), 4],
    ['UTF-16', (memory: GuestMemory, at: number) => memory.setUtf16(at, 'ab'), 4],
  ])('%s up to the end of what is granted, moves the edges and takes the price', (_, write, length) => {
    const { memory, charged, bytes } = guestMemory()
    write(memory, TOP - length)
    write(memory, LOW)
    write(memory, LAYOUT.dataEnd - length)
    expect([memory.low, memory.top, charged.filter((gas) => gas > 0)]).toEqual([LOW, TOP, []])
    write(memory, TOP)
    expect(memory.top).toBe(TOP + WATCH_PAGE_BYTES)
    write(memory, LOW - length)
    expect(memory.low).toBe(LOW - WATCH_PAGE_BYTES)
    expect(charged.filter((gas) => gas > 0)).toEqual([1_500, 1_500])
    write(memory, granted - length)
    expect(memory.top).toBe(granted)
    for (const at of [granted - length + 4, granted, END, 0xffff_fff0]) expect(ending(() => write(memory, at))).toBe('trap')
    expect(bytes.subarray(granted).every((byte) => byte === 0)).toBe(true)
  })

  it('words at whole words alone', () => {
    const { memory } = guestMemory()
    expect(ending(() => memory.setWords(LAYOUT.heapBase + 2, [1]))).toBe('trap')
  })
})
