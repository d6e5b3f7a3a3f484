import { INTERPRETER_BINARY } from './binary.ts'
import type { HostFunction, HostTable } from './host-function.ts'
import { VM_LIMITS } from './limits.ts'
import { EXPORTS_AS_ENTRIES, PRELUDE } from './prelude.ts'
import { VM_GAS } from './vm-gas.ts'

/**
 * Revision of interpreter behaviour that does not show in the lines below, such as the order in which a host call is charged and
 * checked. Raise it with each such change.
 */
const ENGINE_REVISION = 3

/**
 * Everything that decides how an interpreter executes, one `name value` per line, for the execution version: the metered binary
 * (with the meter and its weights), prices, limits, the JavaScript that runs in every guest, and the host functions in order.
 */
export function describeInterpreter(host: HostTable, link: string = EXPORTS_AS_ENTRIES): readonly string[] {
  const tables: readonly (readonly [string, Readonly<Record<string, number>>])[] = [
    ['gas', VM_GAS],
    ['limit', VM_LIMITS],
  ]
  return [
    `interpreter.revision ${ENGINE_REVISION}`,
    `interpreter.binary ${INTERPRETER_BINARY.meteredSha256}`,
    `interpreter.prelude ${JSON.stringify(PRELUDE)}`,
    `interpreter.link ${JSON.stringify(link)}`,
    ...tables.flatMap(([table, entries]) =>
      Object.entries(entries).map(([name, value]) => `interpreter.${table}.${name} ${value}`),
    ),
    ...host.map((entry, id) => `interpreter.host.${id} ${signatureOf(entry)} ${entry.gas}`),
  ]
}

const signatureOf = ({ name, parameters, rest }: HostFunction): string =>
  `${name}(${[...parameters, ...(rest === undefined ? [] : [`...${rest}`])].join(',')})`
