import { bytesToHex, codec, Hash, LIMITS, type Log, receiptCodec } from '@quoin/protocol'
import { describe, expect, it } from 'vitest'
import { creationOf, giveCode, TestContracts, USER } from '../../test/contracts.ts'
import { addressOf } from '../../test/transactions.ts'
import { CONTRACT_LIMITS } from '../contract/limits.ts'
import { CODE_REGISTRY_ADDRESS } from '../contract/native/code-registry.ts'
import { NATIVE_CODE } from '../contract/native/native.ts'
import { Journal } from '../state/journal.ts'
import { judgeLog, RECEIPT_BOUNDS } from './receipt-bounds.ts'

const { logsMax, logDataBytesMax, logTopicsMax } = RECEIPT_BOUNDS
const log = (other: Partial<Log> = {}): Log => ({ address: addressOf(1), topics: [], data: new Uint8Array(0), ...other })
const topics = (count: number): Hash[] => new Array<Hash>(count).fill(Hash(new Uint8Array(32)))
const encodable = (logs: readonly Log[]): boolean => {
  try {
    const [gasUsed, cumulativeGasUsed] = [0 as never, 0 as never]
    const rest = { gasUsed, cumulativeGasUsed, errorData: new Uint8Array(0), contractAddress: undefined, payer: addressOf(1) }
    codec.encode(receiptCodec, { status: 1, ...rest, logs })
    return true
  } catch {
    return false
  }
}

describe('the bounds of a receipt', () => {
  it.each([
    ['the data of a log', (n: number) => log({ data: new Uint8Array(n) }), logDataBytesMax],
    ['the topics of a log', (n: number) => log({ topics: topics(n) }), logTopicsMax],
  ])('are those of its encoding: %s', (_, make, most) => {
    for (const n of [most, most + 1]) expect(judgeLog(make(n), 0).ok).toBe(encodable([make(n)]))
    expect(judgeLog(make(most + 1), 0)).toMatchObject({
      error: { message: expect.stringContaining(`at most ${most} are allowed`) },
    })
  })

  it('are those of its encoding: the number of logs', () => {
    const many = (n: number) => new Array<Log>(n).fill(log())
    for (const n of [logsMax, logsMax + 1]) expect(judgeLog(log(), n - 1).ok).toBe(encodable(many(n)))
  })

  it('hold in a journal for each transaction, and a log that is refused is not there', () => {
    const journal = new Journal()
    for (const transaction of [1, 2]) {
      journal.beginTransaction()
      const start = journal.checkpoint()
      for (let i = 0; i < logsMax; i++) expect(journal.log(log()).ok).toBe(true)
      expect(journal.log(log())).toEqual({ ok: false, error: { message: `a transaction has at most ${logsMax} logs` } })
      expect(journal.log(log({ topics: topics(logTopicsMax + 1) })).ok, `transaction ${transaction}`).toBe(false)
      expect(journal.logsSince(start)).toHaveLength(logsMax)
    }
  })
})

it('the largest storage value and the largest code fit into a state value', () => {
  expect(CONTRACT_LIMITS.storedValueBytesMax).toBeLessThanOrEqual(LIMITS.stateValueBytesMax)
  expect(LIMITS.containerBytesMax).toBeLessThanOrEqual(LIMITS.stateValueBytesMax)
})

describe('a transaction that has all the logs that a receipt holds', () => {
  /** Creates a contract, emits this many events, and then makes the registry emit one, as `then` says. */
  const EMITS = `export default { functions: {
    run(count, then, container) {
      const target = quoin.create(container)
      for (let i = 0n; i < count; i++) quoin.emit('Plain')
      const registry = '${CODE_REGISTRY_ADDRESS}'
      const act = () => {
        if (then === 'pause') quoin.call(registry, 'setPaused(address,bool)', [target, true])
        else if (then === 'hand over') quoin.call(registry, 'setAuthority(address,address)', [target, registry])
        else if (then === 'upgrade') quoin.call(registry, 'upgrade(address,bytes,bytes)', [target, container, new Uint8Array(0)])
        else quoin.emit('Plain')
      }
      try { act() } catch (error) { return error.message }
      return 'done'
    },
  } }`
  const LINES = ['event Plain()', 'function run(uint256 count, string then, bytes container) returns (string)']
  const child = creationOf('export default {}', [], [], { upgradeAuthority: { kind: 'deployer' } })
  const gas = 200_000_000

  it.each([
    ['pause', 'setPaused'],
    ['hand over', 'setAuthority'],
    ['upgrade', 'upgrade'],
    ['emit', 'emit'],
  ])('cannot add another one, whichever contract logs: %s', (then, name) => {
    const chain = new TestContracts()
    giveCode(chain.journal, CODE_REGISTRY_ADDRESS, NATIVE_CODE, Hash(new Uint8Array(32).fill(1)))
    const contract = chain.deploy(LINES, EMITS)
    const attempt = (count: number) => {
      const start = chain.journal.checkpoint()
      const told = chain.call(contract, 'run', [BigInt(count), then, bytesToHex(child)], { gas, from: USER })
      return [told, chain.journal.logsSince(start).length]
    }
    expect(attempt(logsMax - 1)).toEqual(['done', logsMax])
    expect(attempt(logsMax)).toEqual([`${name}: a transaction has at most ${logsMax} logs`, logsMax])
  })
})
