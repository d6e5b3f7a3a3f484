import { describe, expect, it } from 'vitest'
import { TestContracts } from '../../../../execution/test/contracts.ts'
import { collectionsContract, deployPair, runProgram } from '../../../test/kit/collections.ts'
import type { FieldName } from '../../../test/kit/fields.ts'
import type { Step, Wire } from '../../../test/kit/wire.ts'

/** Texts whose plain concatenations collide: the key encoding must separate them. */
const TEXTS = [
  ...[
    '',
    'a',
    ':',
    'a:',
    ':a',
    'a:a',
    'a:a:a',
    '#',
    '#0',
    'a#0',
    'a#1',
    '0',
    '0.',
    '1.a',
    '1.a:',
    ':1.a',
    '1.a:1.a',
    '\u0000',
    'é',
    'e\u0301',
    'Ã©',
  ],
  ...['x'.repeat(40), 'x'.repeat(41), '漢'.repeat(40), `${'x'.repeat(40)}:a`, `${'x'.repeat(36)}:1.a`],
]
const BYTES = TEXTS.map((text) => Uint8Array.from(Buffer.from(text)))

const step = (field: FieldName, keys: readonly Wire[], verb: string, ...args: readonly Wire[]): Step => ({
  kind: 'do',
  field,
  keys,
  verb,
  args,
})

/** Writes all values, then reads all. Two values with the same key would both read as the last written one. */
async function expectApart(
  fields: readonly FieldName[],
  writes: readonly Step[],
  reads: readonly Step[],
  expected: readonly Wire[],
) {
  const contracts = new TestContracts()
  const [contract] = deployPair(await collectionsContract(fields), contracts)
  runProgram(contracts, contract, writes, false)
  expect(runProgram(contracts, contract, reads, false)).toEqual(expected)
}

const pairsOf = <T>(values: readonly T[]) => values.flatMap((a) => values.map((b) => [a, b] as const))

describe('no two keys collide', () => {
  it('of texts in mappings of mappings', async () => {
    const pairs = pairsOf(TEXTS)
    const writes = pairs.map(([a, b], i) => step('textByTextByText', [a], 'set', b, BigInt(i + 1)))
    const reads = pairs.map(([a, b]) => step('textByTextByText', [a], 'get', b))
    await expectApart(
      ['textByTextByText'],
      writes,
      reads,
      pairs.map((_, i) => BigInt(i + 1)),
    )
  })

  it('of bytes in mappings of mappings', async () => {
    const pairs = pairsOf(BYTES.filter((bytes, i) => i % 2 === 0 || bytes.length < 3)).slice(0, 255)
    const writes = pairs.map(([a, b], i) => step('bytesByBytes', [a], 'set', b, BigInt(i + 1)))
    const reads = pairs.map(([a, b]) => step('bytesByBytes', [a], 'get', b))
    await expectApart(
      ['bytesByBytes'],
      writes,
      reads,
      pairs.map((_, i) => BigInt(i + 1)),
    )
  })

  it('of lists and sets in mappings, including their lengths and positions', async () => {
    const some = TEXTS.filter((text) => text.length < 8)
    const writes = some.flatMap((text) => [
      ...['one', 'two'].map((item) => step('listsByText', [text], 'push', item + text)),
      ...some.slice(0, 6).map((item) => step('setsByText', [text], 'add', Uint8Array.from(Buffer.from(item)))),
    ])
    const reads = some.flatMap((text) => [step('listsByText', [text], '*'), step('setsByText', [text], '*')])
    const expected = some.flatMap((text) => [
      ['one', 'two'].map((item) => item + text),
      some.slice(0, 6).map((item) => Uint8Array.from(Buffer.from(item))),
    ])
    await expectApart(['listsByText', 'setsByText'], writes, reads, expected)
  })

  it('of tables in mappings, with the nodes of their trees', async () => {
    const keys = [-11n, -1n, 0n, 1n, 11n]
    const some = TEXTS.filter((text) => text.length < 8)
    const writes = some.flatMap((text, i) => keys.map((key) => step('tablesByText', [text], 'put', key, { n: BigInt(i) })))
    const reads = some.map((text) => step('tablesByText', [text], 'range'))
    const expected = some.map((_, i) => keys.map((key) => [key, { n: BigInt(i) }]))
    await expectApart(['tablesByText'], writes, reads, expected)
  })
})
