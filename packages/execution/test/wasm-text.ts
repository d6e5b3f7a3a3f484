import { WasmWriter } from '../src/vm/meter/binary.ts'

/** A minimal assembler to write small modules by hand. */
export const op = {
  unreachable: [0x00],
  loop: [0x03, 0x40],
  block: [0x02, 0x40],
  blockI32: [0x02, 0x7f],
  if: [0x04, 0x40],
  ifI32: [0x04, 0x7f],
  else: [0x05],
  end: [0x0b],
  br: (label: number) => [0x0c, label],
  brIf: (label: number) => [0x0d, label],
  brTable: (labels: readonly number[], other: number) => [0x0e, labels.length, ...labels, other],
  return: [0x0f],
  call: (index: number) => [0x10, index],
  callIndirect: (type: number) => [0x11, type, 0],
  drop: [0x1a],
  get: (local: number) => [0x20, local],
  set: (local: number) => [0x21, local],
  tee: (local: number) => [0x22, local],
  globalGet: (index: number) => [0x23, index],
  globalSet: (index: number) => [0x24, index],
  i32Store: (offset: number) => [0x36, 0, ...new WasmWriter().u32(offset).finish()],
  /** Each kind of store with its value, and the number of bytes that it writes. */
  stores: [
    [
      [
        [0x41, 1],
        [0x36, 0, 0],
      ],
      4,
    ],
    [
      [
        [0x42, 1],
        [0x37, 0, 0],
      ],
      8,
    ],
    [
      [
        [0x43, 0, 0, 0x80, 0x3f],
        [0x38, 0, 0],
      ],
      4,
    ],
    [
      [
        [0x44, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f],
        [0x39, 0, 0],
      ],
      8,
    ],
    [
      [
        [0x41, 1],
        [0x3a, 0, 0],
      ],
      1,
    ],
    [
      [
        [0x41, 1],
        [0x3b, 0, 0],
      ],
      2,
    ],
    [
      [
        [0x42, 1],
        [0x3c, 0, 0],
      ],
      1,
    ],
    [
      [
        [0x42, 1],
        [0x3d, 0, 0],
      ],
      2,
    ],
    [
      [
        [0x42, 1],
        [0x3e, 0, 0],
      ],
      4,
    ],
  ] as readonly (readonly [readonly (readonly number[])[], number])[],
  f64Store: [0x39, 3, 0],
  f32Store: [0x38, 2, 0],
  i64Load: [0x29, 3, 0],
  i32Load: [0x28, 2, 0],
  memorySize: [0x3f, 0],
  i32: (value: number) => [0x41, ...new WasmWriter().signed(value).finish()],
  eqz: [0x45],
  ltS: [0x48],
  add: [0x6a],
  sub: [0x6b],
  mul: [0x6c],
  divS: [0x6d],
  i64ReinterpretF64: [0xbd],
  f64Copysign: [0xa6],
  f64Div: [0xa3],
  f64: (value: number) => [0x44, ...new Uint8Array(new Float64Array([value]).buffer)],
  f64ReinterpretI64: [0xbf],
  f32DemoteF64: [0xb6],
  memoryCopy: [0xfc, 0x0a, 0, 0],
  memoryFill: [0xfc, 0x0b, 0],
} as const

export const TYPE = { i32: 0x7f, i64: 0x7e, f32: 0x7d, f64: 0x7c } as const

export interface FunctionSource {
  readonly parameters?: readonly number[]
  readonly results?: readonly number[]
  readonly locals?: readonly number[]
  /** Body without the final `end`. */
  readonly body: readonly (readonly number[])[]
}

/**
 * A module of these functions, exported as f0, f1, …, after the imported function 0, `host.call` of type () → (). It imports the
 * memory `host.memory` (1 to `pagesMax` pages), and has one mutable i32 global, 1000, and a table with all of its functions.
 */
export function assemble(functions: readonly FunctionSource[], pagesMax = 16): Uint8Array {
  const out = new WasmWriter().bytes([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0])
  const section = (id: number, write: (writer: WasmWriter) => WasmWriter) => out.u8(id).sized(write(new WasmWriter()).finish())
  const vector = (items: readonly (readonly number[] | Uint8Array)[]) => (writer: WasmWriter) => {
    writer.u32(items.length)
    for (const item of items) writer.bytes(item)
    return writer
  }
  const types = functions.map(({ parameters = [], results = [] }) =>
    new WasmWriter().u8(0x60).u32(parameters.length).bytes(parameters).u32(results.length).bytes(results).finish(),
  )
  const functionImport = new WasmWriter().name('host').name('call').bytes([0, 0]).finish()
  const memoryImport = new WasmWriter().name('host').name('memory').bytes([2, 1, 1]).u32(pagesMax).finish()
  section(1, vector([[0x60, 0, 0], ...types]))
  section(2, vector([functionImport, memoryImport]))
  section(3, vector(functions.map((_, i) => [i + 1])))
  section(4, vector([[0x70, 0, functions.length]]))
  section(6, vector([[0x7f, 1, ...op.i32(1000), 0x0b]]))
  section(
    7,
    vector(
      functions.map((_, i) =>
        new WasmWriter()
          .name(`f${i}`)
          .bytes([0, i + 1])
          .finish(),
      ),
    ),
  )
  section(9, vector([[0, 0x41, 0, 0x0b, functions.length, ...functions.map((_, i) => i + 1)]]))
  section(10, (writer) => {
    writer.u32(functions.length)
    for (const { locals = [], body } of functions) {
      const code = new WasmWriter().u32(locals.length)
      for (const type of locals) code.u32(1).u8(type)
      for (const bytes of body) code.bytes(bytes)
      writer.sized(code.u8(0x0b).finish())
    }
    return writer
  })
  return out.finish()
}
