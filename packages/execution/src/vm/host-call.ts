import type { Roots } from './boot.ts'
import { fits, type HostFunction, type HostKind, HostRefusal, HostStop, type HostTable, mismatch } from './host-function.ts'
import type { HostListener, Instance } from './instance.ts'
import { VM_LIMITS } from './limits.ts'
import { trap } from './memory.ts'
import { Unwind } from './outcome.ts'
import { readScalar, readValue, Unreadable } from './read-value.ts'
import type { HostContext, HostHandler, HostHandlers } from './request.ts'
import { Toll } from './toll.ts'
import type { GuestValue } from './value.ts'
import { VM_GAS } from './vm-gas.ts'
import { isException, writeValue } from './write-value.ts'

const VALUE_BYTES = 8

/**
 * Serves the guest during one interpreter call. A host function call is served in four steps: charge the price, read the
 * arguments by the table's types, run the handler, write the result.
 *
 * @throws Unwind when gas or memory runs out, or the handler stops the call
 */
export function hostListener(
  instance: Instance,
  roots: Roots,
  table: HostTable,
  handlers: HostHandlers,
  context: HostContext,
): HostListener {
  const byId = handlersById(table, handlers)
  const onHostCall = (id: number, count: number, argv: number): number => {
    const entry = table[id]
    // The id, like everything else here, comes from guest memory.
    if (entry === undefined) return trap()
    instance.hold()
    const toll = new Toll(instance)
    toll.add(VM_GAS.hostCall + entry.gas)
    const handler = byId[id]
    const values =
      handler === undefined
        ? new HostRefusal(`${entry.name} cannot be called here`)
        : readArguments(instance, entry, count, argv, toll)
    toll.collect()
    if (handler === undefined || values instanceof HostRefusal) return refuse(instance, roots, values as HostRefusal)
    const answer = handler(context, ...(values as never[]))
    if (answer instanceof HostRefusal) return refuse(instance, roots, answer)
    if (answer instanceof HostStop) throw new Unwind({ kind: 'stop', reason: answer.reason })
    const pointer = answer === undefined ? 0 : given(instance, answer)
    instance.giveBack()
    return pointer
  }
  const onImport = (name: number): void => {
    instance.hold()
    instance.charge(VM_GAS.hostCall)
    refuse(instance, roots, new HostRefusal(`could not load module '${nameAt(instance, name)}'`, { name: 'ReferenceError' }))
  }
  return { onHostCall, onImport }
}

/** Maximum length of a module name in an error message. */
const MODULE_NAME_MAX = 100

/** The first characters of a zero-terminated string. */
function nameAt({ memory }: Instance, at: number): string {
  let length = 0
  while (length < MODULE_NAME_MAX && memory.byte(at + length) !== 0) length++
  return memory.latin1(at, length)
}

/** Handlers by function id. Cached per handlers object, because all calls use the same few. */
function handlersById(table: HostTable, handlers: HostHandlers): readonly (HostHandler | undefined)[] {
  const known = resolved.get(handlers)
  if (known?.table === table) return known.byId
  const byId = table.map(({ name }) => (Object.hasOwn(handlers, name) ? handlers[name] : undefined))
  resolved.set(handlers, { table, byId })
  return byId
}

const resolved = new WeakMap<HostHandlers, { readonly table: HostTable; readonly byId: readonly (HostHandler | undefined)[] }>()

/** The arguments of a call, or why the function does not accept them. */
function readArguments(
  instance: Instance,
  { name, parameters, rest }: HostFunction,
  count: number,
  argv: number,
  toll: Toll,
): GuestValue[] | HostRefusal {
  if (rest !== undefined && count > VM_LIMITS.argumentsMax)
    return new HostRefusal(`${name}: too many arguments, at most ${VM_LIMITS.argumentsMax} are allowed`, { name: 'TypeError' })
  const wanted = rest === undefined ? parameters.length : Math.max(parameters.length, count)
  const values: GuestValue[] = []
  for (let i = 0; i < wanted; i++) {
    const kind = parameters[i] ?? (rest as HostKind)
    const value = i < count ? (kind === 'value' ? readValue : readScalar)(instance, argv + VALUE_BYTES * i, toll) : undefined
    if (value instanceof Unreadable) return new HostRefusal(mismatch(name, i, kind, value), { name: 'TypeError' })
    if (!fits(value, kind)) return new HostRefusal(mismatch(name, i, kind), { name: 'TypeError' })
    values.push(value)
  }
  return values
}

/** Writes a handler's value into the guest. Returns a JSValue*, or an exception mark. */
function given(instance: Instance, value: GuestValue): number {
  const toll = new Toll(instance)
  const pointer = writeValue(instance, value, toll)
  toll.collect()
  if (pointer === 0) throw OUT_OF_MEMORY()
  return pointer
}

/** Throws an Error in the guest, at the position of the guest's call. Returns the JSValue* for the interpreter. */
function refuse(instance: Instance, roots: Roots, { message, name, data }: HostRefusal): number {
  const { quickjs, context, memory } = instance
  instance.giveBack()
  const error = quickjs.newError(context)
  if (error === 0) throw OUT_OF_MEMORY()
  if (isException(instance, error)) return error
  const parts = [error, given(instance, message), given(instance, name), given(instance, data)]
  const failed = parts.find((part) => isException(instance, part))
  if (failed !== undefined) return failed
  memory.setWords(roots.argv, parts)
  const dressed = quickjs.call(context, roots.dress, roots.undefined, parts.length, roots.argv)
  if (dressed === 0) throw OUT_OF_MEMORY()
  if (isException(instance, dressed)) return dressed
  const thrown = quickjs.throw(context, error)
  for (const part of parts) quickjs.freeValue(context, part)
  return thrown
}

/** The guest has no memory even for an exception, so the call ends. */
const OUT_OF_MEMORY = () => new Unwind({ kind: 'throw', error: { name: 'InternalError', message: 'out of memory', stack: '' } })
