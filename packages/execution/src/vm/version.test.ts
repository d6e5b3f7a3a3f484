import { expect, it } from 'vitest'
import type { HostTable } from './host-function.ts'
import { EXPORTS_AS_ENTRIES } from './prelude.ts'
import { describeInterpreter } from './version.ts'

const host: HostTable = [
  { name: 'get', gas: 100, parameters: ['string'] },
  { name: 'put', gas: 200, parameters: ['string', 'bigint'] },
]

it('distinguishes interpreters that execute differently', () => {
  const variants = [
    describeInterpreter(host),
    describeInterpreter(host.toReversed()),
    describeInterpreter([{ ...host[0]!, gas: 101 }, host[1]!]),
    describeInterpreter([{ ...host[0]!, parameters: ['bytes'] }, host[1]!]),
    describeInterpreter(host.slice(1)),
    describeInterpreter([{ ...host[0]!, rest: 'value' }, host[1]!]),
    describeInterpreter([{ ...host[0]!, parameters: ['string', 'value'] }, host[1]!]),
    describeInterpreter(host, `${EXPORTS_AS_ENTRIES} `),
  ].map((lines) => lines.join('\n'))
  expect(new Set(variants).size).toBe(variants.length)
})

it('one line a fact', () => {
  const lines = describeInterpreter(host)
  expect(lines.filter((line) => line.includes('\n'))).toEqual([])
  expect(describeInterpreter([{ name: 'emit', gas: 1, parameters: ['string'], rest: 'value' }]).at(-1)).toBe(
    'interpreter.host.0 emit(string,...value) 1',
  )
  expect(lines.slice(-2)).toEqual(['interpreter.host.0 get(string) 100', 'interpreter.host.1 put(string,bigint) 200'])
})
