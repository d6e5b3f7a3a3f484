import { Ajv, type ValidateFunction } from 'ajv'
import type { Schema } from '../src/rpc/forms/index.ts'
import type { MethodDescription } from '../src/rpc/method.ts'

/** The parts of an OpenRPC document that tests read. */
export interface OpenRpcDocument {
  readonly openrpc: string
  readonly methods: readonly {
    readonly name: string
    readonly summary: string
    readonly params: readonly { readonly name: string; readonly required: boolean; readonly schema: Schema }[]
    readonly result: { readonly schema: Schema }
  }[]
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> }
}

/** A table of methods of any backend. */
export type AnyMethods = Readonly<
  Record<string, { run(backend: never, params: unknown, call: never): unknown; readonly description?: MethodDescription }>
>

/** The answer of `rpc.discover` in a table of methods. */
export async function documentOf(methods: AnyMethods): Promise<OpenRpcDocument> {
  const backend = { clientVersion: 'quoin/test' }
  const answer = await methods['rpc.discover']!.run(backend as never, [], { isSliceOver: () => false } as never)
  return JSON.parse((answer as { readonly pieces: readonly string[] }).pieces.join('')) as OpenRpcDocument
}

/** Compiles the schemas of a document by their paths, such as `methods/3/result/schema`. Throws if a reference leads nowhere. */
export function compiler(document: OpenRpcDocument): (path: string) => ValidateFunction {
  const ajv = new Ajv({ strict: false, allErrors: true, validateSchema: false })
  ajv.addSchema(document, 'document')
  return (path) => {
    const validate = ajv.getSchema(`document#/${path}`)
    if (validate === undefined) throw new Error(`the document has no schema at ${path}`)
    return validate
  }
}
