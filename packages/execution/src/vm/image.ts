import type { Instance, Mailbox } from './instance.ts'
import { STACK_BYTES } from './quickjs.ts'

/** Where things lie in linear memory: data from 0, then the stack, then the heap to the end. */
export interface Layout {
  /** End of the program's data and lowest address of its stack. */
  readonly dataEnd: number
  /** Where the heap begins and the empty stack stands. */
  readonly heapBase: number
  /** Address of the word in the data that holds the end of the heap in use (sbrk's); it never falls. */
  readonly breakAt: number
}

/**
 * Everything an instance is at one moment outside of calls. Loads into any instance of the same binary, on any machine. What contracts
 * change in the program's data are some words: all images of an engine share the rest.
 */
export interface Image {
  /** The program's data after boot, shared. */
  readonly data: Uint8Array
  /** Words that differ from it: address / 4 and value by turns. */
  readonly patch: Uint32Array
  /** The heap up to its last byte that is not zero. */
  readonly heap: Uint8Array
  /** End of the heap in use; what lies between is zero. */
  readonly heapEnd: number
  readonly runtime: number
  readonly context: number
  readonly mailbox: Mailbox
}

/** Size in bytes of what is an image's own: what a cache counts. */
export const imageBytes = (image: Image): number => image.patch.byteLength + image.heap.length

/**
 * Finds the layout of a binary on a fresh instance, before its program ran. The break is the one word of the data that holds the heap's
 * base and rises when the program allocates. Throws when there is not exactly one: another binary than the one this was written for.
 */
export function measureLayout({ words, stackTop, quickjs }: Instance): Layout {
  const heapBase = stackTop
  const dataEnd = heapBase - STACK_BYTES
  if (dataEnd % 4 !== 0) throw new Error(`the engine's data ends at ${dataEnd}, within a word`)
  const candidates: number[] = []
  for (let at = 0; at < dataEnd; at += 4) if (words[at >>> 2] === heapBase) candidates.push(at)
  const blockBytes = 0x10_0000
  quickjs.initialise()
  quickjs.malloc(blockBytes)
  const found = candidates.filter(
    (at) => words[at >>> 2]! >= heapBase + blockBytes && words[at >>> 2]! < heapBase + 2 * blockBytes,
  )
  const [breakAt] = found
  if (breakAt === undefined || found.length > 1) throw new Error(`the engine's binary has ${found.length} heap ends, not one`)
  return { dataEnd, heapBase, breakAt }
}

/** End of the heap that the program has taken. */
export const heapEndOf = (instance: Instance, layout: Layout): number => instance.words[layout.breakAt >>> 2]!

/**
 * The state of an instance that no call is running in. Clears what is left of its stack, so that equal states have equal memories. `data` is
 * the data to share; without it the image brings its own.
 */
export function takeImage(instance: Instance, layout: Layout, data?: Uint8Array): Image {
  clearStack(instance, layout)
  const heapEnd = heapEndOf(instance, layout)
  let top = heapEnd
  while (top > layout.heapBase && instance.bytes[top - 1] === 0) top--
  const shared = data ?? instance.bytes.slice(0, layout.dataEnd)
  return {
    data: shared,
    patch: differences(instance, shared),
    heap: instance.bytes.slice(layout.heapBase, top),
    heapEnd,
    runtime: instance.runtime,
    context: instance.context,
    mailbox: instance.mailbox,
  }
}

function differences({ words }: Instance, data: Uint8Array): Uint32Array {
  const shared = new Uint32Array(data.buffer)
  const found: number[] = []
  for (let i = 0; i < shared.length; i++) if (words[i] !== shared[i]) found.push(i, words[i]!)
  return Uint32Array.from(found)
}

/**
 * Makes an instance the image's, whatever ran in it before and however that ended. All of the data is copied: leaving out what seems
 * unused diverges silently.
 */
export function restoreImage(instance: Instance, layout: Layout, image: Image): void {
  const { bytes, words } = instance
  const { patch } = image
  const usedEnd = heapEndOf(instance, layout)
  bytes.set(image.data, 0)
  for (let i = 0; i < patch.length; i += 2) words[patch[i]!] = patch[i + 1]!
  bytes.set(image.heap, layout.heapBase)
  const top = layout.heapBase + image.heap.length
  if (usedEnd > top) bytes.fill(0, top, usedEnd)
  clearStack(instance, layout)
  instance.runtime = image.runtime
  instance.context = image.context
  instance.mailbox = image.mailbox
}

/** Zeroes the stack as deep as it was used and empties it: a trap leaves the pointer where it was. */
function clearStack({ bytes, meter }: Instance, { dataEnd, heapBase }: Layout): void {
  const low = meter.stackLow.value
  if (low < heapBase) bytes.fill(0, Math.max(dataEnd, low), heapBase)
  meter.stackPointer.value = heapBase
  meter.stackLow.value = heapBase
}
