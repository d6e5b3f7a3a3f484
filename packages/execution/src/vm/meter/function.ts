import { MeterError, WasmReader, WasmWriter } from './binary.ts'
import { type Charges, chargesOf } from './control.ts'
import { type Instruction, OP, readInstruction } from './instruction.ts'
import {
  ifBulkNeedsEdges,
  moveEdges,
  STORE_BYTES,
  STORE_BYTES_MAX,
  storedType,
  type WatchLocals,
  type WatchOptions,
} from './watch.ts'
import { FRAME_BYTES, INSTRUCTION_GAS } from './weights.ts'

/** Indices of the module's globals that metered code uses. */
export interface MeterGlobals {
  /** i32: pointer of the program's own stack in memory; undefined when the module has none. */
  readonly stackPointer: number | undefined
  readonly gas: number
  readonly depth: number
  readonly low: number
  readonly span: number
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

/** Meters one entry of the code section: its locals and body, without the length in front. */
export function meterFunction(code: Uint8Array, type: FunctionType, globals: MeterGlobals, watch: WatchOptions): Uint8Array {
  const reader = new WasmReader(code)
  const locals = reader.vector((r) => ({ count: r.u32(), type: r.u8() }))
  const body: Instruction[] = []
  while (!reader.done) body.push(readInstruction(reader))
  body.pop()
  const first = type.parameters.length + locals.reduce((sum, { count }) => sum + count, 0)
  return new FunctionMeter(code, body, globals, watch, first).write(locals, blockType(type))
}

function blockType({ results }: FunctionType): number {
  if (results.length > 1) throw new MeterError('a function has several results')
  return results[0] ?? EMPTY_BLOCK
}

/**
 * Writes one function. The remaining gas is in a local while the function runs; the global holds it whenever other code may read
 * it: in calls and after the return. Gas is compared with zero at function entry and at loop heads, because every unbounded path
 * crosses one of them.
 */
class FunctionMeter {
  readonly #out = new WasmWriter()
  readonly #code: Uint8Array
  readonly #body: readonly Instruction[]
  readonly #globals: MeterGlobals
  readonly #watch: WatchOptions
  readonly #charges: Charges
  readonly #localsFirst: number
  /** Types of the locals that the meter adds, starting at `#localsFirst`. The first one is gas. */
  readonly #added: number[] = [VALUE.i64]

  constructor(code: Uint8Array, body: readonly Instruction[], globals: MeterGlobals, watch: WatchOptions, localsFirst: number) {
    this.#code = code
    this.#body = body
    this.#globals = globals
    this.#watch = watch
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
    // The body goes into a block, so that its returns become branches to the epilogue. Labels keep their numbers.
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

  /** Index of the meter's local with this type, the gas local excluded. `number` selects one of several. */
  #temporary(type: number, number = 0): number {
    return this.#localsFirst + this.#added.indexOf(type, 1) + number
  }

  #declareTemporaries(): void {
    /** Number of locals of each type that are needed at once. */
    const needed = new Map<number, number>()
    const need = (type: number, count: number): void => {
      needed.set(type, Math.max(needed.get(type) ?? 0, count))
    }
    for (const { op } of this.#body) {
      const bits = BIT_READERS.get(op)
      const stored = STORE_BYTES.has(op) ? storedType(op) : undefined
      if (bits !== undefined) need(bits, 1)
      if (stored !== undefined) {
        need(VALUE.i32, stored === VALUE.i32 ? 5 : 4)
        need(stored, 1)
      }
      if (op === OP.memoryCopy || op === OP.memoryFill) need(VALUE.i32, 6)
    }
    for (const [type, count] of needed) for (let i = 0; i < count; i++) this.#added.push(type)
  }

  /** Charges a run of instructions at its start. */
  #lead(index: number): void {
    const head = this.#charges.loopHeads.has(index)
    const gas = this.#charges.at.get(index) ?? 0
    if (gas > 0 || head) this.#charge(gas, head)
  }

  #emit(instruction: Instruction, position: number): void {
    const { op, from, to } = instruction
    const out = this.#out
    const bits = BIT_READERS.get(op)
    if (bits !== undefined) this.#canonicalNan(bits)
    if (STORE_BYTES.has(op)) this.#watchStore(instruction)
    else if (op === OP.memoryCopy || op === OP.memoryFill) this.#watchBulk()
    else if (op === OP.call || op === OP.callIndirect) this.#storeGas()
    if (op === OP.return) out.u8(OP.br).u32(this.#charges.returns.get(position) ?? 0)
    else if (op === OP.memorySize) out.u8(OP.globalGet).u32(this.#globals.pages)
    else out.bytes(this.#code.subarray(from, to))
    if (op === OP.call || op === OP.callIndirect) this.#loadGas()
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

  /** Consumes the gas value on the operand stack. After the trap, the outside finds the local's value in the global. */
  #trapBelowZero(): void {
    this.#out.u8(OP.i64Const).signed(0).u8(OP.i64LtS).u8(OP.if).u8(EMPTY_BLOCK)
    this.#storeGas()
    this.#out.u8(OP.unreachable).u8(OP.end)
  }

  /**
   * Charges for the length on top of the operand stack and watches the write of a bulk operation. The three operands stay on the
   * stack.
   */
  #watchBulk(): void {
    const [length, middle, target] = [0, 1, 2].map((number) => this.#temporary(VALUE.i32, number)) as [number, number, number]
    const locals = this.#watchLocals(3)
    const out = this.#out.u8(OP.localSet).u32(length).u8(OP.localSet).u32(middle).u8(OP.localSet).u32(target)
    out.u8(OP.localGet).u32(this.#localsFirst).u8(OP.localGet).u32(length)
    out.u8(OP.i32Const).signed(INSTRUCTION_GAS.bulkBytesShift).u8(OP.i32ShrU).u8(OP.i64ExtendI32U).u8(OP.i64Sub)
    out.u8(OP.localTee).u32(this.#localsFirst)
    this.#trapBelowZero()
    ifBulkNeedsEdges(out, this.#globals, this.#watch, { target, length, at: locals.at })
    moveEdges(out, this.#globals, this.#watch.pageGas, locals, () =>
      out.u8(OP.localGet).u32(target).u8(OP.localGet).u32(length).u8(OP.i32Add),
    )
    out.u8(OP.end).u8(OP.localGet).u32(target).u8(OP.localGet).u32(middle).u8(OP.localGet).u32(length)
  }

  /** Watches a store. Address and value stay on the operand stack. */
  #watchStore({ op, offset }: Instruction): void {
    const { low, span } = this.#globals
    const { constantsEnd, dataEnd, pageGas } = this.#watch
    const type = storedType(op)
    const bytes = STORE_BYTES.get(op)!
    const address = this.#temporary(VALUE.i32)
    const value = this.#temporary(type, type === VALUE.i32 ? 4 : 0)
    const locals = this.#watchLocals(1)
    if (offset > dataEnd - STORE_BYTES_MAX) throw new MeterError(`a store adds ${offset} to its address`)
    const out = this.#out.u8(OP.localSet).u32(value).u8(OP.localTee).u32(address)
    // A sum that wraps is below the end of the data. It traps because it hits the constants, or the store itself traps.
    if (offset > 0) out.u8(OP.i32Const).signed(offset).u8(OP.i32Add)
    out.u8(OP.localTee).u32(locals.at).u8(OP.globalGet).u32(low).u8(OP.i32Sub).u8(OP.globalGet).u32(span).u8(OP.i32GtU)
    out
      .u8(OP.if)
      .u8(EMPTY_BLOCK)
      .u8(OP.localGet)
      .u32(locals.at)
      .u8(OP.i32Const)
      .signed(dataEnd - bytes)
    out.u8(OP.i32GtU).u8(OP.if).u8(EMPTY_BLOCK)
    moveEdges(out, this.#globals, pageGas, locals, () =>
      out.u8(OP.localGet).u32(locals.at).u8(OP.i32Const).signed(bytes).u8(OP.i32Add),
    )
    out.u8(OP.else).u8(OP.localGet).u32(locals.at).u8(OP.i32Const).signed(constantsEnd).u8(OP.i32LtU)
    out.u8(OP.if).u8(EMPTY_BLOCK).u8(OP.unreachable).u8(OP.end)
    out.u8(OP.end).u8(OP.end).u8(OP.localGet).u32(address).u8(OP.localGet).u32(value)
  }

  /** The watch's locals: three of type i32, starting with this number. */
  #watchLocals(first: number): WatchLocals {
    const [at, low, top] = [first, first + 1, first + 2].map((number) => this.#temporary(VALUE.i32, number)) as [
      number,
      number,
      number,
    ]
    return { gas: this.#localsFirst, at, low, top }
  }

  /**
   * Replaces a NaN on top of the operand stack by the canonical one. The specification does not define sign and payload of a
   * computed NaN, and processors differ. The difference is visible only where a float's bits are read.
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
}

/** Instructions that read the bits of the float on top of the stack, with its type. */
const BIT_READERS: ReadonlyMap<number, number> = new Map([
  [OP.f32Store, VALUE.f32],
  [OP.f64Store, VALUE.f64],
  [OP.i32ReinterpretF32, VALUE.f32],
  [OP.i64ReinterpretF64, VALUE.f64],
  [OP.f32Copysign, VALUE.f32],
  [OP.f64Copysign, VALUE.f64],
])
