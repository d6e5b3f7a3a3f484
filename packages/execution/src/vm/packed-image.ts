import { codec } from '@quoin/protocol'
import type { ContractImage } from './engine.ts'
import type { Image, Layout } from './image.ts'
import { VM_LIMITS } from './limits.ts'

type Codec<T> = codec.Codec<T>

const { bytes, decode, encode, list, struct, u8, u16, u32 } = codec

/** Raise it with each change of what follows. */
const FORMAT = 1

const MEMORY_BYTES = VM_LIMITS.memoryPages * 65_536
/** Entries of a contract, and UTF-16 units of the name of one. */
const ENTRIES_MAX = 65_536
const NAME_UNITS_MAX = 65_536

const byte: Codec<number> = u8()
const unit: Codec<number> = u16()
const word: Codec<number> = u32()

/** An image without the data that all images of an engine share. Numbers are addresses, but for the patch: words and what they hold. */
const packedImage = struct({
  format: byte,
  runtime: word,
  context: word,
  mailbox: struct({ at: word, length: word, buffer: word }),
  heapEnd: word,
  patch: list(word, MEMORY_BYTES / 4),
  heap: bytes(MEMORY_BYTES),
  entries: list(struct({ name: list(unit, NAME_UNITS_MAX), pointer: word }), ENTRIES_MAX),
})

export const packImage = (image: ContractImage): Uint8Array =>
  encode(packedImage, {
    format: FORMAT,
    runtime: image.runtime,
    context: image.context,
    mailbox: image.mailbox,
    heapEnd: image.heapEnd,
    patch: [...image.patch],
    heap: image.heap,
    entries: [...image.entries].map(([name, pointer]) => ({
      name: Array.from({ length: name.length }, (_, i) => name.charCodeAt(i)),
      pointer,
    })),
  })

/**
 * The image of such bytes over an engine's shared data; undefined for another format, and for addresses outside of what is theirs, so that no
 * bytes can write outside an instance's memory. That they are an image of this engine at all is for their keeper to know.
 */
export function unpackImage(packed: Uint8Array, base: Image, layout: Layout): ContractImage | undefined {
  const decoded = decode(packedImage, packed)
  if (!decoded.ok) return undefined
  const { format, runtime, context, mailbox, heapEnd, patch, heap, entries } = decoded.value
  const { heapBase } = layout
  const inHeap = (at: number, length: number): boolean => at >= heapBase && at + length <= heapEnd
  const fits =
    format === FORMAT &&
    heapEnd <= MEMORY_BYTES &&
    heapBase + heap.length <= heapEnd &&
    patch.length % 2 === 0 &&
    patch.every((word, i) => i % 2 === 1 || word < base.data.length / 4) &&
    inHeap(mailbox.at, mailbox.length) &&
    [runtime, context, mailbox.buffer, ...entries.map(({ pointer }) => pointer)].every((at) => inHeap(at, 8))
  if (!fits) return undefined
  return {
    data: base.data,
    patch: Uint32Array.from(patch),
    heap,
    heapEnd,
    runtime,
    context,
    mailbox,
    entries: new Map(entries.map(({ name, pointer }) => [textOf(name), pointer])),
  }
}

const textOf = (units: readonly number[]): string => units.map((unit) => String.fromCharCode(unit)).join('')
