import { OP } from './instruction.ts'

/**
 * Ticks of one executed instruction. Instructions that a compiler removes are free; the others are priced relative to an
 * addition. Part of the execution version.
 */
export const INSTRUCTION_GAS = {
  /** Constants, reads of locals, drop, nop, and the structure of blocks. */
  free: 0,
  plain: 1,
  /** Division, remainder and square root of any type. */
  division: 8,
  call: 5,
  callIndirect: 8,
  /** memory.copy and memory.fill, in addition to their bytes. */
  bulk: 10,
  /** memory.copy and memory.fill: one more tick for each 2^3 bytes. */
  bulkBytesShift: 3,
} as const

const FREE: ReadonlySet<number> = new Set([
  OP.nop,
  OP.block,
  OP.loop,
  OP.else,
  OP.end,
  OP.drop,
  OP.localGet,
  OP.i32Const,
  OP.i64Const,
  OP.f32Const,
  OP.f64Const,
])

/** Static ticks of an instruction. The bytes of a bulk operation are charged when it runs. */
export function gasOf(op: number): number {
  if (FREE.has(op)) return INSTRUCTION_GAS.free
  if (op === OP.call) return INSTRUCTION_GAS.call
  if (op === OP.callIndirect) return INSTRUCTION_GAS.callIndirect
  if (op === OP.memoryCopy || op === OP.memoryFill) return INSTRUCTION_GAS.bulk
  return isDivision(op) ? INSTRUCTION_GAS.division : INSTRUCTION_GAS.plain
}

const isDivision = (op: number): boolean =>
  (op >= OP.i32DivS && op <= OP.i32RemU) ||
  (op >= OP.i64DivS && op <= OP.i64RemU) ||
  op === OP.f32Div ||
  op === OP.f64Div ||
  op === OP.f32Sqrt ||
  op === OP.f64Sqrt

/**
 * Bytes of stack that a call is charged for: a fixed part and a slot for each parameter and local, the meter's own locals
 * included. Within about ten per cent of V8's real use.
 */
export const FRAME_BYTES = { base: 64, slot: 8 } as const
