import { WasmReader, WasmWriter } from '../src/vm/meter/binary.ts'
import type { MeterGlobals } from '../src/vm/meter/function.ts'
import { type Instruction, OP, readInstruction } from '../src/vm/meter/instruction.ts'
import { ifBulkNeedsEdges, moveEdges, STORE_BYTES, storedType, type WatchOptions } from '../src/vm/meter/watch.ts'
import { gasOf, INSTRUCTION_GAS } from '../src/vm/meter/weights.ts'

const CODE_SECTION = 10

interface Section {
  readonly id: number
  readonly bytes: Uint8Array
}

function sectionsOf(binary: Uint8Array): readonly Section[] {
  const reader = new WasmReader(binary, 8)
  const sections: Section[] = []
  while (!reader.done) sections.push({ id: reader.u8(), bytes: reader.take(reader.u32()) })
  return sections
}

/**
 * The simplest meter: each instruction pays for itself from the global right before it executes. Nothing is checked, no block is
 * analysed, and every store goes through the watch. `metered` provides the imports, globals and exports.
 */
export function meterNaively(plain: Uint8Array, metered: Uint8Array, globals: NaiveGlobals, watch: WatchOptions): Uint8Array {
  const code = sectionsOf(plain).find(({ id }) => id === CODE_SECTION)!.bytes
  const types = functionParameters(plain)
  const out = new WasmWriter().bytes(metered.subarray(0, 8))
  for (const { id, bytes } of sectionsOf(metered))
    out.u8(id).sized(id === CODE_SECTION ? naiveCode(code, types, globals, watch) : bytes)
  return out.finish()
}

/** Indices of the globals that the meter adds. */
export type NaiveGlobals = Pick<MeterGlobals, 'gas' | 'pages' | 'low' | 'span'>

/** Number of parameters of each function that the module defines. */
function functionParameters(binary: Uint8Array): readonly number[] {
  const [types, functions] = [1, 3].map((id) => sectionsOf(binary).find((section) => section.id === id)!.bytes)
  const parameters = new WasmReader(types!).vector((reader) => {
    reader.skip(1)
    const count = reader.vector((r) => r.u8()).length
    reader.vector((r) => r.u8())
    return count
  })
  return new WasmReader(functions!).vector((reader) => parameters[reader.u32()]!)
}

function naiveCode(section: Uint8Array, parameters: readonly number[], globals: NaiveGlobals, watch: WatchOptions): Uint8Array {
  const reader = new WasmReader(section)
  const out = new WasmWriter()
  const count = reader.u32()
  out.u32(count)
  for (let i = 0; i < count; i++) out.sized(naiveBody(reader.take(reader.u32()), parameters[i]!, globals, watch))
  return out.finish()
}

const [I32, I64, F32, F64] = [0x7f, 0x7e, 0x7d, 0x7c]

function naiveBody(code: Uint8Array, parameters: number, globals: NaiveGlobals, watch: WatchOptions): Uint8Array {
  const reader = new WasmReader(code)
  const locals = reader.vector((r) => ({ count: r.u32(), type: r.u8() }))
  const first = parameters + locals.reduce((sum, { count }) => sum + count, 0)
  // One local for each type of stored value, then gas and addresses.
  const added = [I32, I64, F32, F64, I64, I32, I32, I32, I32, I32]
  const [gas, length, target, at, low, top] = [4, 5, 6, 7, 8, 9].map((n) => first + n) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ]
  const valueOf = (type: number): number => first + [I32, I64, F32, F64].indexOf(type)
  const out = new WasmWriter().u32(locals.length + added.length)
  for (const { count, type } of [...locals, ...added.map((type) => ({ count: 1, type: type! }))]) out.u32(count).u8(type)
  const move = (end: () => void) => {
    out.u8(OP.globalGet).u32(globals.gas).u8(OP.localSet).u32(gas)
    moveEdges(out, globals, watch.pageGas, { gas, at, low, top }, end)
    out.u8(OP.localGet).u32(gas).u8(OP.globalSet).u32(globals.gas).u8(OP.end)
  }
  while (!reader.done) {
    const { op, from, to, offset }: Instruction = readInstruction(reader)
    const price = gasOf(op)
    if (price > 0)
      out.u8(OP.globalGet).u32(globals.gas).u8(OP.i64Const).signed(price).u8(OP.i64Sub).u8(OP.globalSet).u32(globals.gas)
    const bytes = STORE_BYTES.get(op)
    if (bytes !== undefined) {
      const value = valueOf(storedType(op))
      out.u8(OP.localSet).u32(value).u8(OP.localTee).u32(target)
      out.u8(OP.i32Const).signed(offset).u8(OP.i32Add).u8(OP.localTee).u32(at)
      out
        .u8(OP.i32Const)
        .signed(watch.dataEnd - bytes)
        .u8(OP.i32GtU)
        .u8(OP.if)
        .u8(EMPTY_BLOCK)
      move(() => out.u8(OP.localGet).u32(at).u8(OP.i32Const).signed(bytes).u8(OP.i32Add))
      out.u8(OP.localGet).u32(at).u8(OP.i32Const).signed(watch.constantsEnd).u8(OP.i32LtU)
      out.u8(OP.if).u8(EMPTY_BLOCK).u8(OP.unreachable).u8(OP.end)
      out.u8(OP.localGet).u32(target).u8(OP.localGet).u32(value)
    }
    if (op === OP.memoryCopy || op === OP.memoryFill) {
      const middle = valueOf(I32)
      out.u8(OP.localTee).u32(length).u8(OP.globalGet).u32(globals.gas).u8(OP.localGet).u32(length)
      out.u8(OP.i32Const).signed(INSTRUCTION_GAS.bulkBytesShift).u8(OP.i32ShrU).u8(OP.i64ExtendI32U).u8(OP.i64Sub)
      out.u8(OP.globalSet).u32(globals.gas).u8(OP.drop).u8(OP.localSet).u32(middle).u8(OP.localSet).u32(target)
      ifBulkNeedsEdges(out, globals, watch, { target, length, at })
      move(() => out.u8(OP.localGet).u32(target).u8(OP.localGet).u32(length).u8(OP.i32Add))
      out.u8(OP.localGet).u32(target).u8(OP.localGet).u32(middle).u8(OP.localGet).u32(length)
    }
    out.bytes(code.subarray(from, to))
  }
  return out.finish()
}

const EMPTY_BLOCK = 0x40
