import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { runs } from '../../../../test/long.ts'
import { HOLE, HOLED_PRELUDE } from '../../test/holes.ts'
import { HOSTILE_HOST, hostileHandlers } from '../../test/hostile-host.mjs'
import { interpreterBinary, wasmPower } from '../../test/interpreter.ts'
import { HostRefusal, HostStop } from './host-function.ts'
import { createInterpreter } from './interpreter.ts'
import type { CallOutcome } from './outcome.ts'
import type { WasmExports, WasmFunction, WasmPower } from './power.ts'
import { LAYOUT } from './quickjs.ts'
import type { ContractImage, Interpreter } from './request.ts'

const GAS = 400_000_000

/** WebAssembly that captures an instance's memory when one of its functions is entered, before the function does anything. */
function spyingPower(spy: (memory: Uint8Array) => void, entered: string): WasmPower {
  const memories: ArrayBuffer[] = []
  const power = wasmPower(memories)
  return {
    ...power,
    instantiate(module, imports): WasmExports {
      const memory = new Uint8Array(memories.at(-1)!)
      const exports = power.instantiate(module, imports)
      const inner = exports[entered] as WasmFunction
      return {
        ...exports,
        [entered]: (...args: number[]) => {
          spy(memory)
          return inner(...args)
        },
      }
    },
  }
}

/** QTS_Call, and QTS_Eval. */
const CALL = 'ma'

const handlers = {
  ...hostileHandlers(HostRefusal),
  flag: () => new HostStop('enough'),
  num: () => {
    throw new RangeError('Maximum call stack size exceeded')
  },
}

const interpreterOn = (wasm: WasmPower): Interpreter =>
  createInterpreter({ wasm, binary: interpreterBinary(), host: HOSTILE_HOST, prelude: HOLED_PRELUDE })

function imageOf(interpreter: Interpreter, body: string, before = ''): ContractImage {
  const compiled = interpreter.compile({ source: `${before}\nexport const run = (...values) => { ${body} }`, gas: GAS })
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.error))
  return compiled.value.image
}

/** Initial memory of an instance. */
const CONSTANTS = (() => {
  const memories: ArrayBuffer[] = []
  interpreterOn(wasmPower(memories))
  return Buffer.from(memories[0]!, 0, LAYOUT.constantsEnd)
})()

/** All memory at the start of a call of an image. */
function memoryOf({ data, patch, heap }: ContractImage): Buffer {
  const memory = Buffer.alloc(512 * 65_536)
  memory.set(CONSTANTS)
  memory.set(data, LAYOUT.constantsEnd)
  const words = new Uint32Array(memory.buffer, memory.byteOffset + LAYOUT.constantsEnd)
  for (let i = 0; i < patch.length; i += 2) words[patch[i]!] = patch[i + 1]!
  memory.set(heap, LAYOUT.heapBase)
  return memory
}

/**
 * Fills the stack below the call's frames, and the heap from the end of the allocator's part to the end of the granted memory. It
 * writes every fourth double, which is faster.
 */
const FILL = `
  const words = hole(Float64Array)
  const pattern = 1.2345e-67
  const end = 21 << 20
  for (let at = ${Math.ceil(LAYOUT.dataEnd / 8)}; at < ${LAYOUT.heapBase - 200_000} / 8; at += 4) words[at] = pattern
  for (let at = (19 << 20) / 8; at < end / 8; at += 4) words[at] = pattern
`
const ENDS = {
  return: 'return 1',
  throw: 'throw new Error("enough")',
  trap: 'words[(31 << 20) / 8] = pattern',
  'out-of-gas': 'for (;;);',
  'out-of-depth': 'JSON.parse("[".repeat(1e5))',
  stop: 'host.flag(true)',
  fault: 'host.num(1)',
} as const

/** A Uint8Array of 8,192 elements at a chosen address: bulk operations on it write there. */
const MOVED = `
  const moved = (address) => {
    const words = hole(Uint32Array)
    const array = new Uint8Array(8192)
    // A literal would also be found in the code, if it is aligned there.
    const half = 0x5eed
    new Uint32Array(array.buffer)[0] = half * 0x10001
    const elements = findWord(words, half * 0x10001)
    for (let i = HEAP / 4; i < END / 4; i++) if (words[i] === elements) words[i] = address
    return array
  }
`

describe('memory before each call equals the image', () => {
  it.each(Object.entries(ENDS))('after a call that filled memory through a hole and ended by %s', (kind, end) => {
    let seen: Buffer | undefined
    const interpreter = interpreterOn(
      spyingPower((memory) => {
        seen ??= Buffer.from(memory)
      }, CALL),
    )
    const hostile = imageOf(interpreter, `${FILL} ${end}`, HOLE)
    const plain = imageOf(interpreter, 'return JSON.stringify([1.5, 2n > 1])')
    const expected = memoryOf(plain)
    const call = (image: ContractImage) => {
      seen = undefined
      return interpreter.call({ image, entry: 'run', values: [], handlers, gas: GAS })
    }
    const before = call(plain)
    expect(seen?.equals(expected)).toBe(true)
    expect(call(hostile).kind).toBe(kind)
    expect(seen?.equals(memoryOf(hostile))).toBe(true)
    expect(call(plain)).toEqual(before)
    expect(seen?.equals(expected)).toBe(true)
  })

  it.each(Object.entries(ENDS))('after an evaluation that filled memory through a hole and ended by %s', (kind, end) => {
    const fresh = interpreterOn(wasmPower())
    const plain = 'export const run = () => [...new Map([[1, 2]])].join()'
    const expected = fresh.compile({ source: plain, gas: GAS })
    const interpreter = interpreterOn(wasmPower())
    const source = `${HOLE} ${FILL} ${end.replace('return 1', '')}`
    const evaluated = interpreter.compile({ source, gas: GAS, handlers })
    expect(evaluated.ok ? 'return' : evaluated.error.kind).toBe(kind)
    const compiled = interpreter.compile({ source: plain, gas: GAS })
    if (!compiled.ok || !expected.ok) throw new Error('the plain module does not evaluate')
    expect(compiled.value.gasUsed).toBe(expected.value.gasUsed)
    expect(Buffer.from(interpreter.packImage(compiled.value.image))).toEqual(Buffer.from(fresh.packImage(expected.value.image)))
  })

  it('of an image that was taken after corruption, with all that was written', () => {
    let seen: Buffer | undefined
    const interpreter = interpreterOn(
      spyingPower((memory) => {
        seen ??= Buffer.from(memory)
      }, CALL),
    )
    const image = imageOf(interpreter, 'return 1', `${HOLE} ${FILL}`)
    seen = undefined
    const again = interpreter.unpackImage(interpreter.packImage(image))!
    for (const one of [image, again, image]) {
      seen = undefined
      expect(interpreter.call({ image: one, entry: 'run', values: [], handlers, gas: GAS }).kind).toBe('return')
      expect(seen!.equals(memoryOf(image))).toBe(true)
    }
    // Its writes to the stack are gone; its writes to the heap are its own.
    expect(seen!.subarray(LAYOUT.dataEnd, LAYOUT.heapBase).every((byte) => byte === 0)).toBe(true)
    expect(image.heap.length).toBeGreaterThan(10 << 20)
  })

  it.each([
    ['fills', 'moved(30 << 20).fill(7)'],
    ['fills the end of memory', 'moved((32 << 20) - 8192).fill(7)'],
    ['copies', 'moved(30 << 20).set(new Uint8Array(8192).fill(7))'],
    ['stores', 'hole(Float64Array)[(31 << 20) / 8] = 1.5'],
    ['fills constants', 'moved(2048).fill(7)'],
    ['copies to constants', 'moved(2048).set(new Uint8Array(8192).fill(7))'],
    ['stores to constants', 'hole(Uint8Array)[5000] = 7'],
  ])('after a call that %s where no program may write', (_, body) => {
    let seen: Buffer | undefined
    const interpreter = interpreterOn(
      spyingPower((memory) => {
        seen ??= Buffer.from(memory)
      }, CALL),
    )
    const plain = imageOf(interpreter, 'return JSON.stringify([1.5, 2n > 1])')
    const hostile = imageOf(interpreter, body, HOLE + MOVED)
    expect(interpreter.call({ image: hostile, entry: 'run', values: [], handlers, gas: GAS }).kind).toBe('trap')
    seen = undefined
    expect(interpreter.call({ image: plain, entry: 'run', values: [], handlers, gas: GAS }).kind).toBe('return')
    expect(seen!.equals(memoryOf(plain))).toBe(true)
  })

  it('takes the price of all that is written', () => {
    const interpreter = interpreterOn(wasmPower())
    const image = imageOf(interpreter, 'const bytes = hole(Uint8Array); bytes[values[0]] = 1; return 1', HOLE)
    const gasOf = (at: number): number => {
      const outcome = interpreter.call({ image, entry: 'run', values: [at], handlers, gas: GAS })
      return outcome.kind === 'return' ? outcome.gasUsed : Number.NaN
    }
    const data = gasOf(LAYOUT.constantsEnd + 2_000)
    expect(gasOf(LAYOUT.dataEnd + 1) - data).toBeGreaterThan((1_270 - 100) * 1_200)
    expect(gasOf(20 << 20) - data).toBeGreaterThan((1_900 - 100) * 1_200)
  })
})

/**
 * Values for a number that the host reads from memory: zero, small, edges of memory and of 32 bits, the corrupted position
 * itself.
 */
const NUMBERS = [
  0,
  1,
  2,
  8,
  24,
  1_024,
  LAYOUT.dataEnd,
  LAYOUT.heapBase,
  0x01ff_fff8,
  0x01ff_ffff,
  0x0200_0000,
  0x7fff_ffff,
  0x8000_0000,
  0x8000_0003,
  0xffff_fff0,
  0xffff_ffff,
]
const TAGS = [-9, -8, -7, -6, -3, -2, -1, 0, 1, 2, 3, 4, 5, 6, 7, 8].map((tag) => tag >>> 0)

/**
 * Makes a JSValue with any tag and payload, over words with any contents. `values`: tag; payload, or undefined for the address of
 * the words; the words, where undefined means their own address; and the host function that gets the value, or -1 for the result.
 */
const FAKE = `
  const words = hole(Uint32Array)
  const [tag, payload, content, which] = values
  const list = [8.8888888e222, 0.5]
  const fake = new Uint32Array(64)
  fake[0] = 0x5eed1234
  const at = find(words, 8.8888888e222)
  const body = findWord(words, 0x5eed1234)
  content.forEach((word, i) => { fake[i] = word === null ? body : word })
  words[at / 4 + 2] = payload === null ? body : payload
  words[at / 4 + 3] = tag
  const calls = [() => host.get(list[1]), () => host.put('k', list[1]), () => host.big(list[1]), () => host.any(list[1]), () => host.echo(list), () => host.echo(list[1]), () => host.emit('x', ...list), () => host.sum(list[1]), () => host.fail(list[1])]
  if (which >= 0) { try { calls[which]() } catch (e) { return String(e.message) } return 'fine' }
  if (which === -1) return list
  if (which === -2) throw list[1]
  const error = new Error('x'); error.data = list[1]; throw error
`

describe('the host believes no word of a guest', () => {
  const word = fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...NUMBERS) }, { weight: 1, arbitrary: fc.nat(0xffff_ffff) })
  const orSelf = fc.oneof({ weight: 2, arbitrary: fc.constant(null) }, { weight: 3, arbitrary: word })
  const lie = fc.record({
    tag: fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...TAGS) }, { weight: 1, arbitrary: word }),
    payload: orSelf,
    // Headers of objects: class 1, 2 (array) and 23 (Uint8Array), with and without elements.
    content: fc.oneof(
      fc.array(orSelf, { maxLength: 16 }),
      fc
        .tuple(fc.constantFrom(1, 2, 23), fc.constantFrom(0, 8), fc.array(orSelf, { minLength: 9, maxLength: 14 }))
        .map(([classId, flags, rest]) => [1, (classId << 16) | (flags << 8), ...rest]),
    ),
    which: fc.integer({ min: -3, max: 8 }),
  })

  it('a corrupted value ends a call with a result, the same on every interpreter, and leaves nothing', () => {
    const interpreters = [0, 1].map(() => {
      const interpreter = interpreterOn(wasmPower())
      return { interpreter, image: imageOf(interpreter, FAKE, HOLE), plain: imageOf(interpreter, 'return 1') }
    })
    const kinds = new Map<string, number>()
    const run = ({ interpreter, image }: (typeof interpreters)[0], values: never[]): CallOutcome =>
      interpreter.call({ image, entry: 'run', values, handlers: hostileHandlers(HostRefusal), gas: 300_000_000 })
    const empty = ({ interpreter, plain }: (typeof interpreters)[0]) =>
      interpreter.call({ image: plain, entry: 'run', values: [], handlers, gas: GAS })
    const before = empty(interpreters[0]!)
    fc.assert(
      fc.property(lie, ({ tag, payload, content, which }) => {
        const [one, other] = interpreters.map((each) => run(each, [tag, payload, content, which] as never[]))
        expect(one).toEqual(other)
        if (one!.kind === 'fault') throw one!.error
        expect(Number.isSafeInteger(one!.gasUsed) && one!.gasUsed > 0 && one!.gasUsed <= 300_000_000).toBe(true)
        kinds.set(one!.kind, (kinds.get(one!.kind) ?? 0) + 1)
        expect(empty(interpreters[0]!)).toEqual(before)
      }),
      { numRuns: runs(100) },
    )
    expect([...kinds.keys()]).toContain('trap')
  }, 120_000)
})
