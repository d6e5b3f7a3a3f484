import { MeterError, WasmReader, WasmWriter } from './binary.ts'
import { type Charges, chargesOf } from './control.ts'
import { type Instruction, OP, readInstruction } from './instruction.ts'
import { FRAME_BYTES, INSTRUCTION_GAS } from './weights.ts'

/** Indices of the module's globals that metered code uses. */
export interface MeterGlobals {
  /** i32, the program's own stack in memory; undefined when the module has none. */
  readonly stackPointer: number | undefined
  readonly gas: number
  readonly depth: number
  readonly stackLow: number
  readonly pages: number
}

export interface FunctionType {
  readonly parameters: readonly number[]
  readonly results: readonly number[]
}

const VALUE = { i32: 0x7f, i64: 0x7e, f32: 0x7d, f64: 0x7c } as const
const EMPTY_BLOCK = 0x40
/** Canonical NaNs, little-endian. */
const NAN_F32 = [0, 0, 0xc0, 0x7f]
const NAN_F64 = [0, 0, 0, 0, 0, 0, 0xf8, 0x7f]

/** The metered form of one entry of the code section: its locals and body, without the length in front. */
export function meterFunction(code: Uint8Array, type: FunctionType, globals: MeterGlobals): Uint8Array {
  const reader = new WasmReader(code)
  const locals = reader.vector((r) => ({ count: r.u32(), type: r.u8() }))
  const body: Instruction[] = []
  while (!reader.done) body.push(readInstruction(reader))
  body.pop()
  const first = type.parameters.length + locals.reduce((sum, { count }) => sum + count, 0)
  return new FunctionMeter(code, body, globals, first).write(locals, blockType(type))
}

function blockType({ results }: FunctionType): number {
  if (results.length > 1) throw new MeterError('a function has several results')
  return results[0] ?? EMPTY_BLOCK
}

/**
 * Writes one function. Gas left is held in a local while the function runs; the global has it whenever other code may look: in calls and
 * after the return. It is compared with zero at entry and at loop heads, for every unbounded path crosses one.
 */
class FunctionMeter {
  readonly #out = new WasmWriter()
  readonly #code: Uint8Array
  readonly #body: readonly Instruction[]
  readonly #globals: MeterGlobals
  readonly #charges: Charges
  readonly #localsFirst: number
  /** Types of the locals that the meter adds, from `#localsFirst` on; gas is the first. */
  readonly #added: number[] = [VALUE.i64]

  constructor(code: Uint8Array, body: readonly Instruction[], globals: MeterGlobals, localsFirst: number) {
    this.#code = code
    this.#body = body
    this.#globals = globals
    this.#charges = chargesOf(body)
    this.#localsFirst = localsFirst
  }

  write(locals: readonly { readonly count: number; readonly type: number }[], blockType: number): Uint8Array {
    this.#declareTemporaries()
    const frame = FRAME_BYTES.base + FRAME_BYTES.slot * (this.#localsFirst + this.#added.length)
    const { calls } = this.#charges
    this.#out.u32(locals.length + this.#added.length)
    for (const { count, type } of locals) this.#out.u32(count).u8(type)
    for (const type of this.#added) this.#out.u32(1).u8(type)
    if (calls) this.#enterFrame(frame)
    this.#loadGas()
    this.#charge(this.#charges.at.get(0) ?? 0, calls)
    // The body in a block, so that its returns are branches to the epilogue. Labels keep their numbers.
    this.#out.u8(OP.block).u8(blockType)
    this.#body.forEach((instruction, index) => {
      if (index > 0) this.#lead(index)
      this.#emit(instruction, index)
    })
    this.#out.u8(OP.end)
    this.#storeGas()
    if (calls) this.#leaveFrame(frame)
    return this.#out.u8(OP.end).finish()
  }

  /** Index of the meter's local of a type, the gas local excluded. */
  #temporary(type: number): number {
    return this.#localsFirst + this.#added.indexOf(type, 1)
  }

  #declareTemporaries(): void {
    const types = new Set<number>()
    for (const { op } of this.#body) {
      const type = BIT_READERS.get(op) ?? (op === OP.memoryCopy || op === OP.memoryFill ? VALUE.i32 : undefined)
      if (type !== undefined) types.add(type)
    }
    this.#added.push(...types)
  }

  /** What a run of instructions pays where it begins. */
  #lead(index: number): void {
    const head = this.#charges.loopHeads.has(index)
    const gas = this.#charges.at.get(index) ?? 0
    if (gas > 0 || head) this.#charge(gas, head)
  }

  #emit({ op, from, to, index }: Instruction, position: number): void {
    const out = this.#out
    const bits = BIT_READERS.get(op)
    if (bits !== undefined) this.#canonicalNan(bits)
    else if (op === OP.memoryCopy || op === OP.memoryFill) this.#chargeBytes()
    else if (op === OP.call || op === OP.callIndirect) this.#storeGas()
    if (op === OP.return) out.u8(OP.br).u32(this.#charges.returns.get(position) ?? 0)
    else if (op === OP.memorySize) out.u8(OP.globalGet).u32(this.#globals.pages)
    else out.bytes(this.#code.subarray(from, to))
    if (op === OP.call || op === OP.callIndirect) this.#loadGas()
    else if (op === OP.globalSet && index === this.#globals.stackPointer && !this.#releasesStack(position)) this.#noteStackLow()
  }

  #loadGas(): void {
    this.#out.u8(OP.globalGet).u32(this.#globals.gas).u8(OP.localSet).u32(this.#localsFirst)
  }

  #storeGas(): void {
    this.#out.u8(OP.localGet).u32(this.#localsFirst).u8(OP.globalSet).u32(this.#globals.gas)
  }

  #charge(gas: number, check: boolean): void {
    if (gas === 0 && !check) return
    const out = this.#out.u8(OP.localGet).u32(this.#localsFirst)
    if (gas > 0) out.u8(OP.i64Const).signed(gas).u8(OP.i64Sub)
    if (!check) out.u8(OP.localSet).u32(this.#localsFirst)
    else {
      if (gas > 0) out.u8(OP.localTee).u32(this.#localsFirst)
      this.#trapBelowZero()
    }
  }

  /** Consumes the gas on the operand stack; what the local holds is what the outside finds after the trap. */
  #trapBelowZero(): void {
    this.#out.u8(OP.i64Const).signed(0).u8(OP.i64LtS).u8(OP.if).u8(EMPTY_BLOCK)
    this.#storeGas()
    this.#out.u8(OP.unreachable).u8(OP.end)
  }

  /** Charges the length on top of the operand stack, and leaves it there. */
  #chargeBytes(): void {
    const length = this.#temporary(VALUE.i32)
    this.#out.u8(OP.localSet).u32(length).u8(OP.localGet).u32(this.#localsFirst).u8(OP.localGet).u32(length)
    this.#out.u8(OP.i32Const).signed(INSTRUCTION_GAS.bulkBytesShift).u8(OP.i32ShrU).u8(OP.i64ExtendI32U).u8(OP.i64Sub)
    this.#out.u8(OP.localTee).u32(this.#localsFirst)
    this.#trapBelowZero()
    this.#out.u8(OP.localGet).u32(length)
  }

  /**
   * Makes a NaN on top of the operand stack the canonical one. The specification leaves sign and payload of a computed NaN open, and
   * processors differ; they become visible only where a float's bits are read.
   */
  #canonicalNan(type: number): void {
    const value = this.#temporary(type)
    const [constant, nan, equal] = type === VALUE.f64 ? [OP.f64Const, NAN_F64, OP.f64Eq] : [OP.f32Const, NAN_F32, OP.f32Eq]
    this.#out.u8(OP.localTee).u32(value).u8(constant).bytes(nan)
    this.#out.u8(OP.localGet).u32(value).u8(OP.localGet).u32(value).u8(equal).u8(OP.select)
  }

  #enterFrame(bytes: number): void {
    const { depth } = this.#globals
    this.#out.u8(OP.globalGet).u32(depth).u8(OP.i32Const).signed(bytes).u8(OP.i32Sub).u8(OP.globalSet).u32(depth)
    this.#out.u8(OP.globalGet).u32(depth).u8(OP.i32Const).signed(0).u8(OP.i32LtS)
    this.#out.u8(OP.if).u8(EMPTY_BLOCK).u8(OP.unreachable).u8(OP.end)
  }

  #leaveFrame(bytes: number): void {
    const { depth } = this.#globals
    this.#out.u8(OP.globalGet).u32(depth).u8(OP.i32Const).signed(bytes).u8(OP.i32Add).u8(OP.globalSet).u32(depth)
  }

  /** Whether the value set to the stack pointer is `local + constant`, upwards: the end of a function's frame. */
  #releasesStack(position: number): boolean {
    const [local, constant, sum] = this.#body.slice(Math.max(0, position - 3), position)
    if (local?.op !== OP.localGet || constant?.op !== OP.i32Const) return false
    // Bit 6 of the last byte is the sign of a LEB128.
    const negative = (this.#code[constant.to - 1]! & 0x40) !== 0
    return (sum?.op === OP.i32Add && !negative) || (sum?.op === OP.i32Sub && negative)
  }

  /** Keeps the lowest stack pointer that there was: the part of the stack that a restore has to clear. */
  #noteStackLow(): void {
    const { stackPointer, stackLow } = this.#globals
    this.#out.u8(OP.globalGet).u32(stackPointer!).u8(OP.globalGet).u32(stackLow).u8(OP.i32LtU)
    this.#out.u8(OP.if).u8(EMPTY_BLOCK)
    this.#out.u8(OP.globalGet).u32(stackPointer!).u8(OP.globalSet).u32(stackLow).u8(OP.end)
  }
}

/** Instructions that make the bits of the float on top of the stack visible, and its type. */
const BIT_READERS: ReadonlyMap<number, number> = new Map([
  [OP.f32Store, VALUE.f32],
  [OP.f64Store, VALUE.f64],
  [OP.i32ReinterpretF32, VALUE.f32],
  [OP.i64ReinterpretF64, VALUE.f64],
  [OP.f32Copysign, VALUE.f32],
  [OP.f64Copysign, VALUE.f64],
])
