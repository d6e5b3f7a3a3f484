import type { Instance, Mailbox } from './instance.ts'
import { pageStart } from './meter/watch.ts'
import { LAYOUT } from './quickjs.ts'

const { constantsEnd, dataEnd, heapBase } = LAYOUT

/**
 * Complete state of an instance between calls. It can be loaded into any instance of the same binary, on any machine. Contracts
 * change only a few words of the program's data; all images of an interpreter share the rest.
 */
export interface Image {
  /**
   * The program's data after boot, shared by all images. The constants in front of it are part of every instance from the start.
   */
  readonly data: Uint8Array
  /** Words that differ from the shared data: index and value alternately. */
  readonly patch: Uint32Array
  /** The heap up to its last non-zero byte. */
  readonly heap: Uint8Array
  /**
   * End of the part of the heap that was ever written, at a page boundary. The bytes between the end of `heap` and this address
   * are zero.
   */
  readonly top: number
  readonly runtime: number
  readonly context: number
  readonly mailbox: Mailbox
}

/** Index of the data's first word. */
const DATA_WORD = constantsEnd / 4

/** Bytes that belong to this image alone: the size that a cache counts. */
export const imageBytes = (image: Image): number => image.patch.byteLength + image.heap.length

/** Size of an image's heap in bytes: how much a restore copies or clears. */
export const heapBytes = (image: Pick<Image, 'top'>): number => image.top - heapBase

/** Stack in bytes that every call may write without paying for more pages. A plain contract call needs no more than this. */
const STACK_GRANTED_BYTES = 16 * 1024

/** Lowest stack address that a call may write from its start. */
export const STACK_GRANTED_LOW = pageStart(heapBase - STACK_GRANTED_BYTES)

/**
 * Takes the state of an instance in which no call is running.
 *
 * @param data the data to share with other images; by default the image has its own copy
 */
export function takeImage(instance: Instance, data?: Uint8Array): Image {
  const { top } = instance.memory
  let end = top
  while (end > heapBase && instance.bytes[end - 1] === 0) end--
  const shared = data ?? instance.bytes.slice(constantsEnd, dataEnd)
  return {
    data: shared,
    patch: differences(instance, shared),
    heap: instance.bytes.slice(heapBase, end),
    top,
    runtime: instance.runtime,
    context: instance.context,
    mailbox: instance.mailbox,
  }
}

function differences({ words }: Instance, data: Uint8Array): Uint32Array {
  const shared = new Uint32Array(data.buffer)
  const found: number[] = []
  for (let i = 0; i < shared.length; i++) if (words[DATA_WORD + i] !== shared[i]) found.push(i, words[DATA_WORD + i]!)
  return Uint32Array.from(found)
}

/**
 * Sets all memory of an instance to the image's, whatever ran in it before and however that ended. The constants cannot be
 * written. The data is copied completely. Stack and heap are restored as far as the watch saw them written; everything beyond
 * that is still zero.
 *
 * @param end end of the memory that is granted to the next call
 */
export function restoreImage(instance: Instance, image: Image, end: number): void {
  const { bytes, words, memory, meter } = instance
  const { patch, heap } = image
  const { low, top } = memory
  // The stack first: its lowest page may contain the end of the data.
  bytes.fill(0, low, heapBase)
  bytes.set(image.data, constantsEnd)
  for (let i = 0; i < patch.length; i += 2) words[DATA_WORD + patch[i]!] = patch[i + 1]!
  bytes.set(heap, heapBase)
  const heapEnd = heapBase + heap.length
  if (top > heapEnd) bytes.fill(0, heapEnd, top)
  memory.setEdges(STACK_GRANTED_LOW, image.top, end)
  // A trap leaves the stack pointer where it was.
  meter.stackPointer.value = heapBase
  instance.runtime = image.runtime
  instance.context = image.context
  instance.mailbox = image.mailbox
}
