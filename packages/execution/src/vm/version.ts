import { ENGINE_BINARY } from './binary.ts'
import { VM_GAS } from './gas.ts'
import type { HostFunction, HostTable } from './host.ts'
import { VM_LIMITS } from './limits.ts'
import { EXPORTS_AS_ENTRIES, PRELUDE } from './prelude.ts'

/**
 * Counts the changes of the engine that nothing below shows, such as the order in which a host call is charged and checked. Raise it with
 * each.
 */
const ENGINE_REVISION = 3

/**
 * What decides how an engine executes, one `name value` a line, for the execution version: the metered binary (and with it the meter and its
 * weights), prices, limits, the JavaScript that runs in every guest, and the host functions in their order.
 */
export function describeEngine(host: HostTable, link: string = EXPORTS_AS_ENTRIES): readonly string[] {
  const tables: readonly (readonly [string, Readonly<Record<string, number>>])[] = [
    ['gas', VM_GAS],
    ['limit', VM_LIMITS],
  ]
  return [
    `engine.revision ${ENGINE_REVISION}`,
    `engine.binary ${ENGINE_BINARY.meteredSha256}`,
    `engine.prelude ${JSON.stringify(PRELUDE)}`,
    `engine.link ${JSON.stringify(link)}`,
    ...tables.flatMap(([table, entries]) => Object.entries(entries).map(([name, value]) => `engine.${table}.${name} ${value}`)),
    ...host.map((entry, id) => `engine.host.${id} ${signatureOf(entry)} ${entry.gas}`),
  ]
}

const signatureOf = ({ name, parameters, rest }: HostFunction): string =>
  `${name}(${[...parameters, ...(rest === undefined ? [] : [`...${rest}`])].join(',')})`
