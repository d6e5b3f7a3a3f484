import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { interpreterBinary, watchedPower } from '../../test/interpreter.ts'
import type { HostTable } from './host-function.ts'
import { createInterpreter } from './interpreter.ts'
import type { ContractImage, HostHandlers } from './request.ts'

const GAS = 100_000_000
const host: HostTable = [{ name: 'get', gas: 500, parameters: ['value'] }]
const handlers: HostHandlers = { get: (_, value: string) => value }

const SOURCE = `
  const table = new Map(); for (let i = 0; i < 200; i++) table.set('k' + i, BigInt(i) ** 30n)
  export const mixed = (v) => [host.get(v), table.size, String(table.get('k7')), /x(.)/.exec('axb')[1]]
  export const later = async (v) => { await 0; return { v } }
  export const boom = () => { throw new RangeError('at ' + table.size) }
  export const deep = () => JSON.parse('['.repeat(1e5))
  export default function () { return 1 }
`

const digest = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

/** A separate interpreter, like another process has it. */
function fresh() {
  const { power, lastUsed } = watchedPower()
  const interpreter = createInterpreter({ wasm: power, binary: interpreterBinary(), host })
  const run = (image: ContractImage) =>
    (['mixed', 'later', 'boom', 'deep', 'default'] as const).map((entry) => {
      const outcome = interpreter.call({ image, entry, values: [['x', 1n]], handlers, gas: GAS })
      return { entry, outcome, memory: digest(lastUsed()) }
    })
  return { interpreter, run }
}

const maker = fresh()
const compiled = maker.interpreter.compile({ source: SOURCE, gas: GAS })
if (!compiled.ok) throw new Error(compiled.error.kind)
const { image } = compiled.value
const packed = maker.interpreter.packImage(image)

describe('an image as bytes', () => {
  it('is the same image again, and its calls are the same to the last byte of memory, in another interpreter', () => {
    const other = fresh()
    const unpacked = other.interpreter.unpackImage(packed)
    if (unpacked === undefined) throw new Error('not unpacked')
    expect([...unpacked.entries]).toEqual([...image.entries])
    expect(digest(unpacked.heap)).toBe(digest(image.heap))
    expect([...unpacked.patch]).toEqual([...image.patch])
    expect(other.run(unpacked)).toEqual(maker.run(image))
    expect(digest(other.interpreter.packImage(unpacked))).toBe(digest(packed))
  })

  it('can be read at any offset of a buffer', () => {
    for (const offset of [1, 2, 3, 4]) {
      const moved = new Uint8Array(packed.length + offset).subarray(offset)
      moved.set(packed)
      expect(digest(maker.interpreter.unpackImage(moved)!.heap)).toBe(digest(image.heap))
    }
  })

  it("is little larger than the contract's additions to the base image", () => {
    expect(packed.length).toBeLessThan(image.heap.length / 2)
  })

  it('is rejected with another format, length or address', () => {
    const { unpackImage } = { unpackImage: (bytes: Uint8Array) => maker.interpreter.unpackImage(bytes) }
    expect(unpackImage(new Uint8Array())).toBe(undefined)
    expect(unpackImage(packed.subarray(0, -1))).toBe(undefined)
    expect(unpackImage(Uint8Array.of(...packed, 0))).toBe(undefined)
    expect(unpackImage(Uint8Array.of(...packed, 0, 0, 0, 0))).toBe(undefined)
    expect(unpackImage(packed.with(0, 1))).toBe(undefined)
    // The highest byte of each word in the head: format, addresses, lengths, counts.
    for (let word = 0; word < 11; word++) expect(unpackImage(packed.with(4 * word + 3, 0x7f)), `word ${word}`).toBe(undefined)
  })

  it('never writes outside of an instance, whatever the bytes', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(400), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 4 }),
        (changes) => {
          const bytes = packed.slice()
          for (const [at, value] of changes) bytes[at] = value
          const unpacked = maker.interpreter.unpackImage(bytes)
          if (unpacked === undefined) return
          expect(Math.max(...unpacked.patch.filter((_, i) => i % 2 === 0))).toBeLessThan(unpacked.data.length / 4)
          expect(unpacked.heap.length).toBeLessThanOrEqual(unpacked.top)
        },
      ),
    )
  })
})
