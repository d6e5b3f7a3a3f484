import { readFileSync } from 'node:fs'
import { Ajv } from 'ajv'
import { expect, it } from 'vitest'
import { compiler, documentOf } from '../../test/openrpc.ts'
import * as forms from './forms/index.ts'
import { method } from './method.ts'
import { rpcMethods } from './methods/index.ts'
import { hash } from './schema.ts'

const vector = (name: string) =>
  JSON.parse(readFileSync(new URL(`../../test/vectors/openrpc/${name}.json`, import.meta.url), 'utf8')) as forms.Schema

it('rpc.discover answers an OpenRPC document', async () => {
  const ajv = new Ajv({ strict: false, allErrors: true, validateFormats: false, validateSchema: false })
  // OpenRPC's refers to it with a slash at the end and without.
  ajv.addSchema(vector('json-schema'))
  ajv.addSchema({ $ref: 'https://meta.json-schema.tools/' }, 'https://meta.json-schema.tools')
  const metaSchema = vector('openrpc')
  const properties = { ...(metaSchema['properties'] as forms.Schema), openrpc: { type: 'string', pattern: '^1\\.3\\.' } }
  const validate = ajv.compile({ ...metaSchema, properties })
  const document = await documentOf(rpcMethods)
  validate(document)
  expect(validate.errors ?? []).toEqual([])
  expect(validate({ ...document, methods: [{ name: 'eth_chainId' }] })).toBe(false)
})

it('it has every method that a node serves, with a sentence, and other names for each parameter', async () => {
  const { methods } = await documentOf(rpcMethods)
  // Always refused.
  const served = Object.keys(rpcMethods).filter((name) => name !== 'eth_getProof')
  expect(methods.map(({ name }) => name)).toEqual(served)
  for (const { name, summary, params } of methods) {
    expect(summary, name).toMatch(/^[A-Zk].{10,100}\.$/)
    const names = params.map((param) => param.name)
    expect(new Set(names).size, name).toBe(names.length)
    // Required ones come first.
    expect(
      params.map(({ required }) => required),
      name,
    ).toEqual(
      params
        .map(({ required }) => required)
        .toSorted()
        .toReversed(),
    )
  }
})

it('a method without a name for each parameter does not compile', () => {
  const signature = { summary: 'Nothing.', result: forms.nothing }
  method({ ...signature, params: ['hash'] }, [hash], () => null)
  // @ts-expect-error: the parameter has no name
  method({ ...signature, params: [] }, [hash], () => null)
  // @ts-expect-error: one name too many
  method({ ...signature, params: ['hash', 'index'] }, [hash], () => null)
  // @ts-expect-error: a reader without a form
  method({ ...signature, params: ['hash'] }, [{ read: () => 1 }], () => null)
})

it('every component is used, and every reference leads to one', async () => {
  const document = await documentOf(rpcMethods)
  const compile = compiler(document)
  for (const [i, { params }] of document.methods.entries())
    for (const part of [...params.keys()].map((n) => `params/${n}`).concat('result')) compile(`methods/${i}/${part}/schema`)
  const used = new Set([...JSON.stringify(document).matchAll(/#\/components\/schemas\/(\w+)/g)].map(([, name]) => name))
  expect([...used].sort()).toEqual(Object.keys(document.components.schemas).sort())
})

it('a document is made once, and the same for everybody', async () => {
  const { run } = rpcMethods['rpc.discover']!
  const call = { isSliceOver: () => false }
  const pieces = async (clientVersion: string) =>
    ((await run({ clientVersion } as never, [], call as never)) as { readonly pieces: readonly string[] }).pieces
  const [first, second] = [await pieces('a'), await pieces('b')]
  expect(second.slice(1)).toEqual(first.slice(1))
  expect([first[0], second[0]]).toEqual(
    ['a', 'b'].map((version) => `{"openrpc":"1.3.2","info":{"title":"Quoin JSON-RPC","version":"${version}"}`),
  )
})
