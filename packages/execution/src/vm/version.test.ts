import { expect, it } from 'vitest'
import type { HostTable } from './host.ts'
import { EXPORTS_AS_ENTRIES } from './prelude.ts'
import { describeEngine } from './version.ts'

const host: HostTable = [
  { name: 'get', gas: 100, parameters: ['string'] },
  { name: 'put', gas: 200, parameters: ['string', 'bigint'] },
]

it('tells apart what executes differently', () => {
  const variants = [
    describeEngine(host),
    describeEngine(host.toReversed()),
    describeEngine([{ ...host[0]!, gas: 101 }, host[1]!]),
    describeEngine([{ ...host[0]!, parameters: ['bytes'] }, host[1]!]),
    describeEngine(host.slice(1)),
    describeEngine([{ ...host[0]!, rest: 'value' }, host[1]!]),
    describeEngine([{ ...host[0]!, parameters: ['string', 'value'] }, host[1]!]),
    describeEngine(host, `${EXPORTS_AS_ENTRIES} `),
  ].map((lines) => lines.join('\n'))
  expect(new Set(variants).size).toBe(variants.length)
})

it('one line a fact', () => {
  const lines = describeEngine(host)
  expect(lines.filter((line) => line.includes('\n'))).toEqual([])
  expect(describeEngine([{ name: 'emit', gas: 1, parameters: ['string'], rest: 'value' }]).at(-1)).toBe(
    'engine.host.0 emit(string,...value) 1',
  )
  expect(lines.slice(-2)).toEqual(['engine.host.0 get(string) 100', 'engine.host.1 put(string,bigint) 200'])
})
