import { describe, expect, it } from 'vitest'
import { plainBinary, wasmPower } from '../../../test/interpreter.ts'
import { assemble, op, TYPE } from '../../../test/wasm-text.ts'
import { ENGINE_PATCHES } from '../patches.ts'
import type { WasmFunction } from '../power.ts'
import { MeterError } from './binary.ts'
import { patchModule, type WasmPatch } from './patch.ts'

const i32 = [TYPE.i32]
/** Function 1, because one is imported: x - 3 * 2, with the multiplication at byte 7 of the body. */
const plain = assemble([{ parameters: i32, results: i32, body: [op.get(0), op.i32(3), op.i32(2), op.mul, op.sub] }])
const patch: WasmPatch = {
  name: 'sum for product',
  reason: 'a test',
  functionIndex: 1,
  at: 3,
  original: [0x41, 3, 0x41, 2, 0x6c],
  replacement: [0x41, 3, 0x41, 2, 0x6a, 0x41, 1, 0x6a],
}

function run(binary: Uint8Array, value: number): number {
  const power = wasmPower()
  const exports = power.instantiate(power.compile(binary), { host: { call: () => 0, memory: power.memory(2) } })
  return (exports.f0 as WasmFunction)(value) as number
}

describe('a patch', () => {
  it('replaces instructions by more or fewer of them', () => {
    expect(run(plain, 10)).toBe(4)
    expect(run(patchModule(plain, [patch]), 10)).toBe(4)
    expect(run(patchModule(plain, [{ ...patch, replacement: [0x41, 5] }]), 10)).toBe(5)
  })

  it('is there with others in the same function, in any order', () => {
    const first: WasmPatch = { ...patch, name: 'first', at: 1, original: [0x20, 0], replacement: [0x20, 0, 0x41, 7, 0x6a] }
    const second: WasmPatch = { ...patch, name: 'second', at: 5, original: [0x41, 2], replacement: [0x41, 3] }
    const expected = 10 + 7 - 9
    expect(run(patchModule(plain, [first, second]), 10)).toBe(expected)
    expect(run(patchModule(plain, [second, first]), 10)).toBe(expected)
    expect(() => patchModule(plain, [first, { ...second, name: 'over', at: 1, original: [0x20, 0] }])).toThrow(
      'over overlaps another',
    )
  })

  it('changes nothing else', () => {
    expect(patchModule(plain, [])).toEqual(plain)
    expect(patchModule(plain, [{ ...patch, replacement: patch.original }])).toEqual(plain)
  })

  it.each([
    ['finds other bytes', { original: [0x41, 4, 0x41, 2, 0x6c] }],
    ['cuts through an instruction', { at: 2, original: [0, 0x41, 3] }],
    ['cuts through an instruction', { original: [0x41, 3, 0x41] }],
    ['cuts through an instruction', { at: 0, original: [0] }],
    ['there is no function 9', { functionIndex: 9 }],
    ['there is no function 0', { functionIndex: 0 }],
    ['ends early', { replacement: [0x41] }],
    ['has no price', { replacement: [0xff] }],
  ])('is refused: %s', (message, change) => {
    const patched = () => patchModule(plain, [{ ...patch, ...change }])
    expect(patched).toThrow(MeterError)
    expect(patched).toThrow(message)
  })
})

describe('the patches of the interpreter', () => {
  it.each(ENGINE_PATCHES)('$name: fits the pinned binary, once', (one) => {
    const patched = patchModule(plainBinary(), [one])
    expect(patched).not.toEqual(plainBinary())
    expect(() => patchModule(patched, [one])).toThrow(MeterError)
  })
})
