import { concatBytes } from '@quoin/protocol'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { findLogFault, maskedCrc32c } from './level-log.ts'
import { searchTable } from './level-table.ts'

const MAGIC = Uint8Array.of(0x57, 0xfb, 0x80, 0x8b, 0x24, 0x75, 0x47, 0xdb)
const content = fc.uint8Array({ maxLength: 110 })

/** A block with its type and a matching checksum. */
function block(bytes: Uint8Array): Uint8Array {
  const body = concatBytes(bytes, Uint8Array.of(0))
  const sum = new Uint8Array(4)
  new DataView(sum.buffer).setUint32(0, maskedCrc32c(body), true)
  return concatBytes(body, sum)
}

function search(bytes: Uint8Array) {
  for (const steps = searchTable(bytes); ; ) {
    const step = steps.next()
    if (step.done === true) return step.value
  }
}

it('ends for any content of a table, also if all checksums match', () => {
  fc.assert(
    fc.property(content, content, fc.nat(2), (index, filters, restarts) => {
      // Valid restart points, so that the entries before them are read.
      const tail = new Uint8Array(4)
      tail[0] = restarts
      const parts = [index, filters].map((bytes) => concatBytes(bytes, tail))
      const [first, second] = parts.map(block) as [Uint8Array, Uint8Array]
      const footer = new Uint8Array(48)
      // Handles of the filter block, then of the index: offset and length, one byte each, because blocks are shorter than 128 bytes.
      footer.set([first.length, parts[1]!.length, 0, parts[0]!.length])
      footer.set(MAGIC, 40)
      const fault = search(concatBytes(first, second, footer))
      expect(fault === undefined || fault.at >= 0).toBe(true)
    }),
    // A first key that claims to share more with the previous one than there is memory.
    { numRuns: 2_000, examples: [[Uint8Array.of(...Array(6).fill(0xff), 0x7f, 0, 0), new Uint8Array(0), 0]] },
  )
})

it('finds a fault in bytes that are no table', () => {
  fc.assert(
    fc.property(content, (bytes) => {
      expect(search(bytes)).toMatchObject({ what: 'footer' })
    }),
  )
})

it('reads any bytes as a log, and finds no proof in them that anything was written', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 4_000 }), (bytes) => {
      expect(findLogFault(bytes)).toBeUndefined()
    }),
  )
})
