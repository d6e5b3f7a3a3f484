/**
 * JSValue of quickjs.h with JS_NAN_BOXING: a 64-bit word with the payload in the low half and the tag in the high half. If the
 * high half is not a tag, the word is a double whose high half is offset by FLOAT_ADDEND (minus JS_FLOAT64_TAG_ADDEND, modulo
 * 2^32).
 */
export const TAG = {
  bigint: -9,
  string: -7,
  rope: -6,
  object: -1,
  int: 0,
  bool: 1,
  null: 2,
  undefined: 3,
  exception: 6,
  shortBigint: 7,
} as const
const TAG_FIRST = -9
const TAG_FLOAT = 8
const FLOAT_ADDEND = 0x8007_fff6
const NAN_HIGH = 0x7ff8_0000

const scratch = new DataView(new ArrayBuffer(8))

/** Whether the high half of a JSValue is a tag. Otherwise the value is a double. */
export const isTag = (tag: number): boolean => tag >= TAG_FIRST && tag < TAG_FLOAT

export function floatOf(payload: number, high: number): number {
  scratch.setUint32(0, (high - FLOAT_ADDEND) >>> 0)
  scratch.setUint32(4, payload)
  return scratch.getFloat64(0)
}

/** Payload and high half of a double. Every NaN becomes the canonical one. */
export function halvesOf(value: number): readonly [number, number] {
  scratch.setFloat64(0, value)
  const nan = value !== value
  return [nan ? 0 : scratch.getUint32(4), (nan ? NAN_HIGH : scratch.getUint32(0)) + FLOAT_ADDEND]
}
