import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { rpcMethods } from './methods/index.ts'

const documentation = readFileSync(new URL('../../../../docs/json-rpc.md', import.meta.url), 'utf8')

it('docs/json-rpc.md has a row for each method, and no other', () => {
  const table = documentation.slice(documentation.indexOf('\n## Methods'), documentation.indexOf('\nNot served'))
  const names = table
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .flatMap((line) => [...line.split('|')[1]!.matchAll(/`(\w+)`/g)].map(([, name]) => name!))
  expect(names.toSorted()).toEqual(Object.keys(rpcMethods).toSorted())
})
