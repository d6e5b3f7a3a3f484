import fc from 'fast-check'
import { type AbiEvent, decodeEventLog, encodeAbiParameters, type Hex, parseAbi, toEventSelector } from 'viem'
import { expect, it } from 'vitest'
import { eventDecoder } from './event-decoder.ts'

const hex = (bytes: number) => fc.uint8Array({ minLength: bytes, maxLength: bytes }).map((array) => toHex(array))
const toHex = (bytes: Uint8Array): Hex => `0x${Buffer.from(bytes).toString('hex')}`

/** A type of an argument, with values of it. */
type Typed = readonly [type: string, values: fc.Arbitrary<unknown>, components?: readonly { name: string; type: string }[]]

const TYPES: readonly Typed[] = [
  ['uint256', fc.bigInt({ min: 0n, max: 2n ** 256n - 1n })],
  ['int8', fc.integer({ min: -128, max: 127 })],
  ['uint48', fc.integer({ min: 0, max: 2 ** 48 - 1 })],
  ['int56', fc.bigInt({ min: -(2n ** 55n), max: 2n ** 55n - 1n })],
  ['bool', fc.boolean()],
  ['address', hex(20)],
  ['bytes4', hex(4)],
  ['string', fc.string({ maxLength: 40 })],
  ['bytes', fc.uint8Array({ maxLength: 40 }).map(toHex)],
  ['uint64[]', fc.array(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), { maxLength: 3 })],
  ['bool[2]', fc.tuple(fc.boolean(), fc.boolean())],
  [
    'tuple',
    fc.record({ to: hex(20), note: fc.string({ maxLength: 8 }) }),
    [
      { name: 'to', type: 'address' },
      { name: 'note', type: 'string' },
    ],
  ],
]

interface Made {
  readonly event: AbiEvent
  readonly topics: [Hex, ...Hex[]]
  readonly data: Hex
}

const argument = fc
  .constantFrom(...TYPES)
  .chain(([type, values, components]) =>
    fc.record({ type: fc.constant(type), components: fc.constant(components), value: values, wantsIndex: fc.boolean() }),
  )

/** An event of an ABI and a log of it. */
const made: fc.Arbitrary<Made> = fc
  .record({
    args: fc.array(argument, { maxLength: 5 }),
    name: fc.constantFrom('Paid', 'Named'),
    isNamed: fc.boolean(),
    topic: fc.array(hex(32), { minLength: 3, maxLength: 3 }),
  })
  .map(({ args, name, isNamed, topic }) => {
    let free = 3
    const inputs = args.map(({ type, components, wantsIndex }, i) => ({
      ...{ type, indexed: wantsIndex && free-- > 0 },
      ...(isNamed || i > 1 ? { name: `a${i}` } : {}),
      ...(components === undefined ? {} : { components }),
    }))
    const event = { type: 'event', name, inputs } as unknown as AbiEvent
    const isLong = (type: string): boolean => /^(string|bytes|tuple)$|\]$/.test(type)
    const topics = inputs.flatMap((input, i) => {
      if (!input.indexed) return []
      return [isLong(input.type) ? topic[0]! : encodeAbiParameters([input], [args[i]!.value])]
    })
    const others = inputs.flatMap((input, i) => (input.indexed ? [] : [[input, args[i]!.value] as const]))
    const data = encodeAbiParameters(
      others.map(([input]) => input),
      others.map(([, value]) => value),
    )
    return { event, topics: [toEventSelector(event), ...topics], data }
  })

/** viem's answer; undefined where it throws. */
function viems(abi: readonly AbiEvent[], { topics, data }: Pick<Made, 'topics' | 'data'>): object | undefined {
  try {
    return decodeEventLog({ abi, topics, data, strict: true })
  } catch {
    return undefined
  }
}

/** The same with another digit, so that words are not encoded as they should be. */
function flip(data: Hex, at: number): Hex {
  if (data.length === 2) return data
  const place = 2 + (at % (data.length - 2))
  return `${data.slice(0, place)}${((Number.parseInt(data[place]!, 16) + 1 + (at % 15)) % 16).toString(16)}${data.slice(place + 1)}` as Hex
}

it('decodes what viem decodes, and leaves out what viem refuses', () => {
  const property = fc.property(made, made, fc.nat(3), fc.nat(64), fc.nat(), (one, other, dropped, cut, flipped) => {
    const abi = [one.event, other.event]
    const decode = eventDecoder(abi)
    const shorter = `${one.data.slice(0, Math.max(2, one.data.length - 2 * cut))}` as Hex
    const fewer = one.topics.slice(0, Math.max(1, one.topics.length - dropped)) as [Hex, ...Hex[]]
    const logs = [one, { ...one, data: shorter }, { ...one, topics: fewer }, { ...one, data: flip(one.data, flipped) }]
    const topics = one.topics.map((topic, i) => (i === 0 ? topic : flip(topic, flipped))) as [Hex, ...Hex[]]
    for (const log of [...logs, { ...one, topics }]) {
      // Events that differ only in what is indexed: viem takes the first, whether it fits or not.
      if (one.topics[0] === other.topics[0]) continue
      expect(decode(log)).toEqual(viems(abi, log))
    }
  })
  fc.assert(property, { numRuns: 1_000 })
})

it('tells events apart that differ only in what is indexed', () => {
  const abi = [
    ...parseAbi(['event Transfer(address indexed from, address indexed to, uint256 value)']),
    ...parseAbi(['event Transfer(address indexed from, address indexed to, uint256 indexed id)']),
  ]
  const [account, word] = [`0x${'0'.repeat(24)}${'aa'.repeat(20)}`, `0x${'0'.repeat(63)}7`] as const
  const topics = [toEventSelector(abi[0]!), account, account] as const
  const decode = eventDecoder(abi)
  expect(decode({ topics, data: word })?.args).toMatchObject({ value: 7n })
  expect(decode({ topics: [...topics, word], data: '0x' })?.args).toMatchObject({ id: 7n })
  expect(decode({ topics: [], data: '0x' })).toBeUndefined()
})
