import { bytesToHex, LIMITS } from '@quoin/protocol'
import { type Abi, encodeAbiParameters, encodeEventTopics, toHex } from 'viem'
import { describe, expect, it } from 'vitest'
import { abiOf, frameOf, gasOf, refusalOf, runFunction, SELF, SENDER, valueOf } from '../../../test/guest.ts'
import { disk } from '../../ticks.ts'

const ITEMS = [
  'event Transfer(address indexed from, address indexed to, uint256 value)',
  'event Named(string indexed name, bytes data, (uint8 a, bool b)[] indexed list)',
  'event Quiet() anonymous',
  'event Twice(uint256)',
  'event Twice(uint256 indexed, string)',
  'event Wide(uint8,uint8,uint8,uint8,uint8,uint8,uint8,uint8,uint8,uint8,uint8,uint8,uint8,uint8,uint8,uint8,uint8,uint8)',
] as const
const abi = abiOf(...ITEMS)
const viemAbi = abi as unknown as Abi
const TO = '0xd8dA6BF26964aF9D7eEd9e03E53415D37aA96045'

const start = { writes: 0, logs: 0, creations: 0 }
const logsOf = (expression: string, ...values: readonly (string | bigint)[]) => {
  const frame = frameOf({ abi })
  expect(valueOf(expression, frame, ...values)).toBeUndefined()
  return frame.journal.logsSince(start)
}

describe('emit', () => {
  it("logs as viem encodes: topics, data, and the contract's address", () => {
    const [log] = logsOf('quoin.emit("Transfer", quoin.sender, values[0], 2n ** 200n)', TO)
    expect(log).toMatchObject({
      address: SELF,
      topics: encodeEventTopics({ abi: viemAbi, eventName: 'Transfer', args: { from: SENDER, to: TO } }),
    })
    expect(bytesToHex(log!.data)).toBe(encodeAbiParameters([{ type: 'uint256' }], [2n ** 200n]))
  })

  it('hashes indexed values of more than a word', () => {
    const [log] = logsOf('quoin.emit("Named", "ä", Uint8Array.of(1, 2), [{ a: 1n, b: true }, { a: 255n, b: false }])')
    const [topic, name] = encodeEventTopics({ abi: viemAbi, eventName: 'Named', args: { name: 'ä' } })
    expect(log!.topics.slice(0, 2)).toEqual([topic, name])
    // viem does not compute topics of arrays: keccak256 of the items' in-place encoding.
    const inPlace = valueOf(
      'quoin.encodeHex(quoin.keccak256(quoin.abiEncode("uint256,uint256,uint256,uint256", [1n, 1n, 255n, 0n])))',
      frameOf(),
    )
    expect(log!.topics[2]).toBe(inPlace)
    expect(bytesToHex(log!.data)).toBe(encodeAbiParameters([{ type: 'bytes' }], [toHex(Uint8Array.of(1, 2))]))
  })

  it('finds events by name, and by signature where several have the name', () => {
    expect(logsOf('quoin.emit("Quiet")')).toEqual([{ address: SELF, topics: [], data: new Uint8Array(0) }])
    expect(logsOf('quoin.emit("Quiet()")')).toHaveLength(1)
    expect(logsOf('quoin.emit("Twice(uint256)", 1n)')[0]!.topics).toHaveLength(1)
    expect(logsOf('quoin.emit("Twice(uint256,string)", 1n, "")')[0]!.topics).toHaveLength(2)
    expect(logsOf('quoin.emit("Wide", ...Array(18).fill(1n))')[0]!.data).toHaveLength(18 * 32)
  })

  it('refuses an event that is not in the ABI, and lists those that are', () => {
    const refusal = (expression: string, given = abi) => {
      const frame = frameOf({ abi: given })
      const text = refusalOf(expression, frame)
      expect(frame.journal.logsSince(start)).toEqual([])
      return text
    }
    const known =
      'Transfer(address,address,uint256), Named(string,bytes,(uint8,bool)[]), Quiet(), Twice(uint256), Twice(uint256,string)'
    expect(refusal('quoin.emit("Transfers")')).toContain(`emit: the abi has no event Transfers; it has ${known}`)
    expect(refusal('quoin.emit("Transfer(address)")')).toBe(
      'emit: the abi has no event Transfer(address); it has Transfer(address,address,uint256)',
    )
    expect(refusal('quoin.emit("Twice", 1n)')).toBe(
      'emit: several events have this name: Twice(uint256), Twice(uint256,string); use the full signature',
    )
    expect(refusal('quoin.emit("x".repeat(5000))').length).toBeLessThanOrEqual(1024)
    expect(refusal('quoin.emit("A")', abiOf('function f()'))).toBe('emit: the abi has no events')
    const many = abiOf(...Array.from({ length: 20 }, (_, i) => `event E${i}()`))
    expect(refusal('quoin.emit("A")', many)).toMatch(/E7\(\) and 12 more$/)
    expect(refusal('quoin.emit("Transfer", values[0])')).toBe('emit: 1 values, Transfer has 3 parameters')
    expect(refusal('quoin.emit("Twice(uint256)", 1)')).toContain('a bigint is expected')
    expect(refusal('quoin.emit("Transfer", "0x12", quoin.self, 1n)')).toBe('emit: from: an address is expected')
    expect(refusal('quoin.emit()')).toBe('emit: argument 1 must be a string')
    expect(refusal('quoin.emit("Quiet", Symbol())')).toContain('argument 2')
  })

  it('has a bound for the data of a log', () => {
    const longest = LIMITS.logDataBytesMax - 64
    const frame = frameOf({ abi: abiOf('event Data(bytes)') })
    expect(valueOf('quoin.emit("Data", new Uint8Array(values[0]))', frame, longest)).toBeUndefined()
    expect(refusalOf('quoin.emit("Data", new Uint8Array(values[0]))', frame, longest + 1)).toBe(
      "emit: the event's data takes 131104 bytes, at most 131072 are allowed",
    )
    expect(frame.journal.transactionLogs).toBe(1)
  })

  it('has a bound for the logs of a transaction, not of a block', () => {
    const frame = frameOf({ abi })
    valueOf('(() => { for (let i = 0; i < 1024; i++) quoin.emit("Quiet") })()', frame)
    expect(refusalOf('quoin.emit("Quiet")', frame)).toBe('emit: a transaction has at most 1024 logs')
    frame.journal.beginTransaction()
    const inner = frame.journal.checkpoint()
    valueOf('(() => { for (let i = 0; i < 1024; i++) quoin.emit("Quiet") })()', frame)
    expect(refusalOf('quoin.emit("Quiet")', frame)).toBe('emit: a transaction has at most 1024 logs')
    // Logs of a reverted frame do not count.
    frame.journal.revert(inner)
    valueOf('quoin.emit("Quiet")', frame)
    expect(frame.journal.transactionLogs).toBe(1)
  })

  it('logs nothing when the gas ends', () => {
    const source = 'export default { functions: { run: () => quoin.emit("Quiet") } }'
    const enough = runFunction(source, frameOf({ abi })) as { gasUsed: number }
    const frame = frameOf({ abi })
    expect(runFunction(source, frame, [], enough.gasUsed - 300).kind).toBe('out-of-gas')
    expect(frame.journal.transactionLogs).toBe(0)
  })

  it('is charged for topics, data and hashed values', () => {
    const gas = (name: string, items: readonly string[], ...values: readonly (string | bigint)[]) =>
      gasOf(`quoin.emit("${name}", ...values)`, frameOf({ abi: abiOf(...items) }), ...values)
    expect(gas('E', ['event E(uint8 indexed)'], 1n)).toBeGreaterThan(gas('E', ['event E(uint8 indexed) anonymous'], 1n))
    expect(gas('E', ['event E(string)'], 'a'.repeat(33))).toBeGreaterThan(
      gas('E', ['event E(string)'], 'a'.repeat(32)) + disk(512),
    )
    // The price of hashing a text depends on its length.
    const text = 'a'.repeat(1000)
    expect(gas('E', ['event E(string indexed)'], text)).toBeGreaterThan(gas('E', ['event E(string)'], 'a') + 30_000)
  })
})
