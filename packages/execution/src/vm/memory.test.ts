import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { runs } from '../../../../test/long.ts'
import { wasmPower } from '../../test/interpreter.ts'
import { assemble, type FunctionSource, op, TYPE } from '../../test/wasm-text.ts'
import { GuestMemory } from './memory.ts'
import { meterModule } from './meter/module.ts'
import { pageStart, WATCH_PAGE_BYTES } from './meter/watch.ts'
import { Unwind } from './outcome.ts'
import type { WasmExports, WasmFunction } from './power.ts'
import { LAYOUT, type Meter, meterOf } from './quickjs.ts'
import { VM_GAS } from './vm-gas.ts'

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

  it('nothing for a length above the memory size', () => {
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
  ])('%s up to the end of the granted memory moves the edges and is charged', (_, write, length) => {
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

  it('nothing among the constants', () => {
    const { memory, bytes } = guestMemory()
    for (const at of [0, 1_024, LAYOUT.constantsEnd - 4]) expect(ending(() => memory.set(at, Uint8Array.of(1)))).toBe('trap')
    expect(bytes.every((byte) => byte === 0)).toBe(true)
    expect(ending(() => memory.set(LAYOUT.constantsEnd, Uint8Array.of(1)))).toBe('none')
  })

  it('words at whole words alone', () => {
    const { memory } = guestMemory()
    expect(ending(() => memory.setWords(LAYOUT.heapBase + 2, [1]))).toBe('trap')
  })
})

describe('the host and the guest write by one rule', () => {
  const power = wasmPower()
  const fill: FunctionSource = { parameters: [TYPE.i32, TYPE.i32], body: [op.get(0), op.i32(1), op.get(1), op.memoryFill] }
  const store: FunctionSource = { parameters: [TYPE.i32, TYPE.i32], body: [op.get(0), op.i32(1), [0x3a, 0, 0]] }
  const module = power.compile(
    meterModule(assemble([fill, store], PAGES), {
      memoryPages: PAGES,
      stackPointer: 0,
      watch: { ...LAYOUT, pageGas: VM_GAS.page },
    }),
  )
  const GAS = 1e9

  /** What a write leaves behind, and what it costs in addition to the price of a bulk operation's own instructions. */
  const after = (write: (memory: GuestMemory, exports: WasmExports) => void) => {
    const memory = power.memory(PAGES)
    const exports = power.instantiate(module, { host: { call: () => 0, memory } })
    const meter = meterOf(exports)
    let charged = 0
    const guest = new GuestMemory(memory.buffer, power.text(memory.buffer), meter, (gas) => {
      charged += gas
    })
    guest.setEdges(LOW, TOP, GRANTED * 65_536)
    meter.gas.value = BigInt(GAS)
    let trapped = false
    try {
      write(guest, exports)
    } catch (error) {
      trapped = true
      if (!power.isTrap(error) && !(error instanceof Unwind)) throw error
    }
    return { trapped, low: guest.low, top: guest.top, pages: Math.round((charged + GAS - Number(meter.gas.value)) / VM_GAS.page) }
  }

  it('the same edges, the same price, the same refusals', () => {
    const edges = [0, LAYOUT.constantsEnd, LAYOUT.dataEnd, LOW, LAYOUT.heapBase, TOP, GRANTED * 65_536, END]
    const address = fc
      .tuple(fc.oneof(fc.constantFrom(...edges), fc.nat(END)), fc.integer({ min: -9, max: 9 }))
      .map(([edge, offset]) => Math.max(0, edge + offset))
    const length = fc.oneof(fc.constantFrom(1, 2, 8), fc.integer({ min: 1, max: 5_000 }))
    let moved = 0
    let refused = 0
    fc.assert(
      fc.property(address, length, (at, bytes) => {
        const host = after((memory) => memory.set(at, new Uint8Array(bytes)))
        const guest = after((_, exports) => (exports[bytes === 1 ? 'f1' : 'f0'] as WasmFunction)(at, bytes))
        expect(host).toEqual(guest)
        if (host.trapped) refused++
        else if (host.pages > 0) moved++
      }),
      { numRuns: runs(300), examples: edges.flatMap((at) => [[at, 1] as [number, number], [Math.max(0, at - 4), 8]]) },
    )
    expect(Math.min(moved, refused)).toBeGreaterThan(2)
  })
})
