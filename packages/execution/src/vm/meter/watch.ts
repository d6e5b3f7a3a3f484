import { WasmWriter } from './binary.ts'
import { OP } from './instruction.ts'

/**
 * The watch over a program's stores. Memory consists of the program's constants from 0 to `constantsEnd`, its data up to
 * `dataEnd`, its stack up to `heapBase`, and the heap. A store to the constants traps, because no correct program writes there;
 * so they never need to be restored. Two globals, which the program cannot reach, record what it may have written: the stack from
 * `low` and the heap below `top`, both at a page boundary (the lowest page may contain some data). A store outside [low, top) and
 * outside the data first moves the edge, page by page, and pays for the pages. A store above the granted memory (the global
 * `pages`) traps. So `low` and `top` show where memory may differ from its state before the call, whatever the program did: the
 * watch does not rely on the memory's contents.
 *
 * The second global holds `span` = top - low - 8 instead of `top`, so that a single unsigned comparison shows whether a store of
 * at most 8 bytes lies between the edges: address - low <= span.
 */
export interface WatchOptions {
  /** End of the read-only constants. */
  readonly constantsEnd: number
  /** End of the data, which the host always restores. */
  readonly dataEnd: number
  /** Top of the empty stack and start of the heap. */
  readonly heapBase: number
  /** Price in ticks of each page by which an edge moves. */
  readonly pageGas: number
}

/** Size in bytes of the pages by which the edges move; a WebAssembly page is a multiple of it. */
export const WATCH_PAGE_BYTES = 4096

/** Bytes that the widest store writes. */
export const STORE_BYTES_MAX = 8

/** Bytes that a store instruction writes, by its opcode. */
export const STORE_BYTES: ReadonlyMap<number, number> = new Map([
  [OP.i32Store, 4],
  [OP.i64Store, 8],
  [OP.f32Store, 4],
  [OP.f64Store, 8],
  [OP.i32Store8, 1],
  [OP.i32Store16, 2],
  [OP.i64Store8, 1],
  [OP.i64Store16, 2],
  [OP.i64Store32, 4],
])

export const pageStart = (at: number): number => at - (at % WATCH_PAGE_BYTES)
export const pageEnd = (at: number): number => pageStart(at + WATCH_PAGE_BYTES - 1)

/** Edges before the first write: one page of stack, and no heap beyond the rest of the stack's last page. */
export const startEdges = ({ heapBase }: WatchOptions): { readonly low: number; readonly top: number } => ({
  low: pageStart(heapBase - 1),
  top: pageEnd(heapBase + STORE_BYTES_MAX),
})

/** Indices of the globals that the watch reads and moves. */
export interface WatchGlobals {
  readonly gas: number
  readonly pages: number
  readonly low: number
  readonly span: number
}

const I32 = 0x7f
const I64 = 0x7e
const F32 = 0x7d
const F64 = 0x7c
const EMPTY_BLOCK = 0x40

/** Type of the value that a store writes. */
export function storedType(op: number): number {
  if (op === OP.f32Store) return F32
  if (op === OP.f64Store) return F64
  return op === OP.i32Store || op === OP.i32Store8 || op === OP.i32Store16 ? I32 : I64
}

/** Locals that the watch's code uses. `at` is the first address that is about to be written. */
export interface WatchLocals {
  readonly gas: number
  readonly at: number
  readonly low: number
  readonly top: number
}

/**
 * Writes code that moves the edges for a range that starts at the local `at` and is at an edge or beyond it. `end` writes the
 * range's end, or any address after it on the same page; it may wrap, because the store itself traps then. The code is inline:
 * with a call here, V8 would keep in memory what a function has in registers, and JavaScript's main loop took 1.9 times as long.
 * A trap for lack of gas leaves a negative value in the gas global and the edges unchanged.
 */
export function moveEdges(out: WasmWriter, globals: WatchGlobals, pageGas: number, locals: WatchLocals, end: () => void): void {
  const page = Math.log2(WATCH_PAGE_BYTES)
  const { gas, at, low, top } = locals
  // New `low`: this page, or as before.
  out.u8(OP.localGet).u32(at).u8(OP.i32Const).signed(-WATCH_PAGE_BYTES).u8(OP.i32And).u8(OP.globalGet).u32(globals.low)
  out.u8(OP.localGet).u32(at).u8(OP.globalGet).u32(globals.low).u8(OP.i32LtU).u8(OP.select).u8(OP.localSet).u32(low)
  // New `top`: the end of this page, or as before.
  end()
  out
    .u8(OP.i32Const)
    .signed(WATCH_PAGE_BYTES - 1)
    .u8(OP.i32Add)
  out.u8(OP.i32Const).signed(-WATCH_PAGE_BYTES).u8(OP.i32And).u8(OP.localTee).u32(top)
  out.u8(OP.globalGet).u32(globals.low).u8(OP.globalGet).u32(globals.span).u8(OP.i32Add)
  out.u8(OP.i32Const).signed(STORE_BYTES_MAX).u8(OP.i32Add).u8(OP.localTee).u32(at)
  out.u8(OP.localGet).u32(top).u8(OP.localGet).u32(at).u8(OP.i32GtU).u8(OP.select).u8(OP.localTee).u32(top)
  out.u8(OP.globalGet).u32(globals.pages).u8(OP.i32Const).signed(16).u8(OP.i32Shl).u8(OP.i32GtU)
  out.u8(OP.if).u8(EMPTY_BLOCK).u8(OP.unreachable).u8(OP.end)
  // Charge for the pages by which the span has grown.
  out.u8(OP.localGet).u32(gas).u8(OP.localGet).u32(top).u8(OP.localGet).u32(low).u8(OP.i32Sub)
  out.u8(OP.i32Const).signed(STORE_BYTES_MAX).u8(OP.i32Sub).u8(OP.localTee).u32(top)
  out.u8(OP.globalGet).u32(globals.span).u8(OP.i32Sub).u8(OP.i32Const).signed(page).u8(OP.i32ShrU).u8(OP.i64ExtendI32U)
  out.u8(OP.i64Const).signed(pageGas).u8(OP.i64Mul).u8(OP.i64Sub).u8(OP.localTee).u32(gas)
  out.u8(OP.i64Const).signed(0).u8(OP.i64LtS).u8(OP.if).u8(EMPTY_BLOCK)
  out.u8(OP.localGet).u32(gas).u8(OP.globalSet).u32(globals.gas).u8(OP.unreachable).u8(OP.end)
  out.u8(OP.localGet).u32(low).u8(OP.globalSet).u32(globals.low).u8(OP.localGet).u32(top).u8(OP.globalSet).u32(globals.span)
}

/**
 * Writes code for a bulk operation on the range in the locals `target` and `length`. It traps when the range begins in the
 * constants or above the granted memory, or is longer than the granted memory. Then it opens a block for a range that is at an
 * edge or beyond it, and sets the local `at` to the range's first address outside the data. An empty range is left to the
 * operation itself.
 */
export function ifBulkNeedsEdges(
  out: WasmWriter,
  { pages, low, span }: WatchGlobals,
  { constantsEnd, dataEnd }: WatchOptions,
  { target, length, at }: { readonly target: number; readonly length: number; readonly at: number },
): void {
  const end = () => out.u8(OP.localGet).u32(target).u8(OP.localGet).u32(length).u8(OP.i32Add)
  const granted = () => out.u8(OP.globalGet).u32(pages).u8(OP.i32Const).signed(16).u8(OP.i32Shl)
  const fromConstants = () => out.u8(OP.i32Const).signed(constantsEnd).u8(OP.i32Sub)
  out.u8(OP.localGet).u32(length).u8(OP.i32Const).signed(0)
  granted().u8(OP.localGet).u32(length).u8(OP.i32LtU)
  granted()
  fromConstants().u8(OP.i32Const).signed(1).u8(OP.i32Sub).u8(OP.localGet).u32(target)
  fromConstants().u8(OP.i32LtU).u8(OP.i32Or).u8(OP.select)
  out.u8(OP.if).u8(EMPTY_BLOCK).u8(OP.unreachable).u8(OP.end)
  // From here on no sum of a non-empty range wraps.
  out.u8(OP.i32Const).signed(0).u8(OP.localGet).u32(length).u8(OP.i32LtU)
  end().u8(OP.i32Const).signed(dataEnd).u8(OP.i32GtU).u8(OP.i32And)
  out.u8(OP.localGet).u32(target).u8(OP.i32Const).signed(dataEnd)
  out.u8(OP.localGet).u32(target).u8(OP.i32Const).signed(dataEnd).u8(OP.i32GtU).u8(OP.select).u8(OP.localTee).u32(at)
  out.u8(OP.globalGet).u32(low).u8(OP.i32LtU)
  end().u8(OP.globalGet).u32(low).u8(OP.i32Sub).u8(OP.globalGet).u32(span).u8(OP.i32GtU).u8(OP.i32Or).u8(OP.i32And)
  out.u8(OP.if).u8(EMPTY_BLOCK)
}
