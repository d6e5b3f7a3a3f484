import { MeterError, WasmReader, WasmWriter } from './binary.ts'
import { readInstruction } from './instruction.ts'

/** A correction of a compiled program: replaces some instructions of one function. */
export interface WasmPatch {
  readonly name: string
  /** What is wrong in the program, where its source shows it, and what the replacement does. */
  readonly reason: string
  /** Index of the function, imported functions included. */
  readonly functionIndex: number
  /** Byte offset of the original instructions in the function's body; the body begins with its locals. */
  readonly at: number
  /** Bytes expected at `at`: whole instructions. */
  readonly original: readonly number[]
  /** Whole instructions with the same effect on the stack's height and types. */
  readonly replacement: readonly number[]
}

const SECTION = { import: 2, code: 10 } as const
const IMPORT = { function: 0, memory: 2 } as const

/**
 * Replaces instructions in a module; all other bytes stay the same.
 *
 * @throws MeterError when an original is not at its position, cuts through an instruction or overlaps another one: then this is
 *   not the binary for which the patches were written
 */
export function patchModule(binary: Uint8Array, patches: readonly WasmPatch[]): Uint8Array {
  const reader = new WasmReader(binary)
  const out = new WasmWriter().bytes(reader.take(8))
  const done = new Set<WasmPatch>()
  let imported = 0
  while (!reader.done) {
    const id = reader.u8()
    const section = reader.take(reader.u32())
    if (id === SECTION.import) imported = countFunctions(section)
    out.u8(id).sized(id === SECTION.code ? patchCode(section, imported, patches, done) : section)
  }
  const missed = patches.find((patch) => !done.has(patch))
  if (missed !== undefined) throw new MeterError(`patch ${missed.name}: there is no function ${missed.functionIndex}`)
  return out.finish()
}

function countFunctions(section: Uint8Array): number {
  const reader = new WasmReader(section)
  const kinds = reader.vector((r) => {
    r.name()
    r.name()
    const kind = r.u8()
    if (kind === IMPORT.function) r.u32()
    else if (kind !== IMPORT.memory) throw new MeterError(`an import is neither function nor memory, before byte ${r.at}`)
    else for (let limits = r.u8() === 1 ? 2 : 1; limits > 0; limits--) r.u32()
    return kind
  })
  return kinds.filter((kind) => kind === IMPORT.function).length
}

function patchCode(section: Uint8Array, imported: number, patches: readonly WasmPatch[], done: Set<WasmPatch>): Uint8Array {
  const reader = new WasmReader(section)
  const count = reader.u32()
  const out = new WasmWriter().u32(count)
  for (let i = 0; i < count; i++) {
    const own = patches.filter((patch) => patch.functionIndex === imported + i)
    const body = reader.take(reader.u32())
    out.sized(own.length === 0 ? body : patchBody(body, own))
    for (const patch of own) done.add(patch)
  }
  return out.finish()
}

function patchBody(body: Uint8Array, patches: readonly WasmPatch[]): Uint8Array {
  const borders = bordersOf(body)
  const out = new WasmWriter()
  let at = 0
  for (const patch of patches.toSorted((a, b) => a.at - b.at)) {
    const end = patch.at + patch.original.length
    if (patch.at < at) throw new MeterError(`patch ${patch.name} overlaps another`)
    if (!borders.has(patch.at) || !borders.has(end)) throw new MeterError(`patch ${patch.name} cuts through an instruction`)
    const found = [...body.subarray(patch.at, end)]
    if (found.join() !== patch.original.join()) throw new MeterError(`patch ${patch.name} finds other bytes: ${found.join()}`)
    readWhole(new WasmReader(Uint8Array.from(patch.replacement)))
    out.bytes(body.subarray(at, patch.at)).bytes(patch.replacement)
    at = end
  }
  return out.bytes(body.subarray(at)).finish()
}

/** Offsets at which the instructions of a function's body begin, and the body's end. */
function bordersOf(body: Uint8Array): ReadonlySet<number> {
  const reader = new WasmReader(body)
  reader.vector((r) => {
    r.u32()
    r.skip(1)
  })
  return new Set([reader.at, ...readWhole(reader)])
}

/** Ends of all instructions up to the reader's end, where the last one must end. */
function readWhole(reader: WasmReader): readonly number[] {
  const ends: number[] = []
  while (!reader.done) ends.push(readInstruction(reader).to)
  return ends
}
