import { readSystemRecord, reportCall, SYSTEM_RECORDS } from '@quoin/execution'
import { bytesToHex, codec, nobleCrypto as crypto, evidenceCodec } from '@quoin/protocol'
import { decodeFunctionData, encodeFunctionData, keccak256, parseAbi } from 'viem'
import { describe, expect, it } from 'vitest'
import { openTestNode, testGenesis, testValidators } from '../../test/chain.ts'
import { ManualClock } from '../../test/clock.ts'
import { testEvidence } from '../../test/evidence.ts'
import { EvidenceExchange } from './evidence-exchange.ts'
import { EvidencePool, evidenceHash } from './evidence-pool.ts'
import { EvidenceReporter } from './evidence-reporter.ts'
import { EVIDENCE_LIMITS } from './limits.ts'
import { operatorAccount } from './operator-account.ts'

const LONGEST_TURN_MS = EVIDENCE_LIMITS.reportTurns * EVIDENCE_LIMITS.reportTurnMs
const validators = testValidators(crypto, 5)
const [first, second] = validators.set.validators.map(({ address }) => address) as [never, never]
/** Genesis funds this account. */
const account = operatorAccount(crypto, new Uint8Array(32).fill(0x55))!
const abi = parseAbi(['function reportEquivocation(bytes evidence)'])

/** A node whose pool holds evidence; lets pending promises run between steps of the clock. */
async function setUp({ fees = false } = {}) {
  const genesis = testGenesis(crypto, validators.set)
  const parameters = { ...genesis.parameters, validatorsMin: 4, ...(fees ? { feePolicy: 'burn' as const } : {}) }
  const node = await openTestNode({ crypto, validators, genesis: { ...genesis, parameters } })
  await node.produce()
  const clock = new ManualClock()
  const pool = await EvidencePool.open(node.kv, crypto)
  const failures: unknown[] = []
  const transport = { peers: () => [], send: () => {}, penalise: () => {} }
  const exchange = new EvidenceExchange({
    ...{ pool, chain: node.chain, state: node.kv, transport, clock, crypto, self: undefined, logger: node.log },
  })
  const reporter = new EvidenceReporter({
    ...{ account, pool, mempool: node.pool, chain: node.chain, kv: node.kv, chainId: genesis.chainId, clock, crypto },
    ...{ logger: node.log, onFailure: (error: unknown) => failures.push(error) },
  })
  const evidence = (validator = first, height = 1) => testEvidence(crypto, node.chain.domain, validators, { validator, height })
  const pass = async (ms: number) => {
    for (let left = ms; left > 0; left -= EVIDENCE_LIMITS.reportCheckMs) {
      clock.advance(EVIDENCE_LIMITS.reportCheckMs)
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
  const entry = (address: string) => readSystemRecord(node.kv, SYSTEM_RECORDS.roster).value.find((one) => one.address === address)
  return { node, clock, pool, exchange, reporter, evidence, pass, entry, failures }
}

describe('the call that reports', () => {
  it('is what viem encodes', () => {
    const domain = { genesisHash: `0x${'00'.repeat(32)}` as never, restartEpoch: 0 }
    const evidence = testEvidence(crypto, domain, validators, { validator: first, height: 7 })
    const bytes = bytesToHex(codec.encode(evidenceCodec, evidence))
    expect(bytesToHex(reportCall(crypto, evidence).data)).toBe(encodeFunctionData({ abi, args: [bytes] }))
    expect(evidenceHash(crypto, evidence)).toBe(keccak256(bytes))
  })
})

describe('the reporter', () => {
  it.each([{ fees: false }, { fees: true }])('sends evidence in its turn; the validator loses its power ($fees)', async (how) => {
    const { node, exchange, evidence, pass, pool, entry, failures } = await setUp(how)
    exchange.found(evidence())
    await pass(LONGEST_TURN_MS)
    const [sent, ...others] = node.pool.pending()
    expect(others).toEqual([])
    expect(sent).toMatchObject({ sender: account.address, nonce: 0 })
    expect(decodeFunctionData({ abi, data: bytesToHex(sent!.data) }).args).toEqual([
      bytesToHex(codec.encode(evidenceCodec, evidence())),
    ])
    await node.produce()
    expect(entry(first)).toMatchObject({ equivocated: true })
    expect(pool.size).toBe(0)
    await node.produce()
    await node.produce()
    expect(node.chain.head.nextValidators.get(first)).toBeUndefined()
    await pass(10 * EVIDENCE_LIMITS.reportRetryMs)
    expect(node.pool.stats.count).toBe(0)
    expect(failures).toEqual([])
  })

  it('sends one piece for each key, one after another, and nothing twice while it waits', async () => {
    const { node, exchange, evidence, pass } = await setUp()
    for (const validator of [first, second]) exchange.found(evidence(validator))
    await node.produce()
    exchange.found(evidence(first, 2))
    await pass(LONGEST_TURN_MS + EVIDENCE_LIMITS.reportRetryMs * 5)
    expect(node.pool.pending().map(({ nonce }) => nonce)).toEqual([0, 1])
  })

  it('does not report what another one brought before its turn', async () => {
    const { node, exchange, evidence, pass, pool } = await setUp()
    exchange.found(evidence())
    const other = operatorAccount(crypto, new Uint8Array(32).fill(0x66))!
    const { header, parameters } = node.chain.head
    const call = reportCall(crypto, evidence())
    const fields = {
      type: 2,
      chainId: 31_337,
      nonce: 0,
      maxPriorityFeePerGas: 0n,
      maxFeePerGas: 0n,
      gasLimit: 1_000_000,
      value: 0n,
    }
    await node.produce([other.sign({ ...fields, ...call, accessList: [] } as never)])
    expect([header.number, parameters.feePolicy, pool.size]).toEqual([1, 'free', 0])
    await pass(2 * LONGEST_TURN_MS)
    expect(node.pool.stats.count).toBe(0)
  })

  it('tries again later if the pool refuses or loses the transaction, a few times', async () => {
    const { node, exchange, evidence, pass } = await setUp()
    exchange.found(evidence())
    await pass(LONGEST_TURN_MS)
    for (let attempt = 2; attempt <= 3; attempt++) {
      node.pool.drop(node.pool.pending().map(({ hash }) => hash))
      expect(node.pool.stats.count).toBe(0)
      await pass(EVIDENCE_LIMITS.reportRetryMs * 2 ** (attempt - 2))
      expect(node.pool.stats.count).toBe(1)
    }
    for (let i = 0; i < 8; i++) {
      node.pool.drop(node.pool.pending().map(({ hash }) => hash))
      await pass(EVIDENCE_LIMITS.reportRetryMsMax)
    }
    expect(node.pool.stats.count).toBe(0)
    expect(node.log.lines.filter(({ message }) => message === 'reported equivocation to the chain')).toHaveLength(
      EVIDENCE_LIMITS.reportAttemptsMax,
    )
  }, 60_000)

  it('stops when it is closed', async () => {
    const { node, exchange, evidence, pass, reporter } = await setUp()
    exchange.found(evidence())
    await reporter.close()
    await pass(LONGEST_TURN_MS)
    expect(node.pool.stats.count).toBe(0)
  })
})
