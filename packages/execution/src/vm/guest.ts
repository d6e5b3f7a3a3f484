import { LIMITS } from '@quoin/protocol'
import type { Roots } from './boot.ts'
import type { Instance } from './instance.ts'
import { VM_LIMITS } from './limits.ts'
import type { GuestError } from './outcome.ts'
import { PROMISE } from './quickjs.ts'
import { readScalar } from './read-value.ts'
import { Toll } from './toll.ts'
import { isException } from './write-value.ts'

/** A guest function's end: the JSValue* that it returned, or what it threw. */
export type GuestResult = { readonly ok: true; readonly pointer: number } | { readonly ok: false; readonly error: GuestError }

const failed = (name: string, message: string): GuestResult => ({ ok: false, error: { name, message, stack: '' } })
const OUT_OF_MEMORY = failed('InternalError', 'out of memory')

/**
 * What became of a JSValue* that the interpreter answered with: the exception behind an exception mark, else the value; of a promise what it
 * came to after all jobs ran. Runs guest code, under its gas.
 */
export function settle(instance: Instance, roots: Roots, pointer: number): GuestResult {
  const { quickjs, runtime, context } = instance
  // Without memory there is not even a place for the mark, the exception or the result.
  if (pointer === 0) return OUT_OF_MEMORY
  if (isException(instance, pointer)) return rejected(instance, roots, quickjs.resolveException(context, pointer))
  while (quickjs.isJobPending(runtime) !== 0) quickjs.executePendingJob(runtime, -1, roots.argv)
  const state = quickjs.promiseState(context, pointer)
  if (state === PROMISE.pending) return failed('Error', 'the promise never settles: nothing is left to run that could settle it')
  if (state !== PROMISE.fulfilled && state !== PROMISE.rejected) return { ok: true, pointer }
  const result = quickjs.promiseResult(context, pointer)
  if (result === 0) return OUT_OF_MEMORY
  return state === PROMISE.fulfilled ? { ok: true, pointer: result } : rejected(instance, roots, result)
}

const rejected = (instance: Instance, roots: Roots, error: number): GuestResult =>
  error === 0 ? OUT_OF_MEMORY : { ok: false, error: describe(instance, roots, error) }

/**
 * Has the prelude put a thrown value into words, and show its data. That runs the value's getters; what they come to is read when no more of
 * the guest runs.
 */
function describe(instance: Instance, roots: Roots, error: number): GuestError {
  const { quickjs, context, memory } = instance
  memory.setWords(roots.argv, [error])
  const described = quickjs.call(context, roots.describe, roots.undefined, 1, roots.argv)
  if (described === 0 || isException(instance, described)) return parseDescription('')
  const text = quickjs.getIndex(context, described, 0)
  const data = quickjs.getIndex(context, described, 1)
  if (text === 0 || data === 0) return parseDescription('')
  const toll = new Toll(instance)
  const told = readScalar(instance, text, toll)
  const bytes = readScalar(instance, data, toll)
  toll.collect()
  const description = parseDescription(typeof told === 'string' ? told : '')
  return bytes instanceof Uint8Array && bytes.length <= LIMITS.errorDataBytesMax ? { ...description, data: bytes } : description
}

/** Texts behind their lengths: `name.length,message.length,` and then name, message and stack. */
function parseDescription(text: string): GuestError {
  const [nameLength, messageLength] = text.split(',', 2).map(Number)
  if (nameLength === undefined || messageLength === undefined)
    return { name: 'InternalError', message: 'the thrown value could not be converted to text', stack: '' }
  const from = `${nameLength},${messageLength},`.length
  // The prelude cuts them already; but this is the guest's word.
  const part = (start: number, end?: number): string => text.slice(start, end).slice(0, VM_LIMITS.errorTextMax)
  return {
    name: part(from, from + nameLength),
    message: part(from + nameLength, from + nameLength + messageLength),
    stack: part(from + nameLength + messageLength),
  }
}
