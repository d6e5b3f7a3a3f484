import type { Image } from './image.ts'
import { VM_LIMITS } from './limits.ts'
import { isInHeap } from './memory.ts'
import { pageStart } from './meter/watch.ts'
import { LAYOUT } from './quickjs.ts'
import type { ContractImage } from './request.ts'

/*
 * An image as its differences from the interpreter's base image. Words have 32 bits in the machine's byte order: the order of the
 * memory they come from, which is little-endian wherever WebAssembly memory can be viewed this way.
 *
 *   head          HEAD words, see below
 *   patch         word index in the shared data and value, alternately
 *   heap patch    as far as the base heap reaches: index and value of words that differ, alternately, ascending
 *   heap rest     the heap's bytes behind that, padded with zeros to a whole word
 *   entries       for each: pointer, length of the name, its UTF-16 units padded with zeros to a whole word
 *
 * Unpacking is on the critical path of a contract's first use, so there is no codec and no object per word.
 */

/** Raise this number with every change of the layout. */
const FORMAT = 4

const HEAD = {
  format: 0,
  runtime: 1,
  context: 2,
  mailboxAt: 3,
  mailboxLength: 4,
  mailboxBuffer: 5,
  top: 6,
  heapLength: 7,
  patchWords: 8,
  heapPatchWords: 9,
  entries: 10,
} as const
const HEAD_WORDS = 11

const MEMORY_BYTES = VM_LIMITS.memoryPages * 65_536

/** Encodes an image as its differences from the base image. */
export function packImage(image: ContractImage, base: Pick<Image, 'heap'>): Uint8Array {
  const { heap, patch, entries, mailbox } = image
  const common = commonBytes(heap.length, base)
  const heapPatch = differences(wordsOf(heap, common), wordsOf(base.heap, common))
  const rest = heap.subarray(common)
  const names = [...entries]
  const nameWords = names.reduce((sum, [name]) => sum + 2 + Math.ceil(name.length / 2), 0)
  const words = new Uint32Array(HEAD_WORDS + patch.length + heapPatch.length + Math.ceil(rest.length / 4) + nameWords)
  words[HEAD.format] = FORMAT
  words[HEAD.runtime] = image.runtime
  words[HEAD.context] = image.context
  words[HEAD.mailboxAt] = mailbox.at
  words[HEAD.mailboxLength] = mailbox.length
  words[HEAD.mailboxBuffer] = mailbox.buffer
  words[HEAD.top] = image.top
  words[HEAD.heapLength] = heap.length
  words[HEAD.patchWords] = patch.length
  words[HEAD.heapPatchWords] = heapPatch.length
  words[HEAD.entries] = names.length
  words.set(patch, HEAD_WORDS)
  words.set(heapPatch, HEAD_WORDS + patch.length)
  const bytes = new Uint8Array(words.buffer)
  let at = HEAD_WORDS + patch.length + heapPatch.length
  bytes.set(rest, 4 * at)
  at += Math.ceil(rest.length / 4)
  const units = new Uint16Array(words.buffer)
  for (const [name, pointer] of names) {
    words[at] = pointer
    words[at + 1] = name.length
    at += 2
    for (let i = 0; i < name.length; i++) units[2 * at + i] = name.charCodeAt(i)
    at += Math.ceil(name.length / 2)
  }
  return bytes
}

/** Bytes of a heap that are compared with the base image's: whole words. */
const commonBytes = (heapLength: number, base: Pick<Image, 'heap'>): number => Math.min(heapLength, base.heap.length) & ~3

/** The first bytes as words, without a copy if they are aligned. */
const wordsOf = ({ buffer, byteOffset }: Uint8Array, length: number): Uint32Array =>
  byteOffset % 4 === 0
    ? new Uint32Array(buffer, byteOffset, length / 4)
    : new Uint32Array(buffer.slice(byteOffset, byteOffset + length))

function differences(words: Uint32Array, others: Uint32Array): readonly number[] {
  const found: number[] = []
  for (let i = 0; i < words.length; i++) if (words[i] !== others[i]) found.push(i, words[i]!)
  return found
}

/**
 * Decodes a packed image over an interpreter's base image. Every address is checked, so no bytes can make the host write outside
 * an instance's memory. The keeper of the bytes must know that they are an image of this interpreter.
 *
 * @returns undefined for another format, and for bytes that `packImage` does not produce
 */
export function unpackImage(packed: Uint8Array, base: Image): ContractImage | undefined {
  if (packed.length % 4 !== 0 || packed.length < 4 * HEAD_WORDS || packed.length > MEMORY_BYTES) return undefined
  const words = wordsOf(packed, packed.length)
  const head = (at: number): number => words[at]!
  const heapLength = head(HEAD.heapLength)
  const top = head(HEAD.top)
  if (head(HEAD.format) !== FORMAT || top > MEMORY_BYTES || top !== pageStart(top)) return undefined
  if (LAYOUT.heapBase + heapLength > top) return undefined
  const common = commonBytes(heapLength, base)
  const patchAt = HEAD_WORDS
  const heapPatchAt = patchAt + head(HEAD.patchWords)
  const restAt = heapPatchAt + head(HEAD.heapPatchWords)
  const namesAt = restAt + Math.ceil((heapLength - common) / 4)
  if (namesAt > words.length || !isZero(words, 4 * restAt + heapLength - common, 4 * namesAt)) return undefined
  const patch = words.slice(patchAt, heapPatchAt)
  const heap = heapOf(words, heapPatchAt, restAt, heapLength, common, base)
  const entries = readEntries(words, namesAt, head(HEAD.entries))
  if (!isPatch(patch, base.data.length / 4) || heap === undefined || entries === undefined) return undefined
  const mailbox = { at: head(HEAD.mailboxAt), length: head(HEAD.mailboxLength), buffer: head(HEAD.mailboxBuffer) }
  const runtime = head(HEAD.runtime)
  const context = head(HEAD.context)
  if (!isInHeap(mailbox.at, top, mailbox.length)) return undefined
  if (![runtime, context, mailbox.buffer, ...entries.values()].every((at) => isInHeap(at, top))) return undefined
  return { data: base.data, patch, heap, top, runtime, context, mailbox, entries }
}

function isPatch(patch: Uint32Array, words: number): boolean {
  if (patch.length % 2 !== 0) return false
  for (let i = 0; i < patch.length; i += 2) if (patch[i]! >= words) return false
  return true
}

/**
 * Rebuilds the heap: the base heap's first `common` bytes with the changes in words `from` to `to`, then the bytes behind them.
 */
function heapOf(
  words: Uint32Array,
  from: number,
  to: number,
  length: number,
  common: number,
  base: Image,
): Uint8Array | undefined {
  if ((to - from) % 2 !== 0) return undefined
  const heap = new Uint8Array(Math.ceil(length / 4) * 4).subarray(0, length)
  heap.set(base.heap.subarray(0, common))
  const made = new Uint32Array(heap.buffer, 0, common / 4)
  let before = -1
  for (let i = from; i < to; i += 2) {
    const at = words[i]!
    const value = words[i + 1]!
    // Only the canonical form is accepted: ascending, and every value differs.
    if (at <= before || at >= made.length || made[at] === value) return undefined
    made[at] = value
    before = at
  }
  heap.set(new Uint8Array(words.buffer, words.byteOffset + 4 * to, length - common), common)
  return heap
}

function readEntries(words: Uint32Array, from: number, count: number): Map<string, number> | undefined {
  if (count > VM_LIMITS.entriesMax) return undefined
  const entries = new Map<string, number>()
  const units = new Uint16Array(words.buffer, words.byteOffset, 2 * words.length)
  let at = from
  for (let i = 0; i < count; i++) {
    if (at + 2 > words.length) return undefined
    const pointer = words[at]!
    const length = words[at + 1]!
    at += 2
    const end = at + Math.ceil(length / 2)
    if (length > VM_LIMITS.entryNameMax || end > words.length || !isZero(words, 4 * at + 2 * length, 4 * end)) return undefined
    let name = ''
    for (let k = 0; k < length; k++) name += String.fromCharCode(units[2 * at + k]!)
    if (entries.has(name)) return undefined
    entries.set(name, pointer)
    at = end
  }
  return at === words.length ? entries : undefined
}

/** Whether the padding bytes (fewer than four) are zero. */
function isZero({ buffer, byteOffset }: Uint32Array, from: number, to: number): boolean {
  const bytes = new Uint8Array(buffer, byteOffset)
  for (let at = from; at < to; at++) if (bytes[at] !== 0) return false
  return true
}
