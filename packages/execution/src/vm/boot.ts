import { utf8ToBytes } from '@quoin/protocol'
import type { HostTable } from './host-function.ts'
import { type Image, takeImage } from './image.ts'
import type { Instance } from './instance.ts'
import { VM_LIMITS } from './limits.ts'
import { INTRINSICS, LAYOUT } from './quickjs.ts'
import { readScalar } from './read-value.ts'
import { Toll } from './toll.ts'
import { writeValue } from './write-value.ts'

/** JSValue* of values that have the same address in every image of an interpreter. */
export interface Roots {
  readonly undefined: number
  /** (thrown value) → [text, data], see the prelude */
  readonly describe: number
  /** (error, message, name, data): gives a new error what a refusal says */
  readonly dress: number
  /** (module namespace) → [name, function, …] */
  readonly link: number
  /** Address of an array for `argumentsMax` pointers to arguments. */
  readonly argv: number
}

/** The state from which every contract's image is made. */
export interface Base {
  readonly image: Image
  readonly roots: Roots
}

const MAILBOX_BYTES = 1024

/**
 * Brings an initialised instance to the state in which contracts are evaluated: runtime, context, host functions, prelude, link.
 *
 * @throws Error when one of these scripts throws; they are part of this package
 */
export function boot(instance: Instance, table: HostTable, prelude: string, linkSource: string): Base {
  const { quickjs } = instance
  instance.runtime = quickjs.newRuntime()
  quickjs.enableModuleLoader(instance.runtime, 1)
  instance.context = quickjs.newContext(instance.runtime, INTRINSICS)
  quickjs.setMaxStackSize(instance.runtime, VM_LIMITS.guestStackBytesMax)
  const at = quickjs.malloc(MAILBOX_BYTES)
  instance.mailbox = { at, length: MAILBOX_BYTES, buffer: quickjs.newArrayBuffer(instance.context, at, MAILBOX_BYTES) }
  const argv = quickjs.malloc(4 * VM_LIMITS.argumentsMax)
  const undefinedValue = quickjs.getUndefined()
  const host = hostObject(instance, table)
  const apply = (source: string, values: readonly number[]): number => {
    const made = checked(instance, evaluate(instance, source, '<prelude>', 0))
    instance.memory.setWords(argv, values)
    return checked(instance, quickjs.call(instance.context, made, undefinedValue, values.length, argv))
  }
  const tools = apply(prelude, [host, writeValue(instance, VM_LIMITS.errorTextMax, new Toll(instance))])
  const describe = quickjs.getIndex(instance.context, tools, 0)
  const dress = quickjs.getIndex(instance.context, tools, 1)
  const link = apply(linkSource, [host])
  const roots = { undefined: undefinedValue, describe, dress, link, argv }
  return { image: takeImage(instance), roots }
}

function hostObject(instance: Instance, table: HostTable): number {
  const { quickjs, context } = instance
  const host = quickjs.newObject(context)
  table.forEach(({ name, parameters }, id) => {
    const made = withText(instance, name, (at) => quickjs.newFunction(context, at, parameters.length, 0, id))
    quickjs.setProperty(context, host, writeValue(instance, name, new Toll(instance)), made)
  })
  return host
}

/** Evaluates a script (flags 0) or a module. Returns a JSValue*, which may be an exception mark. */
export function evaluate(instance: Instance, source: string, file: string, flags: number): number {
  const { quickjs, context } = instance
  return withText(instance, `${file}\0${source}`, (at, length) => {
    const start = file.length + 1
    return quickjs.evaluate(context, at + start, length - start, at, 0, flags)
  })
}

/**
 * Lends a zero-terminated UTF-8 text to the guest. It is written at the far end of the stack, where no frame reaches, so that the
 * heap keeps no trace of it. It is always removed afterwards, so the watch on memory writes need not know of it.
 */
function withText<T>(instance: Instance, text: string, use: (at: number, length: number) => T): T {
  const bytes = utf8ToBytes(text)
  const at = LAYOUT.dataEnd
  instance.bytes.set(bytes, at)
  try {
    return use(at, bytes.length)
  } finally {
    instance.bytes.fill(0, at, at + bytes.length)
  }
}

function checked(instance: Instance, pointer: number): number {
  const { quickjs, context } = instance
  const exception = quickjs.resolveException(context, pointer)
  if (exception === 0) return pointer
  const message = quickjs.getProperty(context, exception, writeValue(instance, 'message', new Toll(instance)))
  const text = readScalar(instance, message, new Toll(instance))
  throw new Error(`the prelude threw: ${typeof text === 'string' ? text : 'a value without a message'}`)
}
