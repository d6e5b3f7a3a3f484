import type { ScalarType, Spec, WordType } from '@quoin/contracts'
import fc from 'fast-check'
import { getAddress } from 'viem'
import { FIELDS, type FieldName, type FieldSpec } from './fields.ts'
import type { Program, Step, Wire } from './wire.ts'

/** Objects in the form that the wire decodes to. */
const record = (
  members: { readonly [name: string]: fc.Arbitrary<Wire> },
  requiredKeys = Object.keys(members),
): fc.Arbitrary<Wire> => fc.record(members, { requiredKeys, noNullPrototype: true })

/** Texts that would collide in a careless key encoding; some have the length from which texts are hashed. */
const TEXTS = [
  ...[
    '',
    ':',
    '#',
    '0',
    '1',
    '1.',
    '1.1',
    '0.',
    ':1',
    '#0',
    'a',
    'a:',
    'a:1',
    '1.a',
    '1.a:1',
    '1.a:1.',
    'a:1.a',
    '-1',
    '#layout',
  ],
  ...['é', '漢', '漢'.repeat(13), '漢'.repeat(14), '\u0000', '\ud83d\ude00', 'e\u0301', 'ß'.repeat(40)],
  ...[
    'x'.repeat(39),
    'x'.repeat(40),
    'x'.repeat(41),
    `${'x'.repeat(40)}:`,
    `${'x'.repeat(39)}y`,
    `0x${'0'.repeat(64)}`,
    'y'.repeat(500),
  ],
]

const BYTES = ['', '00', '0000', '01', '3a', '23', '30', 'ff', '00'.repeat(19), '00'.repeat(20), '01'.repeat(200)].map((hex) =>
  Uint8Array.from(Buffer.from(hex, 'hex')),
)

/** Their checksums have capital letters at different places, so that their order differs from the order of the checksummed texts. */
const ADDRESSES = [
  '00'.repeat(20),
  'ff'.repeat(20),
  'ab'.repeat(20),
  `aa${'bb'.repeat(19)}`,
  `aa${'bc'.repeat(19)}`,
  `9${'f'.repeat(39)}`,
].map((hex) => getAddress(`0x${hex}`))

function integer(type: string): fc.Arbitrary<bigint> {
  const bits = BigInt(type.replace(/\D+/, ''))
  const isSigned = type.startsWith('i')
  const [min, max] = isSigned ? [-(1n << (bits - 1n)), (1n << (bits - 1n)) - 1n] : [0n, (1n << bits) - 1n]
  const near = [0n, 1n, 2n, 3n, 9n, 10n, 11n, 99n, 100n, max - 1n, max].filter((n) => n <= max)
  return fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom(...near, ...(isSigned ? [...near.map((n) => -n), min] : [])) },
    { weight: 2, arbitrary: fc.bigInt({ min: isSigned ? -30n : 0n, max: 60n }) },
    { weight: 1, arbitrary: fc.bigInt({ min, max }) },
  )
}

function fixedBytes(length: number): fc.Arbitrary<Uint8Array> {
  const few = fc.constantFrom(0, 1, 0x30, 0x3a, 0xff).map((byte) => new Uint8Array(length).fill(byte))
  const last = fc.nat({ max: 5 }).map((byte) => new Uint8Array(length).fill(byte, length - 1))
  return fc.oneof(few, last, fc.uint8Array({ minLength: length, maxLength: length }))
}

function scalar(type: ScalarType): fc.Arbitrary<Wire> {
  if (type === 'bool') return fc.boolean()
  if (type === 'address') return fc.constantFrom(...ADDRESSES)
  if (type === 'string')
    return fc.oneof(
      { weight: 4, arbitrary: fc.constantFrom('', 'a', 'a:1') },
      { weight: 4, arbitrary: fc.constantFrom(...TEXTS) },
      { weight: 1, arbitrary: fc.string({ unit: 'binary' }) },
    )
  if (type === 'bytes')
    return fc.oneof(
      { weight: 4, arbitrary: fc.constantFrom(...BYTES) },
      { weight: 1, arbitrary: fc.uint8Array({ maxLength: 45 }) },
    )
  return type.startsWith('bytes') ? fixedBytes(Number(type.slice(5))) : integer(type)
}

function value(spec: Spec): fc.Arbitrary<Wire> {
  if (typeof spec !== 'string') return record(Object.fromEntries(Object.entries(spec).map(([name, of]) => [name, value(of)])))
  const array = /^(.*)\[(\d*)\]$/.exec(spec)
  if (array === null) return scalar(spec as ScalarType)
  const size = array[2] === '' ? { maxLength: 3 } : { minLength: Number(array[2]), maxLength: Number(array[2]) }
  return fc.array(value(array[1] as Spec), size)
}

type KeySpec = WordType | { readonly [member: string]: WordType }

function tableKey(spec: KeySpec): fc.Arbitrary<Wire> {
  if (typeof spec === 'string') return scalar(spec)
  return record(Object.fromEntries(Object.entries(spec).map(([name, type]) => [name, scalar(type)])))
}

/** A key, or its leading members. */
function bound(spec: KeySpec, isPartial = true): fc.Arbitrary<Wire> {
  if (typeof spec === 'string' || !isPartial) return tableKey(spec)
  const names = Object.keys(spec)
  return fc
    .tuple(tableKey(spec), fc.nat({ max: names.length }))
    .map(([key, count]) => Object.fromEntries(names.slice(0, count).map((name) => [name, (key as never)[name]])))
}

function tableRange(spec: KeySpec): fc.Arbitrary<Wire> {
  const members: { [name: string]: fc.Arbitrary<Wire> } = {
    from: bound(spec),
    to: bound(spec),
    reverse: fc.boolean(),
    limit: fc.bigInt({ min: -1n, max: 6n }),
  }
  if (typeof spec !== 'string') members['prefix'] = bound(spec)
  return record(members, [])
}

const small = fc.bigInt({ min: -1n, max: 5n })

/** The operations of a field, with weights. */
function verbs(spec: FieldSpec, writes: boolean): readonly (readonly [weight: number, fc.Arbitrary<readonly Wire[]>])[] {
  const verb = (name: string, ...args: readonly fc.Arbitrary<Wire>[]) => fc.tuple(fc.constant(name), ...args)
  switch (spec.kind) {
    case 'value':
    case 'mapping': {
      const keys = spec.kind === 'value' ? [] : [scalar(spec.key)]
      const changes = [
        [4, verb('set', ...keys, value(spec.of))],
        [1, verb('remove', ...keys)],
        [2, verb('update', ...keys, value(spec.of))],
      ] as const
      return [...(writes ? changes : []), [2, verb('get', ...keys)], [1, verb('has', ...keys)]]
    }
    case 'set': {
      const changes = [
        [5, verb('add', scalar(spec.of))],
        [3, verb('remove', scalar(spec.of))],
      ] as const
      const slices = [1, verb('slice', small, small)] as const
      return [
        ...(writes ? changes : []),
        [1, verb('has', scalar(spec.of))],
        [1, verb('at', small)],
        slices,
        [1, verb('*')],
        [1, verb('size')],
      ]
    }
    case 'list': {
      const changes = [
        [4, verb('push', value(spec.of))],
        [2, verb('pop')],
        [2, verb('set', small, value(spec.of))],
      ] as const
      const slices = [1, verb('slice', small, small)] as const
      return [...(writes ? changes : []), [1, verb('get', small)], slices, [1, verb('*')], [1, verb('length')]]
    }
    case 'table': {
      const key = tableKey(spec.key)
      const changes = [
        [8, verb('put', key, value(spec.row))],
        [2, verb('update', key, value(spec.row))],
        [4, verb('remove', key)],
      ] as const
      const ends = fc.constantFrom('first', 'last').chain((name) => verb(name, tableRange(spec.key).map(withoutDirection)))
      const ranges = fc.constantFrom('range', 'keys').chain((name) => verb(name, tableRange(spec.key)))
      return [...(writes ? changes : []), [1, verb('get', key)], [1, verb('has', key)], [2, ranges], [1, ends], [1, verb('size')]]
    }
    default:
      throw new Error('it leads to others')
  }
}

function withoutDirection(range: Wire): Wire {
  const { reverse: _reverse, limit: _limit, ...rest } = range as { readonly [name: string]: Wire }
  return rest
}

interface Leaf {
  readonly keys: readonly ScalarType[]
  readonly spec: FieldSpec
}

/** The innermost field of nested mappings. */
function leafOf(spec: FieldSpec): Leaf {
  if (spec.kind === 'replacing') return leafOf(spec.by)
  if (spec.kind !== 'nested') return { keys: [], spec }
  const { keys, spec: leaf } = leafOf(spec.of)
  return { keys: [spec.key, ...keys], spec: leaf }
}

export function step(field: FieldName, writes = true): fc.Arbitrary<Step> {
  const { keys, spec } = leafOf(FIELDS[field])
  const path = fc.tuple(...keys.map((key) => scalar(key)))
  const action = fc.oneof(...verbs(spec, writes).map(([weight, arbitrary]) => ({ weight, arbitrary })))
  const plain = fc
    .tuple(path, action)
    .map(([keys, [verb, ...args]]): Step => ({ kind: 'do', field, keys, verb: verb as string, args }))
  if (spec.kind !== 'table' || !writes) return plain
  const key = tableKey(spec.key)
  const change = fc.oneof(fc.tuple(fc.constant('remove'), key), fc.tuple(fc.constant('put'), key, value(spec.row)))
  const loop = fc
    .tuple(path, tableRange(spec.key), fc.array(change, { maxLength: 6 }))
    .map(([keys, range, changes]): Step => ({ kind: 'each', field, keys, range, changes: changes.map((one) => [one]) as never }))
  return fc.oneof({ weight: 12, arbitrary: plain }, { weight: 1, arbitrary: loop })
}

/** Steps on some fields. With `depth` > 0, also calls of the other contract with such programs; the calls may fail. */
export function program(fields: readonly FieldName[], depth = 0, stepsMax = 12): fc.Arbitrary<Program> {
  const own = fc.constantFrom(...fields).chain((field) => step(field))
  if (depth === 0) return fc.array(own, { maxLength: stepsMax })
  const call = fc
    .tuple(program(fields, depth - 1, stepsMax), fc.boolean())
    .map(([inner, fails]): Step => ({ kind: 'call', program: inner, fails }))
  return fc.array(fc.oneof({ weight: 4, arbitrary: own }, { weight: 1, arbitrary: call }), { maxLength: stepsMax })
}
