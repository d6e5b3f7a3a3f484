import type { BlockOverrides, StateOverrides, Tracer } from '@quoin/execution'
import { z } from 'zod'
import { blockOverrides, stateOverrides } from './call-schema.ts'
import { invalidParams } from './errors.ts'
import * as forms from './forms/index.ts'
import { by, type Members, Misfit, optional, reader, readObject, requireKnown, shown } from './reader.ts'
import { quantity } from './schema.ts'
import type { StateForm } from './trace-text.ts'

/** Options of the `debug_trace…` methods, as in go-ethereum (eth/tracers/api.go). */
export interface TraceOptions {
  readonly tracer: Tracer
  readonly state: StateForm
  readonly timeoutMs: number
}

export interface CallTraceOptions extends TraceOptions {
  readonly stateOverrides: StateOverrides
  readonly blockOverrides: BlockOverrides
  /** The call runs before this transaction of the block. */
  readonly txIndex: number | undefined
}

/** go-ethereum's default. */
export const TRACE_TIMEOUT_MS = 5_000

const readBoolean = by(z.boolean())
const readText = by(z.string().max(256, 'is longer than 256 characters'))

const UNIT_MS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
}
const DURATION = /^(?:[0-9]{1,9}(?:\.[0-9]{0,9})?(?:ns|us|µs|μs|ms|s|m|h)){1,8}$/
const PART = /([0-9.]+)(ns|us|µs|μs|ms|s|m|h)/g

/** Reads a duration in Go's form, such as `10s` or `1m30s`. Returns whole milliseconds, rounded up. */
export function readDuration(value: unknown): number {
  const text = readText(value)
  if (!DURATION.test(text)) throw new Misfit('must be a duration such as 500ms, 10s or 1m30s')
  let ms = 0
  for (const [, number, unit] of text.matchAll(PART)) ms += Number(number) * UNIT_MS[unit!]!
  return Math.ceil(ms)
}

/** Options that go-ethereum has and that change nothing here: those of its struct logger, and how far back it may re-execute. */
const UNUSED = [
  'reexec',
  'enableMemory',
  'disableMemory',
  'disableStack',
  'disableStorage',
  'enableReturnData',
  'disableReturnData',
  'debug',
  'limit',
  'overrides',
] as const
const MEMBERS: ReadonlySet<string> = new Set(['tracer', 'tracerConfig', 'timeout', ...UNUSED])
const CALL_MEMBERS: ReadonlySet<string> = new Set([...MEMBERS, 'stateOverrides', 'blockOverrides', 'txIndex'])

const TRACERS = 'set tracer to callTracer or prestateTracer'

function readTracer(object: Members): Pick<TraceOptions, 'tracer' | 'state'> {
  const name = optional(object, 'tracer', readText)
  const read =
    name === undefined ? undefined : name === 'callTracer' ? readCallConfig : name === 'prestateTracer' ? readStateConfig : null
  if (read === undefined)
    throw invalidParams(`no tracer: contracts of this chain have no EVM opcodes that a struct log could list, ${TRACERS}`)
  if (read === null)
    throw invalidParams(`unknown tracer ${shown(name!)}: JavaScript tracers and others are not available, ${TRACERS}`)
  return optional(object, 'tracerConfig', (config) => read(readObject(config))) ?? read({})
}

const flag = (config: Members, name: string): boolean => optional(config, name, readBoolean) ?? false

const BEFORE: StateForm = { kind: 'before', includeEmpty: false }
const CALL_CONFIG: ReadonlySet<string> = new Set(['onlyTopCall', 'withLog'])
const STATE_CONFIG: ReadonlySet<string> = new Set(['diffMode', 'disableCode', 'disableStorage', 'includeEmpty'])

function readCallConfig(config: Members): Pick<TraceOptions, 'tracer' | 'state'> {
  requireKnown(config, CALL_CONFIG)
  const tracer = { kind: 'calls', onlyTopCall: flag(config, 'onlyTopCall'), withLog: flag(config, 'withLog') } as const
  return { tracer, state: BEFORE }
}

function readStateConfig(config: Members): Pick<TraceOptions, 'tracer' | 'state'> {
  requireKnown(config, STATE_CONFIG)
  const includeEmpty = flag(config, 'includeEmpty')
  const isDiff = flag(config, 'diffMode')
  if (isDiff && includeEmpty) throw new Misfit('has both diffMode and includeEmpty')
  const tracer = {
    kind: 'state',
    withCode: !flag(config, 'disableCode'),
    withStorage: !flag(config, 'disableStorage'),
  } as const
  return { tracer, state: isDiff ? { kind: 'diff' } : { kind: 'before', includeEmpty } }
}

function readOptions(object: Members): TraceOptions {
  return { ...readTracer(object), timeoutMs: optional(object, 'timeout', readDuration) ?? TRACE_TIMEOUT_MS }
}

const without = (name: string): ReadonlySet<string> => new Set([...STATE_CONFIG].filter((one) => one !== name))

/** Options of either tracer, with the members of `more`. */
function optionsForm(more: Readonly<Record<string, forms.Schema>>): forms.Schema {
  const flags = (names: ReadonlySet<string>) => forms.closed({}, Object.fromEntries([...names].map((name) => [name, forms.flag])))
  const unused = Object.fromEntries(UNUSED.map((name) => [name, forms.anything]))
  const of = (tracer: string, config: forms.Schema) =>
    forms.closed({ tracer: { const: tracer } }, { tracerConfig: config, timeout: DURATION_FORM, ...more, ...unused })
  return forms.anyOf(
    of('callTracer', flags(CALL_CONFIG)),
    of('prestateTracer', forms.anyOf(flags(without('includeEmpty')), flags(without('diffMode')))),
  )
}
const DURATION_FORM: forms.Schema = { type: 'string', pattern: DURATION.source }
const OPTIONS = forms.component('TraceOptions', optionsForm({}))
const CALL_OPTIONS = forms.component(
  'CallTraceOptions',
  optionsForm({ stateOverrides: stateOverrides.form, blockOverrides: blockOverrides.form, txIndex: forms.uint53 }),
)

/** Options of `debug_traceTransaction` and `debug_traceBlock…`. */
export const traceOptions = reader(OPTIONS, (value): TraceOptions => {
  const object = value === undefined ? {} : readObject(value)
  requireKnown(object, MEMBERS)
  return readOptions(object)
})

/** Options of `debug_traceCall`. */
export const callTraceOptions = reader(CALL_OPTIONS, (value, limits): CallTraceOptions => {
  const object = value === undefined ? {} : readObject(value)
  requireKnown(object, CALL_MEMBERS)
  return {
    ...readOptions(object),
    stateOverrides: optional(object, 'stateOverrides', (given) => stateOverrides.read(given, limits)) ?? new Map(),
    blockOverrides: optional(object, 'blockOverrides', (given) => blockOverrides.read(given, limits)) ?? {},
    txIndex: optional(object, 'txIndex', by(quantity)),
  }
})
