import { LIMITS } from '@quoin/protocol'
import type { Roots } from './boot.ts'
import type { Instance } from './instance.ts'
import { VM_LIMITS } from './limits.ts'
import type { GuestError } from './outcome.ts'
import { PROMISE } from './quickjs.ts'
import { readScalar } from './read-value.ts'
import { Toll } from './toll.ts'
import { isException } from './write-value.ts'

/** Result of a guest function: the JSValue* that it returned, or what it threw. */
export type GuestResult = { readonly ok: true; readonly pointer: number } | { readonly ok: false; readonly error: GuestError }

const failed = (name: string, message: string): GuestResult => ({ ok: false, error: { name, message, stack: '' } })
const OUT_OF_MEMORY = failed('InternalError', 'out of memory')

/**
 * Resolves a JSValue* that the interpreter returned: an exception mark becomes the exception, a promise its result after all jobs
 * have run, anything else is returned unchanged. Runs guest code, paid for with the guest's gas.
 */
export function settle(instance: Instance, roots: Roots, pointer: number): GuestResult {
  const { quickjs, runtime, context } = instance
  // Out of memory: there was no room for the mark, the exception or the result.
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
 * Lets the prelude describe a thrown value as text and data. This runs the value's getters. The result is read only after guest
 * code has stopped running.
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

/** Format: `name.length,message.length,` and then name, message and stack. */
function parseDescription(text: string): GuestError {
  const [nameLength, messageLength] = text.split(',', 2).map(Number)
  if (nameLength === undefined || messageLength === undefined)
    return { name: 'InternalError', message: 'the thrown value could not be converted to text', stack: '' }
  const from = `${nameLength},${messageLength},`.length
  // The prelude cuts the texts already, but this text came from the guest and cannot be trusted.
  const part = (start: number, end?: number): string => text.slice(start, end).slice(0, VM_LIMITS.errorTextMax)
  return {
    name: part(from, from + nameLength),
    message: part(from + nameLength, from + nameLength + messageLength),
    stack: part(from + nameLength + messageLength),
  }
}
