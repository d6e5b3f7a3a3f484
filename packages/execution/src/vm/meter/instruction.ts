import { MeterError, type WasmReader } from './binary.ts'

/** Opcodes that the meter handles individually. A two-byte opcode is 0xfc00 plus its second byte. */
export const OP = {
  unreachable: 0x00,
  nop: 0x01,
  block: 0x02,
  loop: 0x03,
  if: 0x04,
  else: 0x05,
  end: 0x0b,
  br: 0x0c,
  brIf: 0x0d,
  brTable: 0x0e,
  return: 0x0f,
  call: 0x10,
  callIndirect: 0x11,
  drop: 0x1a,
  select: 0x1b,
  selectTyped: 0x1c,
  localGet: 0x20,
  localSet: 0x21,
  localTee: 0x22,
  globalGet: 0x23,
  globalSet: 0x24,
  i32Store: 0x36,
  i64Store: 0x37,
  f32Store: 0x38,
  f64Store: 0x39,
  i32Store8: 0x3a,
  i32Store16: 0x3b,
  i64Store8: 0x3c,
  i64Store16: 0x3d,
  i64Store32: 0x3e,
  memorySize: 0x3f,
  memoryGrow: 0x40,
  i32Const: 0x41,
  i64Const: 0x42,
  f32Const: 0x43,
  f64Const: 0x44,
  i32LtS: 0x48,
  i32LtU: 0x49,
  i32GtU: 0x4b,
  i64LtS: 0x53,
  f32Eq: 0x5b,
  f64Eq: 0x61,
  i32Add: 0x6a,
  i32Sub: 0x6b,
  i32DivS: 0x6d,
  i32RemU: 0x70,
  i32And: 0x71,
  i32Or: 0x72,
  i32Shl: 0x74,
  i32ShrU: 0x76,
  i64Sub: 0x7d,
  i64Mul: 0x7e,
  i64DivS: 0x7f,
  i64RemU: 0x82,
  f32Div: 0x95,
  f64Sqrt: 0x9f,
  f32Sqrt: 0x91,
  f64Div: 0xa3,
  f32Copysign: 0x98,
  f64Copysign: 0xa6,
  i64ExtendI32U: 0xad,
  i32ReinterpretF32: 0xbc,
  i64ReinterpretF64: 0xbd,
  i64Extend32S: 0xc4,
  truncSatLast: 0xfc07,
  memoryCopy: 0xfc0a,
  memoryFill: 0xfc0b,
} as const

/** One instruction of a function's body. */
export interface Instruction {
  readonly op: number
  /** Position of its bytes in the binary; `to` is exclusive. */
  readonly from: number
  readonly to: number
  /** Relative depths of its branch targets. */
  readonly labels: readonly number[]
  /** Index of its local, global, function or type; 0 for other instructions. */
  readonly index: number
  /** Offset that a load or store adds to its address; 0 for other instructions. */
  readonly offset: number
}

const NO_LABELS: readonly number[] = []

/**
 * Decodes the instruction at the cursor.
 *
 * @throws MeterError for an instruction that has no price
 */
export function readInstruction(reader: WasmReader): Instruction {
  const from = reader.at
  const first = reader.u8()
  const op = first === 0xfc ? 0xfc00 + reader.u32() : first
  let labels = NO_LABELS
  let index = 0
  let offset = 0
  if (op === OP.br || op === OP.brIf) labels = [reader.u32()]
  else if (op === OP.brTable) labels = [...reader.vector((r) => r.u32()), reader.u32()]
  else if (op === OP.call || op === OP.callIndirect || (op >= OP.localGet && op <= OP.globalSet)) {
    index = reader.u32()
    if (op === OP.callIndirect) reader.skipLeb()
  } else if (op >= 0x28 && op <= OP.i64Store32) {
    reader.skipLeb() // alignment
    offset = reader.u32()
  } else skipImmediates(reader, op, from)
  return { op, from, to: reader.at, labels, index, offset }
}

function skipImmediates(reader: WasmReader, op: number, at: number): void {
  if (op === OP.block || op === OP.loop || op === OP.if) reader.skipLeb()
  else if (op === OP.memorySize) reader.u8()
  else if (op === OP.i32Const || op === OP.i64Const) reader.skipLeb()
  else if (op === OP.f32Const) reader.skip(4)
  else if (op === OP.f64Const) reader.skip(8)
  else if (op === OP.selectTyped) reader.vector((r) => r.u8())
  else if (op === OP.memoryCopy) reader.skip(2)
  else if (op === OP.memoryFill) reader.skip(1)
  else if (!isPlain(op)) throw new MeterError(`instruction 0x${op.toString(16)} at byte ${at} has no price`)
}

/** Instructions that consist of an opcode only. */
const isPlain = (op: number): boolean =>
  op === OP.unreachable ||
  op === OP.nop ||
  op === OP.else ||
  op === OP.end ||
  op === OP.return ||
  op === OP.drop ||
  op === OP.select ||
  (op >= 0x45 && op <= OP.i64Extend32S) ||
  (op >= 0xfc00 && op <= OP.truncSatLast)
