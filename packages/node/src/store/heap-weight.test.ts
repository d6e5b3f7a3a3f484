import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { Address, bodyCodec, codec, Gas, Hash, type Receipt, receiptsCodec } from '@quoin/protocol'
import { expect, it } from 'vitest'
import { heapWeight } from './heap-weight.ts'
import { sendersCodec } from './schema.ts'

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

const ITEMS = 500
const COPIES = 40
const MEASUREMENTS = 5

let filled = 0
const bytes = (length: number): Uint8Array =>
  Uint8Array.from({ length }, () => (filled = (filled * 1_103_515_245 + 12_345) % 2 ** 31) & 255)
const many = <T>(make: () => T): readonly T[] => Array.from({ length: ITEMS }, make)

/**
 * Heap bytes of a decoded list, as an average over many; the median of several measurements, because other garbage may be collected
 * meanwhile.
 */
function heapOf<T>(type: codec.Codec<readonly T[]>, items: readonly T[]): number {
  const measured = Array.from({ length: MEASUREMENTS }, () => {
    const inputs = Array.from({ length: COPIES }, () => codec.encode(type, items))
    for (let i = 0; i < 3; i++) collectGarbage()
    const before = process.memoryUsage().heapUsed
    const kept = inputs.map((input) => codec.decode(type, input))
    collectGarbage()
    return (process.memoryUsage().heapUsed - before) / kept.length
  })
  return measured.toSorted((a, b) => a - b)[Math.floor(MEASUREMENTS / 2)]!
}

const receipt = (topics: readonly number[]): Receipt => ({
  status: 1,
  gasUsed: Gas(21_000),
  cumulativeGasUsed: Gas(21_000),
  contractAddress: undefined,
  errorData: bytes(0),
  payer: Address(bytes(20)),
  logs: topics.map((count) => ({
    address: Address(bytes(20)),
    topics: Array.from({ length: count }, () => Hash(bytes(32))),
    data: bytes(32),
  })),
})

const bodies = many(() => bytes(115))
const senders = many(() => ({ hash: Hash(bytes(32)), sender: Address(bytes(20)) }))

it.each([
  ['a body', () => heapOf(bodyCodec, bodies), heapWeight.body(bodies)],
  ['senders', () => heapOf(sendersCodec, senders), heapWeight.senders(senders)],
  ...[[], [3], [0, 1, 4]].map((topics) => {
    const receipts = many(() => receipt(topics))
    return [`receipts, topics ${topics.join()}`, () => heapOf(receiptsCodec, receipts), heapWeight.receipts(receipts)] as const
  }),
] as const)(
  '%s weighs what it takes of the heap, at least, and not twice as much',
  { timeout: 120_000 },
  (_, measure, weight) => {
    const measured = measure()
    expect({ measured, weight, isEnough: weight >= 0.95 * measured, isTooMuch: weight > 2 * measured }).toMatchObject({
      isEnough: true,
      isTooMuch: false,
    })
  },
)
