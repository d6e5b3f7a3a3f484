import { MeterError, WasmReader, WasmWriter } from './binary.ts'
import { type FunctionType, type MeterGlobals, meterFunction } from './function.ts'
import { STORE_BYTES_MAX, startEdges, type WatchOptions } from './watch.ts'

/** Export names of what the meter adds to a module. */
export const METER_EXPORTS = {
  /** i64: gas left in ticks; negative after a trap for lack of gas. */
  gas: 'meter.gas',
  /** i32: bytes of call depth left; negative after a trap for lack of depth. */
  depth: 'meter.depth',
  /** i32: the program's stack pointer. */
  stackPointer: 'meter.sp',
  /** i32: lowest stack address that may have been written (`watch.ts`). */
  low: 'meter.low',
  /** i32: length of the memory above `low` that may have been written, minus STORE_BYTES_MAX. */
  span: 'meter.span',
  /** i32: granted memory in pages of 64 KiB. `memory.size` returns it, and a store above it traps. */
  pages: 'meter.pages',
} as const

export interface MeterOptions {
  /** Size of the imported memory in pages of 64 KiB, both minimum and maximum. */
  readonly memoryPages: number
  /** Index of the global that is the program's stack pointer, if it has one. */
  readonly stackPointer: number | undefined
  /** Layout of the module's memory for the watch. */
  readonly watch: WatchOptions
}

const SECTION = { custom: 0, type: 1, import: 2, function: 3, global: 6, export: 7, code: 10 } as const
const EXTERNAL = { function: 0, table: 1, memory: 2, global: 3 } as const
/** Initial gas and depth, because instantiation runs code before the host sets them. */
const START = { gas: 2 ** 52, depth: 2 ** 30 } as const
const I32 = 0x7f
const I64 = 0x7e

interface Section {
  readonly id: number
  readonly bytes: Uint8Array
}

/**
 * Instruments a module so that it counts what it executes (`weights.ts`). Everything it computes stays the same. The output
 * depends only on the input and the options.
 *
 * Basic blocks are instrumented as in Haas et al., "Bringing the Web up to Speed with WebAssembly", section 4: there are no
 * branches into a block. Gas is charged per block as in the meters of eWASM and NEAR, but the counter is held in a local.
 *
 * @throws MeterError for a module with features that the meter does not support
 */
export function meterModule(binary: Uint8Array, options: MeterOptions): Uint8Array {
  const { constantsEnd, dataEnd } = options.watch
  if (dataEnd < STORE_BYTES_MAX) throw new MeterError(`the data ends at ${dataEnd}, too low to watch`)
  if (constantsEnd > dataEnd) throw new MeterError(`the constants end at ${constantsEnd}, behind the data`)
  const sections = readSections(binary)
  const types = vectorOf(sections, SECTION.type, readType)
  const declared = vectorOf(sections, SECTION.function, (reader) => reader.u32())
  const globals = globalsAfter(vectorOf(sections, SECTION.global, readGlobal).length, options)
  const out = new WasmWriter().bytes(binary.subarray(0, 8))
  for (const { id, bytes } of sections) {
    if (id === SECTION.custom) continue
    let content = bytes
    if (id === SECTION.import) content = meterImports(bytes, options.memoryPages)
    else if (id === SECTION.global) content = appendTo(bytes, addedGlobals(globals, options))
    else if (id === SECTION.export) content = appendTo(bytes, addedExports(globals))
    else if (id === SECTION.code) content = meterCode(bytes, types, declared, globals, options.watch)
    out.u8(id).sized(content)
  }
  return out.finish()
}

function readSections(binary: Uint8Array): readonly Section[] {
  const reader = new WasmReader(binary)
  if (String.fromCharCode(...reader.take(4)) !== '\0asm' || reader.take(4).join() !== '1,0,0,0') {
    throw new MeterError('not a WebAssembly binary of version 1')
  }
  const sections: Section[] = []
  while (!reader.done) sections.push({ id: reader.u8(), bytes: reader.take(reader.u32()) })
  return sections
}

function vectorOf<T>(sections: readonly Section[], id: number, read: (reader: WasmReader) => T): readonly T[] {
  const section = sections.find((candidate) => candidate.id === id)
  return section === undefined ? [] : new WasmReader(section.bytes).vector(read)
}

function readType(reader: WasmReader): FunctionType {
  if (reader.u8() !== 0x60) throw new MeterError(`a type is not a function, at byte ${reader.at}`)
  return { parameters: reader.vector((r) => r.u8()), results: reader.vector((r) => r.u8()) }
}

/** Skips a global: type, mutability, and a constant as its initial value. */
function readGlobal(reader: WasmReader): void {
  reader.skip(2)
  const op = reader.u8()
  if (op !== 0x41 && op !== 0x42) throw new MeterError(`a global begins with instruction ${op}`)
  reader.skipLeb()
  reader.skip(1)
}

function globalsAfter(count: number, { stackPointer }: MeterOptions): MeterGlobals {
  return { stackPointer, gas: count, depth: count + 1, low: count + 2, span: count + 3, pages: count + 4 }
}

/** Appends items to a section that is a vector. Existing items keep their numbers. */
function appendTo(section: Uint8Array, items: readonly Uint8Array[]): Uint8Array {
  const reader = new WasmReader(section)
  const out = new WasmWriter().u32(reader.u32() + items.length).bytes(section.subarray(reader.at))
  for (const item of items) out.bytes(item)
  return out.finish()
}

function addedGlobals(globals: MeterGlobals, { memoryPages, watch }: MeterOptions): readonly Uint8Array[] {
  const { low, top } = startEdges(watch)
  const mutable = (type: number, op: number, value: number) =>
    new WasmWriter().u8(type).u8(1).u8(op).signed(value).u8(0x0b).finish()
  const added: readonly (readonly [index: number, global: Uint8Array])[] = [
    [globals.gas, mutable(I64, 0x42, START.gas)],
    [globals.depth, mutable(I32, 0x41, START.depth)],
    [globals.low, mutable(I32, 0x41, low)],
    [globals.span, mutable(I32, 0x41, top - low - STORE_BYTES_MAX)],
    [globals.pages, mutable(I32, 0x41, memoryPages)],
  ]
  return added.toSorted(([a], [b]) => a - b).map(([, global]) => global)
}

function addedExports(globals: MeterGlobals): readonly Uint8Array[] {
  const exported: readonly (readonly [name: string, index: number | undefined])[] = [
    [METER_EXPORTS.gas, globals.gas],
    [METER_EXPORTS.depth, globals.depth],
    [METER_EXPORTS.low, globals.low],
    [METER_EXPORTS.span, globals.span],
    [METER_EXPORTS.pages, globals.pages],
    [METER_EXPORTS.stackPointer, globals.stackPointer],
  ]
  return exported.flatMap(([name, index]) =>
    index === undefined ? [] : [new WasmWriter().name(name).u8(EXTERNAL.global).u32(index).finish()],
  )
}

/** Copies the imports, with the memory's size fixed. */
function meterImports(section: Uint8Array, pages: number): Uint8Array {
  const reader = new WasmReader(section)
  const count = reader.u32()
  const out = new WasmWriter().u32(count)
  for (let i = 0; i < count; i++) {
    out.name(reader.name()).name(reader.name())
    const kind = reader.u8()
    out.u8(kind)
    if (kind === EXTERNAL.function) out.u32(reader.u32())
    else if (kind === EXTERNAL.memory) {
      const [min, max] = reader.u8() === 1 ? [reader.u32(), reader.u32()] : [reader.u32(), 65_536]
      if (pages < min || pages > max) throw new MeterError(`memory is ${min} to ${max} pages, not ${pages}`)
      out.u8(1).u32(pages).u32(pages)
    } else throw new MeterError(`import ${i} is neither function nor memory`)
  }
  return out.finish()
}

function meterCode(
  section: Uint8Array,
  types: readonly FunctionType[],
  declared: readonly number[],
  globals: MeterGlobals,
  watch: WatchOptions,
): Uint8Array {
  const reader = new WasmReader(section)
  const count = reader.u32()
  const out = new WasmWriter().u32(count)
  for (let i = 0; i < count; i++) {
    const typeIndex = declared[i]
    const type = typeIndex === undefined ? undefined : types[typeIndex]
    if (type === undefined) throw new MeterError(`function ${i} has no type`)
    out.sized(meterFunction(reader.take(reader.u32()), type, globals, watch))
  }
  return out.finish()
}
