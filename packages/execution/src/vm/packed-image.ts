import { codec } from '@quoin/protocol'
import type { ContractImage } from './engine.ts'
import type { Image } from './image.ts'
import { VM_LIMITS } from './limits.ts'
import { isInHeap } from './memory.ts'
import { pageStart } from './meter/watch.ts'
import { LAYOUT } from './quickjs.ts'

type Codec<T> = codec.Codec<T>

const { bytes, decode, encode, list, struct, u8, u16, u32 } = codec

/** Raise it with each change of what follows. */
const FORMAT = 3

const MEMORY_BYTES = VM_LIMITS.memoryPages * 65_536
const byte: Codec<number> = u8()
const unit: Codec<number> = u16()
const word: Codec<number> = u32()

/**
 * An image as what it has beyond the one that all images of its engine are made from. Numbers are addresses, but for patches: words and what
 * they hold.
 */
const packedImage = struct({
  format: byte,
  runtime: word,
  context: word,
  mailbox: struct({ at: word, length: word, buffer: word }),
  top: word,
  patch: list(word, MEMORY_BYTES / 4),
  heapLength: word,
  /** Of the heap, as far as the common image's reaches. */
  heapPatch: list(word, MEMORY_BYTES / 2),
  /** What lies behind. */
  heapRest: bytes(MEMORY_BYTES),
  entries: list(struct({ name: list(unit, VM_LIMITS.entryNameMax), pointer: word }), VM_LIMITS.entriesMax),
})

export function packImage(image: ContractImage, base: Pick<Image, 'heap'>): Uint8Array {
  const common = commonBytes(image.heap.length, base)
  return encode(packedImage, {
    format: FORMAT,
    runtime: image.runtime,
    context: image.context,
    mailbox: image.mailbox,
    top: image.top,
    patch: [...image.patch],
    heapLength: image.heap.length,
    heapPatch: differences(wordsOf(image.heap, common), wordsOf(base.heap, common)),
    heapRest: image.heap.subarray(common),
    entries: [...image.entries].map(([name, pointer]) => ({
      name: Array.from({ length: name.length }, (_, i) => name.charCodeAt(i)),
      pointer,
    })),
  })
}

/** Bytes of a heap that stand against the common image's: whole words. */
const commonBytes = (heapLength: number, base: Pick<Image, 'heap'>): number => Math.min(heapLength, base.heap.length) & ~3

const wordsOf = ({ buffer, byteOffset }: Uint8Array, length: number): Uint32Array =>
  new Uint32Array(buffer.slice(byteOffset, byteOffset + length))

function differences(words: Uint32Array, others: Uint32Array): readonly number[] {
  const found: number[] = []
  for (let i = 0; i < words.length; i++) if (words[i] !== others[i]) found.push(i, words[i]!)
  return found
}

/**
 * The image of such bytes over an engine's shared data; undefined for another format, and for addresses outside of what is theirs, so that no
 * bytes can write outside an instance's memory. That they are an image of this engine at all is for their keeper to know.
 */
export function unpackImage(packed: Uint8Array, base: Image): ContractImage | undefined {
  const decoded = decode(packedImage, packed)
  if (!decoded.ok) return undefined
  const { format, runtime, context, mailbox, top, patch, heapLength, heapPatch, heapRest, entries } = decoded.value
  const { heapBase } = LAYOUT
  const common = commonBytes(heapLength, base)
  const fits =
    format === FORMAT &&
    top <= MEMORY_BYTES &&
    top === pageStart(top) &&
    heapBase + heapLength <= top &&
    heapRest.length === heapLength - common &&
    patch.length % 2 === 0 &&
    patch.every((word, i) => i % 2 === 1 || word < base.data.length / 4) &&
    isDifference(heapPatch, wordsOf(base.heap, common)) &&
    isInHeap(mailbox.at, top, mailbox.length) &&
    [runtime, context, mailbox.buffer, ...entries.map(({ pointer }) => pointer)].every((at) => isInHeap(at, top))
  if (!fits) return undefined
  const heap = new Uint8Array(heapLength)
  heap.set(base.heap.subarray(0, common))
  const words = new Uint32Array(heap.buffer, 0, common / 4)
  for (let i = 0; i < heapPatch.length; i += 2) words[heapPatch[i]!] = heapPatch[i + 1]!
  heap.set(heapRest, common)
  return {
    data: base.data,
    patch: Uint32Array.from(patch),
    heap,
    top,
    runtime,
    context,
    mailbox,
    entries: new Map(entries.map(({ name, pointer }) => [textOf(name), pointer])),
  }
}

/** Whether words and values by turns are what `differences` finds: in their order, each another value than it was. */
const isDifference = (patch: readonly number[], others: Uint32Array): boolean =>
  patch.length % 2 === 0 &&
  patch.every((word, i) =>
    i % 2 === 1 ? word !== others[patch[i - 1]!] : word < others.length && (i === 0 || word > patch[i - 2]!),
  )

const textOf = (units: readonly number[]): string => units.map((unit) => String.fromCharCode(unit)).join('')
