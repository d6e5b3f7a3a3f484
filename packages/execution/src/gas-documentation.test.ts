import { readFileSync } from 'node:fs'
import { DEFAULT_PARAMETERS } from '@quoin/protocol'
import { describe, expect, it } from 'vitest'
import { GAS } from './block/intrinsic-gas.ts'
import { CONTRACT_GAS } from './contract/contract-gas.ts'
import { LIBRARY_GAS } from './contract/library/library-gas.ts'
import { MESSAGE_GAS } from './contract/message-gas.ts'
import { MESSAGE_LIMITS } from './contract/message-limits.ts'
import { TICKS_PER_GAS } from './ticks.ts'
import { INSTRUCTION_GAS } from './vm/meter/weights.ts'
import { VM_GAS } from './vm/vm-gas.ts'

interface Table {
  readonly [name: string]: number | Table
}

const documentation = readFileSync(new URL('../../../docs/gas.md', import.meta.url), 'utf8')
const sections = documentation.split(/^## /m)

/** Gas amounts in a section's table, by name. */
function documented(mark: string): Readonly<Record<string, number>> {
  const section = sections.find((text) => text.includes(mark)) ?? ''
  const rows = section.matchAll(/^\| `([A-Za-z0-9.]+)` \| ([0-9,]+(?:\.[0-9])?) \|/gm)
  return Object.fromEntries([...rows].map(([, name, number]) => [name, Number(number!.replaceAll(',', ''))]))
}

const pricesOf = (table: Table, path = ''): readonly (readonly [string, number])[] =>
  Object.entries(table).flatMap(([name, value]) =>
    typeof value === 'number' ? [[path + name, value] as const] : pricesOf(value, `${path}${name}.`),
  )

/** An exponent among the prices is not an amount. */
const INSTRUCTION_PRICES = { ...INSTRUCTION_GAS, bulkBytesShift: TICKS_PER_GAS * INSTRUCTION_GAS.bulkBytesShift }

describe('docs/gas.md', () => {
  it.each([
    ['block/intrinsic-gas.ts', GAS, 1],
    ['contract/message-gas.ts', MESSAGE_GAS, TICKS_PER_GAS],
    ['vm/meter/weights.ts', INSTRUCTION_PRICES, TICKS_PER_GAS],
    ['vm/vm-gas.ts', VM_GAS, TICKS_PER_GAS],
    ['contract/contract-gas.ts', CONTRACT_GAS, TICKS_PER_GAS],
    ['contract/library/library-gas.ts', LIBRARY_GAS, TICKS_PER_GAS],
  ])('has every price of %s and no other, in gas', (file, table, unitsPerGas) => {
    const prices = pricesOf(table).map(([name, units]) => [name, units / unitsPerGas])
    expect(documented(`\`packages/execution/src/${file}\``)).toEqual(Object.fromEntries(prices))
  })

  it('has the limits and the times that they amount to', () => {
    const { blockGasMax, transactionGasMax } = DEFAULT_PARAMETERS
    const { evaluationGasMax, gasKept, loadedBytesMax } = MESSAGE_LIMITS
    expect(documented('Limits\n')).toEqual({ blockGasMax, transactionGasMax, evaluationGasMax, gasKept })
    expect(documentation).toContain(`up to ${loadedBytesMax / 2 ** 20} MiB of images (\`loadedBytesMax\``)
    // 300 gas per microsecond.
    expect(documentation).toContain(`A full block of the default size takes ${blockGasMax / 300 / 1000} ms.`)
  })
})
