import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { wasmPower } from '../../../test/interpreter.ts'
import { assemble, type FunctionSource, op, TYPE } from '../../../test/wasm-text.ts'
import type { WasmFunction, WasmGlobal } from '../power.ts'
import { METER_EXPORTS, meterModule } from './module.ts'
import { STORE_BYTES_MAX, WATCH_PAGE_BYTES } from './watch.ts'

const power = wasmPower()
const PAGES = 2
const PAGE_GAS = 1_000
/** Data up to 10,000, stack up to 50,000, then the heap. */
const OPTIONS = {
  memoryPages: PAGES,
  stackPointer: 0,
  watch: { constantsEnd: 0, dataEnd: 10_000, heapBase: 50_000, pageGas: PAGE_GAS },
}
/** Edges of stack and heap at the start. */
const [LOW, TOP] = [12 * WATCH_PAGE_BYTES, 13 * WATCH_PAGE_BYTES]
const LIMIT = 1_000_000
const DEPTH = 10_000

interface Run {
  readonly result: number | undefined
  readonly trapped: boolean
  readonly gas: number
  readonly depth: number
  readonly low: number
  readonly top: number
  readonly memory: Uint8Array
}

/** Runs f0 of a metered module with this many granted WebAssembly pages. */
function run(
  functions: readonly FunctionSource[],
  values: readonly number[] = [],
  limit = LIMIT,
  depth = DEPTH,
  pages = PAGES,
  constantsEnd = 0,
): Run {
  const binary = meterModule(assemble(functions), { ...OPTIONS, watch: { ...OPTIONS.watch, constantsEnd } })
  const memory = power.memory(PAGES)
  const exports = power.instantiate(power.compile(binary), { host: { call: () => 0, memory } })
  const gas = exports[METER_EXPORTS.gas] as WasmGlobal<bigint>
  const depthLeft = exports[METER_EXPORTS.depth] as WasmGlobal<number>
  const [low, span, granted] = [METER_EXPORTS.low, METER_EXPORTS.span, METER_EXPORTS.pages].map(
    (name) => exports[name] as WasmGlobal<number>,
  ) as [WasmGlobal<number>, WasmGlobal<number>, WasmGlobal<number>]
  granted.value = pages
  gas.value = BigInt(limit)
  depthLeft.value = depth
  const end = () => ({
    gas: limit - Number(gas.value),
    depth: depth - depthLeft.value,
    low: low.value,
    top: low.value + span.value + STORE_BYTES_MAX,
    memory: new Uint8Array(memory.buffer),
  })
  try {
    const result = (exports.f0 as WasmFunction)(...values)
    return { result, trapped: false, ...end() }
  } catch (error) {
    if (!power.isTrap(error)) throw error
    return { result: undefined, trapped: true, ...end() }
  }
}

const i32 = [TYPE.i32]

describe('gas, counted by hand', () => {
  it('straight code pays for the instructions that are not free', () => {
    const { result, gas } = run([{ parameters: i32, results: i32, body: [op.get(0), op.i32(3), op.add, op.i32(2), op.mul] }], [4])
    expect({ result, gas }).toEqual({ result: 14, gas: 2 })
  })

  it('prices: division 8, global 1, call 5, call_indirect 8', () => {
    const leaf: FunctionSource = { body: [] }
    expect(run([{ results: i32, body: [op.i32(9), op.i32(3), op.divS] }]).gas).toBe(8)
    expect(run([{ body: [op.globalGet(0), op.drop] }]).gas).toBe(1)
    expect(run([{ body: [op.call(2)] }, leaf]).gas).toBe(5)
    expect(run([{ body: [op.i32(1), op.callIndirect(0)] }, leaf]).gas).toBe(8)
    expect(run([{ body: [op.call(0)] }]).gas).toBe(5)
  })

  it('a loop pays each turn', () => {
    // n iterations of: get, const, sub, tee, br_if
    const body = [op.loop, op.get(0), op.i32(1), op.sub, op.tee(0), op.brIf(0), op.end]
    for (const turns of [1, 2, 1000]) expect(run([{ parameters: i32, body }], [turns]).gas).toBe(3 * turns)
  })

  it('only the branch taken pays', () => {
    const body = [
      op.get(0),
      op.ifI32,
      op.i32(1),
      op.i32(2),
      op.add,
      op.else,
      op.i32(9),
      op.i32(3),
      op.divS,
      op.end,
      op.i32(1),
      op.mul,
    ]
    expect(run([{ parameters: i32, results: i32, body }], [1])).toMatchObject({ result: 3, gas: 1 + 1 + 1 })
    expect(run([{ parameters: i32, results: i32, body }], [0])).toMatchObject({ result: 3, gas: 1 + 8 + 1 })
  })

  it('an if without else', () => {
    const body = [op.get(0), op.if, op.i32(1), op.set(0), op.end, op.get(0), op.i32(1), op.add]
    expect(run([{ parameters: i32, results: i32, body }], [7])).toMatchObject({ result: 2, gas: 3 })
    expect(run([{ parameters: i32, results: i32, body }], [0])).toMatchObject({ result: 1, gas: 2 })
  })

  it('a return leaves from any depth, and skipped code is free', () => {
    const body = [op.loop, op.block, op.get(0), op.if, op.i32(5), op.return, op.end, op.end, op.end, op.i32(1), op.i32(1), op.add]
    expect(run([{ parameters: i32, results: i32, body }], [1])).toMatchObject({ result: 5, gas: 2, depth: 0 })
    expect(run([{ parameters: i32, results: i32, body }], [0])).toMatchObject({ result: 2, gas: 2, depth: 0 })
  })

  it('a table of branches', () => {
    const body = [
      ...[op.block, op.block, op.block, op.get(0), op.brTable([0, 1], 2), op.end],
      ...[op.i32(10), op.i32(1), op.add, op.return, op.end],
      ...[op.i32(20), op.return, op.end],
      op.i32(30),
    ]
    const results = [0, 1, 2, 99].map((value) => run([{ parameters: i32, results: i32, body }], [value]))
    expect(results.map(({ result, gas }) => [result, gas])).toEqual([
      [11, 1 + 1 + 1],
      [20, 1 + 1],
      [30, 1],
      [30, 1],
    ])
  })

  it('code that cannot be reached is neither paid nor harmful', () => {
    const body = [
      op.block,
      op.br(0),
      op.i32(1),
      op.if,
      op.end,
      op.end,
      op.i32(4),
      op.return,
      op.loop,
      op.br(0),
      op.end,
      op.unreachable,
    ]
    expect(run([{ results: i32, body }])).toMatchObject({ result: 4, gas: 2 })
  })

  it('bulk memory pays for its bytes, 8 a gas', () => {
    const fill = (length: number) => run([{ body: [op.i32(0), op.i32(7), op.i32(length), op.memoryFill] }])
    expect([0, 7, 8, 4096].map((length) => fill(length).gas)).toEqual([10, 10, 11, 522])
    const copy = run([{ body: [op.i32(64), op.i32(0), op.i32(80), op.memoryCopy] }])
    expect(copy.gas).toBe(20)
  })
})

describe('limits', () => {
  const countdown: FunctionSource = {
    parameters: i32,
    body: [op.loop, op.get(0), op.i32(1), op.sub, op.tee(0), op.brIf(0), op.end],
  }

  it('a loop traps at its head once gas is below zero, with the gas that it used', () => {
    expect(run([countdown], [1000], 3000)).toMatchObject({ trapped: false, gas: 3000 })
    expect(run([countdown], [1000], 2999)).toMatchObject({ trapped: true, gas: 3000 })
    expect(run([countdown], [2 ** 31 - 1], 300)).toMatchObject({ trapped: true, gas: 303 })
  })

  it('a call traps at its entry', () => {
    const recursion: FunctionSource = { body: [op.call(1)] }
    expect(run([recursion], [], 51, 2 ** 20)).toMatchObject({ trapped: true, gas: 55 })
  })

  it('bulk memory traps before it touches a byte', () => {
    const { trapped, memory } = run([{ body: [op.i32(0), op.i32(7), op.i32(4096), op.memoryFill] }], [], 521)
    expect(trapped).toBe(true)
    expect(memory[0]).toBe(0)
    expect(run([{ body: [op.i32(0), op.i32(7), op.i32(4096), op.memoryFill] }], [], 522).memory[4095]).toBe(7)
  })

  it('depth: 64 bytes and 8 a parameter and local, the meter own included, for functions that call', () => {
    const chain = (locals: number): readonly FunctionSource[] => [
      { locals: Array.from({ length: locals }, () => TYPE.i32), body: [op.call(2)] },
      { body: [] },
    ]
    const needs = (locals: number, depth: number) => !run(chain(locals), [], LIMIT, depth).trapped
    expect([needs(0, 71), needs(0, 72), needs(3, 95), needs(3, 96)]).toEqual([false, true, false, true])
  })

  it('depth is given back by every way out', () => {
    const early: FunctionSource = { parameters: i32, body: [op.call(2), op.get(0), op.if, op.return, op.end, op.call(2)] }
    expect(run([early, { body: [] }], [1]).depth).toBe(0)
    expect(run([early, { body: [] }], [0]).depth).toBe(0)
    expect(run([{ body: [op.call(1)] }], [], LIMIT, 7200)).toMatchObject({ trapped: true, depth: 7200 + 72 })
  })
})

describe('the world that a module sees', () => {
  it('memory.size is the global, and memory has one size', () => {
    expect(run([{ results: i32, body: [op.memorySize] }]).result).toBe(PAGES)
    expect(() => meterModule(assemble([]), { ...OPTIONS, memoryPages: 17 })).toThrow(/1 to 16 pages, not 17/)
  })

  it('shows only the canonical NaN', () => {
    // 0/0 is negative on x86 and positive on ARM; a payload can come from memory.
    const nan = [op.f64(0), op.f64(0), op.f64Div]
    const bits = ({ memory }: Run, bytes: number) => [...memory.subarray(0, bytes)]
    expect(bits(run([{ body: [op.i32(0), ...nan, op.f64Store] }]), 8)).toEqual([0, 0, 0, 0, 0, 0, 0xf8, 0x7f])
    expect(bits(run([{ body: [op.i32(0), ...nan, op.f32DemoteF64, op.f32Store] }]), 4)).toEqual([0, 0, 0xc0, 0x7f])
    expect(bits(run([{ body: [op.i32(0), op.f64(1), ...nan, op.f64Copysign, op.f64Store] }]), 8)).toEqual([
      0, 0, 0, 0, 0, 0, 0xf0, 0x3f,
    ])
    expect(bits(run([{ body: [op.i32(0), op.f64(-1.5), op.f64Store] }]), 8)).toEqual([0, 0, 0, 0, 0, 0, 0xf8, 0xbf])
  })

  it('refuses instructions without a price', () => {
    const grow = [op.i32(1), [0x40, 0], op.drop]
    expect(() => meterModule(assemble([{ body: grow }]), OPTIONS)).toThrow(/0x40 at byte 3 has no price/)
    const vector = [[0xfd, 0x0c]]
    expect(() => meterModule(assemble([{ body: vector }]), OPTIONS)).toThrow(/0xfd/)
    expect(() => meterModule(new Uint8Array(8), OPTIONS)).toThrow(/not a WebAssembly binary/)
  })
})

describe('the watch over stores', () => {
  const page = WATCH_PAGE_BYTES
  const storeAt = (at: number, offset = 0): FunctionSource => ({ body: [op.i32(at), op.i32(7), op.i32Store(offset)] })
  const edges = ({ low, top, gas, trapped }: Run) => ({ low, top, pages: Math.floor(gas / PAGE_GAS), trapped })
  const still = { low: LOW, top: TOP, pages: 0, trapped: false }

  it.each([
    ['the data', 0],
    ['the end of the data', 9_996],
    ['the stack that was written', LOW],
    ['the heap that was written', TOP - 4],
  ])('lets a store to %s be', (_, at) => {
    const found = run([storeAt(at)])
    expect(edges(found)).toEqual(still)
    expect(found.memory[at]).toBe(7)
  })

  it.each([
    ['one page of stack', LOW - 4, { low: LOW - page, pages: 1 }],
    ['a page of stack by a store across its edge', LOW - 2, { low: LOW - page, pages: 1 }],
    ['all of the stack', 10_000, { low: 2 * page, pages: 10 }],
    ['all of the stack by a store across the end of the data', 9_997, { low: 2 * page, pages: 10 }],
    ['a page of heap', TOP, { top: TOP + page, pages: 1 }],
    ['a page of heap by a store across its edge', TOP - 3, { top: TOP + page, pages: 1 }],
    ['all of the heap', PAGES * 65_536 - 4, { top: PAGES * 65_536, pages: 19 }],
  ])('moves an edge by %s, and takes the price', (_, at, moved) => {
    const found = run([storeAt(at)])
    expect(edges(found)).toEqual({ ...still, ...moved })
    expect(found.memory[at]).toBe(7)
    // In the offset of an address, as compilers write it.
    expect(edges(run([storeAt(at - 500, 500)]))).toEqual({ ...still, ...moved })
  })

  it('traps above the memory that is granted, and at addresses that wrap, without a write', () => {
    for (const found of [run([storeAt(65_536)], [], LIMIT, DEPTH, 1), run([storeAt(65_533)], [], LIMIT, DEPTH, 1)]) {
      expect(edges(found)).toEqual({ ...still, trapped: true })
      expect(found.memory.every((byte) => byte === 0)).toBe(true)
    }
    for (const at of [PAGES * 65_536 - 3, 2 ** 31 - 1, -1, -400]) {
      expect(edges(run([storeAt(at)]))).toEqual({ ...still, trapped: true })
      expect(edges(run([storeAt(at, 404)]))).toEqual({ ...still, trapped: true })
    }
  })

  it('traps for a range that begins in the constants, without a write', () => {
    const constantsEnd = 1_000
    const runAt = (source: FunctionSource) => run([source], [], LIMIT, DEPTH, PAGES, constantsEnd)
    const bulk = (length: number) => (at: number) => ({ body: [op.i32(at), op.i32(1), op.i32(length), op.memoryFill] })
    for (const write of [storeAt, (at: number) => storeAt(at - 700, 700), bulk(1), bulk(2_000)]) {
      for (const at of [700, 996, 999]) {
        const found = runAt(write(at))
        expect(edges(found)).toEqual({ ...still, trapped: true })
        expect(found.memory.every((byte) => byte === 0)).toBe(true)
      }
      expect(runAt(write(constantsEnd)).trapped).toBe(false)
    }
    for (const [store] of op.stores) {
      expect(runAt({ body: [op.i32(constantsEnd - 1), ...store] }).trapped).toBe(true)
      expect(runAt({ body: [op.i32(constantsEnd), ...store] }).trapped).toBe(false)
    }
    expect(runAt(bulk(0)(10)).trapped).toBe(false)
  })

  it('moves no edge that is not paid for', () => {
    const limit = 9 * PAGE_GAS
    expect(run([storeAt(LOW - 9 * page)], [], limit)).toMatchObject({ trapped: true, low: LOW, top: TOP })
    expect(run([storeAt(LOW - 8 * page)], [], limit)).toMatchObject({ trapped: false, low: LOW - 8 * page })
    const bulk: FunctionSource = { body: [op.i32(TOP), op.i32(0), op.i32(9 * page), op.memoryFill] }
    expect(run([bulk], [], limit)).toMatchObject({ trapped: true, low: LOW, top: TOP })
  })

  it('sees every width of store where it begins and ends', () => {
    for (const [store, bytes] of op.stores) {
      for (const at of [TOP - bytes, TOP - bytes + 1]) {
        const { top } = run([{ body: [op.i32(at), ...store] }])
        expect(top, `${bytes} at ${at}`).toBe(at + bytes > TOP ? TOP + page : TOP)
      }
    }
  })

  it('bulk operations are watched from their first byte to their last', () => {
    const fill = (at: number, length: number): FunctionSource => ({
      body: [op.i32(at), op.i32(1), op.i32(length), op.memoryFill],
    })
    const copy = (at: number, length: number): FunctionSource => ({
      body: [op.i32(at), op.i32(0), op.i32(length), op.memoryCopy],
    })
    for (const bulk of [fill, copy]) {
      expect(edges(run([bulk(9_000, 1_000)]))).toEqual(still)
      expect(edges(run([bulk(9_000, 1_001)]))).toEqual({ ...still, low: 2 * page, pages: 10 })
      expect(edges(run([bulk(LOW, TOP - LOW)]))).toEqual(still)
      expect(edges(run([bulk(LOW - 1, 1)]))).toEqual({ ...still, low: LOW - page, pages: 1 })
      expect(edges(run([bulk(LOW, TOP - LOW + 1)]))).toEqual({ ...still, top: TOP + page, pages: 1 })
      expect(edges(run([bulk(0, PAGES * 65_536)]))).toMatchObject({ low: 2 * page, top: PAGES * 65_536, trapped: false })
      expect(edges(run([bulk(TOP + page, 0)])).trapped).toBe(false)
      for (const [at, length] of [
        [0, PAGES * 65_536 + 1],
        [1, PAGES * 65_536],
        [-1, 2],
        [2, -1],
        [-8, 8],
      ] as const)
        expect(edges(run([bulk(at, length)]))).toMatchObject({ low: LOW, top: TOP, trapped: true })
      // Memory that exists but is not granted.
      for (const [at, length] of [
        [65_536, 1],
        [65_535, 2],
        [70_000, 10],
        [0, 65_537],
        [65_540, 65_000],
      ] as const) {
        const { trapped, low, top, memory } = run([bulk(at, length)], [], LIMIT, DEPTH, 1)
        expect({ trapped, low, top }).toEqual({ trapped: true, low: LOW, top: TOP })
        expect(memory.every((byte) => byte === 0)).toBe(true)
      }
      expect(run([bulk(70_000, 0)], [], LIMIT, DEPTH, 1).trapped).toBe(false)
    }
  })
})

/** A structured program; what it does and pays is defined by its constructs, without basic blocks or branches. */
type Statement =
  | { readonly kind: 'work'; readonly times: number }
  | { readonly kind: 'divide' }
  | { readonly kind: 'helper' }
  | { readonly kind: 'choose'; readonly yes: readonly Statement[]; readonly no: readonly Statement[] | undefined }
  | { readonly kind: 'repeat'; readonly times: number; readonly body: readonly Statement[] }
  | { readonly kind: 'leave'; readonly odd: boolean; readonly body: readonly Statement[] }
  | { readonly kind: 'return'; readonly below: number }

const { program } = fc.letrec<{ program: Statement[]; statement: Statement }>((tie) => ({
  program: fc.array(tie('statement'), { maxLength: 4, depthIdentifier: 'program' }) as fc.Arbitrary<Statement[]>,
  statement: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.record({ kind: fc.constant('work' as const), times: fc.integer({ min: 1, max: 3 }) }),
    fc.record({ kind: fc.constant('divide' as const) }),
    fc.record({ kind: fc.constant('helper' as const) }),
    fc.record({ kind: fc.constant('return' as const), below: fc.integer({ min: 0, max: 20 }) }),
    fc.record({ kind: fc.constant('choose' as const), yes: tie('program'), no: fc.option(tie('program'), { nil: undefined }) }),
    fc.record({ kind: fc.constant('repeat' as const), times: fc.integer({ min: 1, max: 3 }), body: tie('program') }),
    fc.record({ kind: fc.constant('leave' as const), odd: fc.boolean(), body: tie('program') }),
  ) as fc.Arbitrary<Statement>,
}))

/** Local 0 is the program's state; the locals after it count loops, one per nesting level. */
const LOOPS_MAX = 40
const bump = [op.get(0), op.i32(1), op.add, op.set(0)]
const isOdd = [op.get(0), op.i32(1), [0x71]]

function compile(statements: readonly Statement[], loop: number): number[][] {
  return statements.flatMap((statement): number[][] => {
    switch (statement.kind) {
      case 'work':
        return Array.from({ length: statement.times }, () => bump)
          .flat()
          .map((bytes) => [...bytes])
      case 'divide':
        return [op.get(0), op.i32(3), op.divS, op.set(0)].map((bytes) => [...bytes])
      case 'helper':
        return [op.get(0), op.call(2), op.set(0)].map((bytes) => [...bytes])
      case 'return':
        return [op.get(0), op.i32(statement.below), op.ltS, op.if, op.get(0), op.return, op.end].map((bytes) => [...bytes])
      case 'choose': {
        const no = statement.no === undefined ? [] : [[...op.else], ...compile(statement.no, loop)]
        return [...isOdd.map((bytes) => [...bytes]), [...op.if], ...compile(statement.yes, loop), ...no, [...op.end]]
      }
      case 'repeat': {
        const head = [op.i32(statement.times), op.set(loop), op.loop].map((bytes) => [...bytes])
        const tail = [op.get(loop), op.i32(1), op.sub, op.tee(loop), op.brIf(0), op.end].map((bytes) => [...bytes])
        return [...head, ...compile(statement.body, loop + 1), ...tail]
      }
      case 'leave': {
        const test = (statement.odd ? isOdd : [...isOdd, op.eqz]).map((bytes) => [...bytes])
        return [[...op.block], ...test, op.brIf(0), ...compile(statement.body, loop), [...op.end]]
      }
    }
  })
}

class Returned extends Error {}

/** Executes a program by the definition of its constructs. */
function evaluate(statements: readonly Statement[], state: { value: number; gas: number }): void {
  const pay = (gas: number) => {
    state.gas += gas
  }
  for (const statement of statements) {
    switch (statement.kind) {
      case 'work':
        state.value += statement.times
        pay(2 * statement.times)
        break
      case 'divide':
        state.value = Math.trunc(state.value / 3)
        pay(8 + 1)
        break
      case 'helper':
        state.value += 2
        pay(5 + 1 + 1)
        break
      case 'return':
        pay(1 + 1)
        if (state.value < statement.below) {
          pay(1)
          throw new Returned()
        }
        break
      case 'choose':
        pay(1 + 1)
        evaluate(state.value % 2 !== 0 ? statement.yes : (statement.no ?? []), state)
        break
      case 'repeat':
        pay(1)
        for (let i = 0; i < statement.times; i++) {
          evaluate(statement.body, state)
          pay(1 + 1 + 1)
        }
        break
      case 'leave':
        pay(1 + 1 + (statement.odd ? 0 : 1))
        if ((state.value % 2 !== 0) !== statement.odd) evaluate(statement.body, state)
        break
    }
  }
}

it('gas and result of random programs match their definition', () => {
  fc.assert(
    fc.property(program, fc.integer({ min: 0, max: 50 }), (statements, input) => {
      const state = { value: input, gas: 0 }
      try {
        evaluate(statements, state)
      } catch (thrown) {
        if (!(thrown instanceof Returned)) throw thrown
      }
      const locals = Array.from({ length: LOOPS_MAX }, () => TYPE.i32)
      const main: FunctionSource = { parameters: i32, results: i32, locals, body: [...compile(statements, 1), op.get(0)] }
      const helper: FunctionSource = { parameters: i32, results: i32, body: [op.get(0), op.i32(2), op.add] }
      expect(run([main, helper], [input])).toMatchObject({ result: state.value, gas: state.gas, depth: 0 })
    }),
    { numRuns: 300 },
  )
})
