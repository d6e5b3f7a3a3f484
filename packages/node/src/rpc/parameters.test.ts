import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { compiler, documentOf, type OpenRpcDocument } from '../../test/openrpc.ts'
import { mutated, valuesOf } from '../../test/openrpc-values.ts'
import { RPC_CODE, RpcError, SIMULATION_CODE } from './errors.ts'
import { DEFAULT_RPC_LIMITS } from './limits.ts'
import { type Parameter, readParam } from './method.ts'
import { rpcMethods } from './methods/index.ts'

/** Refusals of values that fit the description, because a JSON schema cannot say more. */
const BEYOND_DESCRIPTION = [
  /data and input, and they are not equal$/,
  /time is above 9007199254739$/,
  /is empty: it must name at least one storage key$/,
]

/** Read later, when the kind of the subscription is known. */
const READ_LATER = 'eth_subscribe options'

/**
 * What readers take beyond the description: null, or false for a flag, instead of nothing, and hex in upper case. Returns the value without
 * these.
 */
function strict(value: unknown): unknown {
  if (typeof value === 'string') return /^0x/i.test(value) ? value.toLowerCase() : value
  if (Array.isArray(value)) return value.map(strict)
  if (typeof value !== 'object' || value === null) return value
  const members = Object.entries(value).filter(([, member]) => member !== null && member !== false)
  return Object.fromEntries(members.map(([name, member]) => [name, strict(member)]))
}

/** Each reader once, with the first method that has it. */
const parameters = new Map(
  Object.entries(rpcMethods)
    .flatMap(([name, { description }]) =>
      (description?.parameters ?? []).map((parameter, i) => ({ parameter, i, name, of: `${name} ${description!.params[i]}` })),
    )
    .toReversed()
    .map((one) => [one.parameter, one]),
)

/** Undefined if the value is taken, otherwise the refusal. */
function refusalOf(parameter: Parameter, value: unknown): string | undefined {
  try {
    readParam(parameter, value, 0, DEFAULT_RPC_LIMITS)
    return undefined
  } catch (failure) {
    if (!(failure instanceof RpcError)) throw failure
    expect([RPC_CODE.invalidParams, SIMULATION_CODE.limitExceeded]).toContain(failure.code)
    return failure.message
  }
}

describe('the description of a parameter agrees with its reader', () => {
  let document: OpenRpcDocument
  let compile: ReturnType<typeof compiler>
  beforeAll(async () => {
    document = await documentOf(rpcMethods)
    compile = compiler(document)
  })

  it.each([...parameters.values()])('$of', ({ parameter, i, name, of }) => {
    const at = document.methods.findIndex((method) => method.name === name)
    const isOptional = refusalOf(parameter, undefined) === undefined
    const { schema } = document.methods[at]!.params[i]!
    const validate = compile(`methods/${at}/params/${i}/schema`)
    const values = valuesOf(schema, document.components.schemas)
    fc.assert(
      fc.property(
        values.filter((value) => validate(value)),
        (value) => {
          const refusal = refusalOf(parameter, value)
          if (!BEYOND_DESCRIPTION.some((pattern) => refusal === undefined || pattern.test(refusal))) throw new Error(refusal)
        },
      ),
    )
    if (of === READ_LATER) return
    fc.assert(
      fc.property(values.chain(mutated), (value) => {
        if (validate(value) || validate(strict(value)) || (value === null && isOptional)) return
        expect(refusalOf(parameter, value), ajvProblems(validate)).toBeDefined()
      }),
      { numRuns: 100 },
    )
  })
})

const ajvProblems = ({ errors }: ReturnType<ReturnType<typeof compiler>>): string =>
  (errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`).join('; ')
