import { SYSTEM_ADDRESS } from '@quoin/execution'
import { CHAIN_ABI } from '@quoin/execution/contract'
import { hexToBytes, idOfName } from '@quoin/protocol'
import {
  type Abi,
  encodeAbiParameters,
  encodeErrorResult,
  encodeEventTopics,
  encodeFunctionData,
  encodeFunctionResult,
  type Hex,
} from 'viem'
import { describe, expect, it } from 'vitest'
import { decodeAnswer, decodeEvent, decodeRefusal, encodeCall } from './chain-contract.ts'
import { refusalText } from './refusals.ts'
import { shownValues } from './shown.ts'

const ABI = CHAIN_ABI as Abi
const ADDRESS = `0x${'ab'.repeat(20)}` as Hex
const ID = idOfName('bank-a')! as Hex

/** Some value of each type, as viem takes it. */
const VALUES: Readonly<Record<string, unknown>> = {
  address: ADDRESS,
  'address[]': [ADDRESS],
  bytes32: ID,
  bytes: '0x0102',
  string: 'text',
  'string[]': ['a', 'b'],
  bool: true,
  uint8: 16,
  uint32: 5,
  uint64: 7n,
  uint256: 9n,
}
/** The same as our coder takes and returns it. */
const own = (type: string): unknown => {
  const value = VALUES[type]
  if (type.startsWith('bytes')) return hexToBytes(value as Hex)
  return typeof value === 'number' ? BigInt(value) : value
}
const lower = (value: unknown): unknown =>
  Array.isArray(value) ? value.map(lower) : typeof value === 'string' ? value.toLowerCase() : value

const items = (type: string) =>
  ABI.filter((item) => item.type === type) as readonly Extract<Abi[number], { type: 'function' | 'event' | 'error' }>[]

describe('the chain contract as viem sees it', () => {
  it('calls and answers of all functions', () => {
    for (const item of items('function')) {
      const { name, inputs, outputs } = item as Extract<Abi[number], { type: 'function' }>
      const args = inputs.map(({ type }) => VALUES[type])
      const values = inputs.map(({ type }) => own(type)) as never[]
      expect(encodeCall({ name, values }), name).toBe(encodeFunctionData({ abi: ABI, functionName: name, args }))
      if (outputs.length === 0) continue
      const results = outputs.map(({ type }) => VALUES[type])
      const data = encodeFunctionResult({
        abi: ABI,
        functionName: name,
        result: results.length === 1 ? results[0] : results,
      } as never)
      const decoded = decodeAnswer(name, data)!
      expect(Object.values(decoded).map(lower), name).toEqual(outputs.map(({ type }) => own(type)))
      expect(Object.keys(decoded)).toEqual(outputs.map((output) => output.name))
      expect(decodeAnswer(name, '0x')).toBeUndefined()
    }
  })

  it('all events', () => {
    for (const item of items('event')) {
      const { name, inputs } = item as Extract<Abi[number], { type: 'event' }>
      const args = Object.fromEntries(inputs.map((input) => [input.name, VALUES[input.type]]))
      const topics = encodeEventTopics({ abi: ABI, eventName: name, args } as never)
      const rest = inputs.filter(({ indexed }) => indexed !== true)
      const data = encodeAbiParameters(rest, rest.map(({ type }) => VALUES[type]) as never)
      const event = decodeEvent({ address: SYSTEM_ADDRESS, topics, data })!
      expect(event.name).toBe(name)
      expect(Object.entries(event.values).map(([key, value]) => [key, lower(value)])).toEqual(
        inputs.map((input) => [input.name, own(input.type)]),
      )
      expect(decodeEvent({ address: ADDRESS, topics, data })).toBeUndefined()
      expect(decodeEvent({ address: SYSTEM_ADDRESS, topics: topics.slice(0, 1), data: '0x00' })).toBeUndefined()
    }
  })

  it('all errors, each in a sentence of its own that quotes its values', () => {
    const roles = new Map([[16, 'teller']])
    const sentences = items('error').map((item) => {
      const { name, inputs } = item as Extract<Abi[number], { type: 'error' }>
      const refusal = decodeRefusal(
        encodeErrorResult({ abi: ABI, errorName: name, args: inputs.map(({ type }) => VALUES[type]) }),
      )!
      expect(refusal.name).toBe(name)
      const sentence = refusalText(refusal, roles)
      const shown = shownValues(refusal.values, roles)
      for (const value of Object.values(shown))
        for (const word of String(value).split(',')) expect(sentence, name).toContain(word)
      return sentence
    })
    expect(new Set(sentences).size).toBe(sentences.length)
    const [zero] = [`0x${'00'.repeat(20)}`]
    expect(refusalText({ name: 'NotGovernor', values: { sender: ADDRESS, governor: zero! } }, roles)).toContain('nobody governs')
    expect(
      refusalText({ name: 'NotPermitted', values: { account: ADDRESS, rule: 'calling', lacking: 65_540n } }, roles),
    ).toContain('may not call this contract: it needs the role sender or teller')
  })

  it.each(['', '0x', '0x12345678', '0x08c379a0', 7, undefined])('%j is no error of it', (data) => {
    expect(decodeRefusal(data)).toBeUndefined()
  })
})
