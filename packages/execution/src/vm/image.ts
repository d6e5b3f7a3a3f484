import type { Instance, Mailbox } from './instance.ts'
import { pageStart } from './meter/watch.ts'
import { LAYOUT } from './quickjs.ts'

const { constantsEnd, dataEnd, heapBase } = LAYOUT

/**
 * Everything an instance is at one moment outside of calls. Loads into any instance of the same binary, on any machine. What contracts
 * change in the program's data are some words: all images of an interpreter share the rest.
 */
export interface Image {
  /** The program's data after boot, shared; the constants before it are every instance's own from the start. */
  readonly data: Uint8Array
  /** Words that differ from it: index and value by turns. */
  readonly patch: Uint32Array
  /** The heap up to its last byte that is not zero. */
  readonly heap: Uint8Array
  /** End of the heap that was ever written, at the edge of a page; what lies between is zero. */
  readonly top: number
  readonly runtime: number
  readonly context: number
  readonly mailbox: Mailbox
}

/** The data's first word. */
const DATA_WORD = constantsEnd / 4

/** Size in bytes of what is an image's own: what a cache counts. */
export const imageBytes = (image: Image): number => image.patch.byteLength + image.heap.length

/** Size of an image's heap in bytes: what a restore copies or clears. */
export const heapBytes = (image: Pick<Image, 'top'>): number => image.top - heapBase

/** Stack that every call may write before it pays for more: a plain call of a contract needs no more than this. */
const STACK_GRANTED_BYTES = 16 * 1024

/** Where the stack begins that a call may write from its start. */
export const STACK_GRANTED_LOW = pageStart(heapBase - STACK_GRANTED_BYTES)

/** The state of an instance that no call is running in. `data` is the data to share; without it the image brings its own. */
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
 * Makes all memory of an instance the image's, whatever ran in it before and however that ended: the constants cannot be written, the data is
 * copied whole, the stack and the heap as far as the watch saw them written, and beyond that nothing but zeros has ever been. `end` is the end of the memory that is granted.
 */
export function restoreImage(instance: Instance, image: Image, end: number): void {
  const { bytes, words, memory, meter } = instance
  const { patch, heap } = image
  const { low, top } = memory
  // The stack first: its lowest page may begin with some of the data.
  bytes.fill(0, low, heapBase)
  bytes.set(image.data, constantsEnd)
  for (let i = 0; i < patch.length; i += 2) words[DATA_WORD + patch[i]!] = patch[i + 1]!
  bytes.set(heap, heapBase)
  const heapEnd = heapBase + heap.length
  if (top > heapEnd) bytes.fill(0, heapEnd, top)
  memory.setEdges(STACK_GRANTED_LOW, image.top, end)
  // A trap leaves the pointer where it was.
  meter.stackPointer.value = heapBase
  instance.runtime = image.runtime
  instance.context = image.context
  instance.mailbox = image.mailbox
}
