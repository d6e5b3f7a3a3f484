import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { rpcMethods } from '../packages/node/src/rpc/methods/index.ts'
import { documentOf } from '../packages/node/test/openrpc.ts'
import { withMethods } from '../scripts/lib/json-rpc-page.mjs'

const read = (name: string) => readFileSync(new URL(`../docs/${name}`, import.meta.url), 'utf8')

const page = read('json-rpc.md')
const rows = JSON.parse(read('json-rpc-methods.json')) as { methods: string[]; differences: string }[]

it('docs/json-rpc.md has the table of methods that `npm run docs` writes', async () => {
  expect(withMethods(page, await documentOf(rpcMethods), rows)).toBe(page)
})

it('each method has one row, and no other has one', async () => {
  const document = await documentOf(rpcMethods)
  expect(rows.flatMap(({ methods }) => methods).sort()).toEqual(Object.keys(rpcMethods).sort())
  expect(() => withMethods(page, document, rows.slice(1))).toThrow('docs/json-rpc-methods.json has no row for eth_chainId')
  expect(() => withMethods(page, document, [...rows, rows[0]!])).toThrow('two rows for eth_chainId')
  expect(() => withMethods('', document, rows)).toThrow('docs/json-rpc.md has no place')
})
