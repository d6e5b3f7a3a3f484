import { z } from 'zod'
import type { RpcBackend } from './backend.ts'
import { RpcError } from './errors.ts'
import * as forms from './forms/index.ts'
import { JsonText, jsonList } from './json-text.ts'
import { DEFAULT_RPC_LIMITS } from './limits.ts'
import {
  type CallContext,
  type Method,
  type MethodDescription,
  type Methods,
  method,
  type Parameter,
  readParam,
} from './method.ts'

/** Of the specification (spec.open-rpc.org). */
const OPENRPC_VERSION = '1.3.2'

const SIGNATURE = {
  summary: 'This description of all methods (OpenRPC).',
  params: [],
  result: forms.open({ openrpc: forms.string, info: forms.open({}), methods: forms.list(forms.open({ name: forms.string })) }),
} as const

/**
 * `rpc.discover` of a table of methods: an OpenRPC document. It is made when a client asks for the first time, and kept.
 *
 * @param methods - A function, because the table has this method too.
 */
export function discovery<Backend extends Pick<RpcBackend, 'clientVersion'>>(methods: () => Methods<Backend>): Method<Backend> {
  let described: JsonText | undefined
  return method(SIGNATURE, [], async ({ clientVersion }: Backend, _, call) => {
    const rest = described ?? (await describe(methods(), call))
    described = rest
    const start = JSON.stringify({ openrpc: OPENRPC_VERSION, info: { title: 'Quoin JSON-RPC', version: clientVersion } })
    return new JsonText([start.slice(0, -1), ...rest.pieces])
  })
}

/** The methods and components of the document. Yields to other work between methods and between components. */
async function describe<Backend>(
  methods: Methods<Backend>,
  call: Pick<CallContext, 'isSliceOver' | 'nextTurn'>,
): Promise<JsonText> {
  const used = new Set<string>()
  const use = (name: string): void => void used.add(name)
  const list = await jsonList(
    Object.entries(methods).filter(([, { description }]) => description !== undefined),
    ([name, { description }]) => JSON.stringify(methodObject(name, description!, use)),
    call,
  )
  const components: string[] = []
  // A component may use others, which the set then has behind it.
  for (const name of used) {
    if (call.isSliceOver()) await call.nextTurn()
    components.push(`${JSON.stringify(name)}:${JSON.stringify(forms.writtenComponent(name, use))}`)
  }
  return new JsonText([',"methods":', ...list.pieces, ',"components":{"schemas":{', components.join(','), '}}}'])
}

const methodObject = (name: string, description: MethodDescription, use: (name: string) => void) => ({
  name,
  summary: description.summary,
  paramStructure: 'by-position',
  params: description.parameters.map((parameter, i) => ({
    name: description.params[i],
    // Also if a later one is required: they are positional.
    required: description.parameters.slice(i).some(isRequired),
    schema: parameterForm(parameter, use),
  })),
  result: { name: 'result', schema: forms.written(description.result, use) },
})

function isRequired(parameter: Parameter): boolean {
  try {
    readParam(parameter, undefined, 0, DEFAULT_RPC_LIMITS)
    return false
  } catch (failure) {
    if (failure instanceof RpcError) return true
    throw failure
  }
}

function parameterForm(parameter: Parameter, use: (name: string) => void): forms.Schema {
  if ('read' in parameter) return forms.written(parameter.form, use)
  const { $schema: _, ...schema } = z.toJSONSchema(parameter, {
    io: 'input',
    override({ zodSchema, jsonSchema }) {
      const { form } = zodSchema as { readonly form?: forms.Schema }
      if (form === undefined) return
      for (const keyword of Object.keys(jsonSchema)) Reflect.deleteProperty(jsonSchema, keyword)
      Object.assign(jsonSchema, forms.written(form, use))
    },
  })
  return schema
}
