import { WasmReader, WasmWriter } from '../src/vm/meter/binary.ts'
import { type Instruction, OP, readInstruction } from '../src/vm/meter/instruction.ts'
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
 * The obvious meter: each instruction pays for itself, right before it executes, from the global; nothing is checked, no block is analysed.
 * `metered` lends its imports, globals and exports.
 */
export function meterNaively(plain: Uint8Array, metered: Uint8Array, gasGlobal: number): Uint8Array {
  const code = sectionsOf(plain).find(({ id }) => id === CODE_SECTION)!.bytes
  const types = functionParameters(plain)
  const out = new WasmWriter().bytes(metered.subarray(0, 8))
  for (const { id, bytes } of sectionsOf(metered))
    out.u8(id).sized(id === CODE_SECTION ? naiveCode(code, types, gasGlobal) : bytes)
  return out.finish()
}

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

function naiveCode(section: Uint8Array, parameters: readonly number[], gasGlobal: number): Uint8Array {
  const reader = new WasmReader(section)
  const out = new WasmWriter()
  const count = reader.u32()
  out.u32(count)
  for (let i = 0; i < count; i++) out.sized(naiveBody(reader.take(reader.u32()), parameters[i]!, gasGlobal))
  return out.finish()
}

function naiveBody(code: Uint8Array, parameters: number, gasGlobal: number): Uint8Array {
  const reader = new WasmReader(code)
  const locals = reader.vector((r) => ({ count: r.u32(), type: r.u8() }))
  const length = parameters + locals.reduce((sum, { count }) => sum + count, 0)
  const out = new WasmWriter().u32(locals.length + 1)
  for (const { count, type } of [...locals, { count: 1, type: 0x7f }]) out.u32(count).u8(type)
  while (!reader.done) {
    const { op, from, to }: Instruction = readInstruction(reader)
    const gas = gasOf(op)
    if (gas > 0) out.u8(OP.globalGet).u32(gasGlobal).u8(OP.i64Const).signed(gas).u8(OP.i64Sub).u8(OP.globalSet).u32(gasGlobal)
    if (op === OP.memoryCopy || op === OP.memoryFill) {
      out.u8(OP.localTee).u32(length).u8(OP.globalGet).u32(gasGlobal).u8(OP.localGet).u32(length)
      out.u8(OP.i32Const).signed(INSTRUCTION_GAS.bulkBytesShift).u8(OP.i32ShrU).u8(OP.i64ExtendI32U).u8(OP.i64Sub)
      out.u8(OP.globalSet).u32(gasGlobal)
    }
    out.bytes(code.subarray(from, to))
  }
  return out.finish()
}
