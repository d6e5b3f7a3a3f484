import type { AbiValue } from '@quoin/execution/contract'
import { bytesToHex, type Hash } from '@quoin/protocol'
import type { Named } from './chain-contract.ts'
import { expiryText, idText, type RoleNames, rolesText } from './words.ts'

/** Values of the chain contract for people and for `--json`. */

export type Shown = string | number | boolean | readonly Shown[]

/** A value by the meaning of its parameter. Integers beyond JSON's become text. */
export function shownValue(parameter: string, value: AbiValue, roles: RoleNames): Shown {
  if (value instanceof Uint8Array) {
    const hex = bytesToHex(value)
    return value.length === 32 ? idText(hex as string as Hash) : hex
  }
  if (Array.isArray(value)) return (value as readonly AbiValue[]).map((item) => shownValue(parameter, item, roles))
  if (typeof value === 'bigint') {
    if (parameter === 'roles' || parameter === 'grantable' || parameter === 'lacking') return rolesText(Number(value), roles)
    if (parameter === 'expiry') return expiryText(Number(value))
    return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value.toString()
  }
  if (typeof value === 'boolean') return value
  if (typeof value !== 'string') throw new Error(`${parameter} is a struct, which the chain contract has none of`)
  const text = value
  return /^0x[0-9a-fA-F]{40}$/.test(text) ? text.toLowerCase() : text
}

export const shownValues = (values: Named, roles: RoleNames): Readonly<Record<string, Shown>> =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, shownValue(name, value, roles)]))

const QUOTED = /[\s"]|^$/
const word = (value: Shown): string => {
  if (Array.isArray(value)) return value.length === 0 ? '-' : (value as readonly Shown[]).map(word).join(' ')
  const text = String(value as string | number | boolean)
  return QUOTED.test(text) ? JSON.stringify(text) : text
}

/** One line: names and values. */
export const lineOf = (values: Readonly<Record<string, Shown>>): string =>
  Object.entries(values)
    .map(([name, value]) => `${name} ${word(value)}`)
    .join(', ')

/** One line for each value. */
export function listOf(values: Readonly<Record<string, Shown>>): string {
  const width = Math.max(...Object.keys(values).map(({ length }) => length))
  return Object.entries(values)
    .map(([name, value]) => `${name.padEnd(width)}  ${word(value)}`)
    .join('\n')
}

/** Rows with a heading, in columns. */
export function tableOf(columns: readonly string[], rows: readonly (readonly Shown[])[]): string {
  const lines = [columns, ...rows.map((row) => row.map(word))]
  const widths = columns.map((_, i) => Math.max(...lines.map((line) => line[i]!.length)))
  return lines
    .map((line) =>
      line
        .map((cell, i) => cell.padEnd(widths[i]!))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}
