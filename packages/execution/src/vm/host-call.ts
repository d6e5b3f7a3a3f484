import type { Roots } from './boot.ts'
import { VM_GAS } from './gas.ts'
import {
  copiedBytes,
  fits,
  type HostContext,
  type HostHandlers,
  HostRefusal,
  HostStop,
  type HostTable,
  mismatch,
} from './host.ts'
import type { HostCallback, Instance } from './instance.ts'
import { Unwind } from './outcome.ts'
import { type GuestValue, readValue, writeValue } from './value.ts'

const VALUE_BYTES = 8

/** Takes gas from a guest, from the host's side. */
export function chargeGas(instance: Instance, gas: number): void {
  const left = instance.gasLeft - gas
  instance.gasLeft = left
  if (left < 0) throw new Unwind({ kind: 'out-of-gas' })
}

/** Answers the host calls of one call of the engine: price, arguments by the table's types, handler, result. */
export function hostCallback(
  instance: Instance,
  roots: Roots,
  table: HostTable,
  handlers: HostHandlers,
  context: HostContext,
): HostCallback {
  const refuse = (message: string): number => throwError(instance, roots, message)
  return (id, count, argv) => {
    const entry = table[id]
    if (entry === undefined) throw new Error(`no host function has number ${id}`)
    chargeGas(instance, VM_GAS.hostCall + entry.gas)
    const { name, parameters } = entry
    const handler = Object.hasOwn(handlers, name) ? handlers[name] : undefined
    if (handler === undefined) return refuse(`${name} cannot be called here`)
    const values: GuestValue[] = []
    let copied = 0
    for (const [i, kind] of parameters.entries()) {
      const value = i < count ? readValue(instance, argv + VALUE_BYTES * i) : undefined
      if (typeof value === 'symbol' || !fits(value, kind)) return refuse(mismatch(name, i, kind))
      copied += copiedBytes(value)
      values.push(value)
    }
    if (copied > 0) chargeGas(instance, copied * VM_GAS.hostByte)
    const answer = handler(context, ...(values as never[]))
    if (answer instanceof HostRefusal) return refuse(answer.message)
    if (answer instanceof HostStop) throw new Unwind({ kind: 'stop', reason: answer.reason })
    if (answer === undefined) return 0
    const bytes = copiedBytes(answer)
    if (bytes > 0) chargeGas(instance, bytes * VM_GAS.hostByte)
    return writeValue(instance, answer)
  }
}

/** Throws an Error in the guest; the JSValue* to answer with. */
function throwError(instance: Instance, roots: Roots, message: string): number {
  const { quickjs, context } = instance
  const error = quickjs.newError(context)
  const text = writeValue(instance, message)
  quickjs.setProperty(context, error, roots.messageName, text)
  const thrown = quickjs.throw(context, error)
  quickjs.freeValue(context, text)
  quickjs.freeValue(context, error)
  return thrown
}
