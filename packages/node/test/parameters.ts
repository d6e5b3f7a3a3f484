import fc from 'fast-check'
import { expect } from 'vitest'
import { RPC_CODE, SIMULATION_CODE } from '../src/rpc/error-codes.ts'
import { RpcError } from '../src/rpc/errors.ts'
import type { Schema } from '../src/rpc/forms/index.ts'
import { DEFAULT_RPC_LIMITS } from '../src/rpc/limits.ts'
import { type Parameter, readParam } from '../src/rpc/method.ts'
import { type AnyMethods, compiler, type OpenRpcDocument } from './openrpc.ts'
import { mutated, valuesOf } from './openrpc-values.ts'

/** A parameter of a method. */
export interface DescribedParameter {
  readonly reader: Parameter
  /** Method and name. */
  readonly of: string
  /** In the document. */
  readonly path: string
}

/** Each reader of a table of methods once, with the first parameter that it reads. */
export function describedParameters(methods: AnyMethods): readonly DescribedParameter[] {
  const described = Object.entries(methods).filter(([, { description }]) => description !== undefined)
  const all = described.flatMap(([name, { description }], at) =>
    description!.parameters.map((reader, i) => ({
      ...{ reader, of: `${name} ${description!.params[i]}` },
      path: `methods/${at}/params/${i}/schema`,
    })),
  )
  return [...new Map(all.toReversed().map((one) => [one.reader, one])).values()]
}

/** Undefined if the value is taken, otherwise the refusal. */
function refusalOf(reader: Parameter, value: unknown): string | undefined {
  try {
    readParam(reader, value, 0, DEFAULT_RPC_LIMITS)
    return undefined
  } catch (failure) {
    if (!(failure instanceof RpcError)) throw failure
    expect([RPC_CODE.invalidParams, SIMULATION_CODE.limitExceeded]).toContain(failure.code)
    return failure.message
  }
}

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

/**
 * Compares the description of a parameter with what its reader takes.
 *
 * @param beyond - Refusals of values that fit the description, because a JSON schema cannot say more.
 */
export function expectAgreement(
  document: OpenRpcDocument,
  { reader, path }: DescribedParameter,
  beyond: readonly RegExp[],
): void {
  const validate = compiler(document)(path)
  const isOptional = refusalOf(reader, undefined) === undefined
  const fits = (value: unknown) => validate(value)
  const agree = (value: unknown): void => {
    const refusal = refusalOf(reader, value)
    if (!validate(value)) {
      const problems = (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`)
      const isLenient = validate(strict(value)) || (value === null && isOptional)
      if (refusal === undefined && !isLenient) throw new Error(`it is taken, although: ${problems.join('; ')}`)
    } else if (refusal !== undefined && !beyond.some((pattern) => pattern.test(refusal))) throw new Error(refusal)
  }
  const values = valuesOf(validate.schema as Schema, document.components.schemas)
  fc.assert(fc.property(values.filter(fits), agree))
  fc.assert(fc.property(values.chain(mutated), agree))
}
