import {
  bytesToHex,
  codec,
  decodeTransaction,
  Gas,
  type Hash,
  ok,
  receiptCodec,
  receiptsCodec,
  type Transaction,
  unwrap,
} from '@quoin/protocol'
import { decodeErrorResult } from 'viem'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { crypto, TestChain, testGenesis } from '../../test/chain.ts'
import { abiOf, creationOf } from '../../test/contracts.ts'
import { contractInterpreter } from '../../test/interpreter.ts'
import type { MemoryKv } from '../../test/memory-kv.ts'
import { Touches } from '../../test/touches.ts'
import { addressOf, CHAIN_ID, executable, inOrder, type Spec, transfer } from '../../test/transactions.ts'
import { createContracts } from '../contract/contracts.ts'
import { CODE_REGISTRY_ADDRESS } from '../contract/native/code-registry.ts'
import type { BlockTemplate, ExecutableTransaction } from '../executor.ts'
import { InterpreterFault } from '../fault.ts'
import { createExecutor } from '../inline.ts'
import { Journal } from '../state/journal.ts'
import { BlockRun, blockContext, blockRules, executeAll, type SenderTransaction } from './block.ts'
import { fillBlock } from './fill.ts'

const [alice, bob, carol, miner] = [addressOf(1), addressOf(2), addressOf(3), addressOf(4)] as const
const WHOLE = { gasMax: 72_000_000, bytesMax: 1_000_000, part: 1 }
const genesis = testGenesis(new Map([alice, bob, carol].map((address) => [address, 10n ** 24n])))
const GAS = 15_000_000

/** A constructor that logs, stores, and calls a native contract. */
const LOGS = creationOf(
  `export default {
    constructor() {
      quoin.emit('Made', 7n)
      quoin.store('uint256', 'n', quoin.balanceOf(quoin.self) + 1n)
      quoin.staticCall('0x000000000000000000000000000000000000c0de', 'describe(address) returns (uint256)', [quoin.self])
    },
  }`,
  abiOf(['constructor()', 'event Made(uint256 indexed n)']),
)
/** A constructor that fails. */
const FAILS = creationOf(`export default { constructor() { throw new Error('not today') } }`, abiOf(['constructor()']))

const creation = (data: Uint8Array): Spec => ({ ...transfer(bob, 0, bob, 0n), to: undefined, data, gas: GAS })
const SUBJECTS = {
  'a creation': creation(LOGS),
  'a transaction that fails': creation(FAILS),
  'a transfer': transfer(bob, 0, carol, 5n),
}
const before = executable(transfer(alice, 0, bob, 1n))
const behind = executable(transfer(carol, 0, bob, 1n))
const hashOf = (spec: Spec): Hash => decode(executable(spec)).transaction.hash

function decode({ raw, sender }: ExecutableTransaction): SenderTransaction {
  return { transaction: unwrap(decodeTransaction(crypto, CHAIN_ID, raw)), sender }
}

const WAYS = {
  'when a block is built'(run: BlockRun, items: readonly SenderTransaction[]) {
    const next = items.values()
    const candidates = items.map(({ transaction, sender }) => ({ ...transaction, sender }))
    return fillBlock(run, inOrder(candidates), () => ok(next.next().value!), WHOLE)
  },
  'when a block is executed': (run: BlockRun, items: readonly SenderTransaction[]) => unwrap(executeAll(run, items)),
} as const

const writeReceipt = receiptCodec.write.bind(receiptCodec)

/** A block run that counts every access of one transaction to the objects around it. */
function runOf(chain: TestChain, touches: Touches, template: BlockTemplate, subject: Hash): BlockRun {
  const kv = touches.calls('kv', chain.kv) as Pick<MemoryKv, 'get'>
  const powers = { crypto: touches.calls('crypto', crypto), interpreter: touches.calls('interpreter', contractInterpreter()) }
  const contracts = createContracts({
    ...powers,
    chainId: genesis.chainId,
    reader: kv,
    executionVersion: genesis.executionVersion,
  })
  const rules = touches.reads('rules', blockRules(template, chain.kv))
  vi.spyOn(receiptCodec, 'write').mockImplementation((...values) => {
    touches.touch('receiptCodec.write')
    writeReceipt(...values)
  })
  return new BlockRun(contracts, rules, new Journal(kv), blockContext(template, rules), {
    onTransaction(hash) {
      if (hash === subject) touches.start()
      touches.touch('observer.onTransaction')
      if (hash === undefined) touches.stop()
    },
    onFailure: () => touches.touch('observer.onFailure'),
  })
}

afterEach(() => vi.restoreAllMocks())

describe.each(Object.entries(WAYS))('whatever throws %s', (_, way) => {
  it.each(Object.entries(SUBJECTS))('while it works on %s is a fault of that transaction', async (_, spec) => {
    const chain = await TestChain.start(genesis)
    const template = chain.template(miner)
    const subject = decode(executable(spec))
    const { hash } = subject.transaction
    const attempt = (failing?: number): Touches => {
      const touches = new Touches(failing)
      const transaction: Transaction = touches.reads('transaction', subject.transaction, ['hash'])
      const run = runOf(chain, touches, template, hash)
      way(run, [decode(before), { ...subject, transaction }, decode(behind)])
      expect(run.count).toBe(3)
      return touches
    }
    // The first run fills the process-wide cache of address texts.
    attempt()
    const { names } = attempt()
    for (const step of STEPS[spec === SUBJECTS['a creation'] ? 'creation' : 'any']) expect(names).toContain(step)
    for (const [failing, name] of names.entries()) {
      const fault = thrownBy(() => attempt(failing))
      expect(fault, name).toBeInstanceOf(InterpreterFault)
      expect(fault, name).toMatchObject({ transaction: hash, cause: { message: `fault injected at ${name}` } })
    }
  })
})

/** Steps of a transaction in a block, by the objects that each step touches. */
const STEPS = {
  any: [
    'observer.onTransaction',
    'rules.sending',
    'transaction.gasLimit',
    'transaction.nonce',
    'rules.gasLimit',
    'transaction.value',
    'kv.get',
    'receiptCodec.write',
  ],
  creation: ['interpreter.compile', 'interpreter.call', 'crypto.keccak256', 'receiptCodec.write', 'interpreter.packImage'],
}

describe('a transaction with more logs than a receipt holds', () => {
  const LOGGER = `export default {
    constructor(events, calls) {
      const target = quoin.create(quoin.decodeHex('CHILD'))
      for (let i = 0n; i < events; i++) quoin.emit('Plain')
      for (let i = 0n; i < calls; i++) quoin.call('${CODE_REGISTRY_ADDRESS}', 'setPaused(address,bool)', [target, true])
    },
  }`
  const child = bytesToHex(creationOf('export default {}', [], [], { upgradeAuthority: { kind: 'deployer' } }))
  const abi = abiOf(['constructor(uint256 events, uint256 calls)', 'event Plain()'])
  const logger = (events: bigint, calls: bigint) => creation(creationOf(LOGGER.replace('CHILD', child), abi, [events, calls]))

  it.each([
    ['its own', 1025n, 0n, 'emit'],
    ['those of a native contract', 1024n, 1n, 'setPaused'],
  ])('fails, as one of many in its block: %s', async (_, events, calls, name) => {
    const gas = 200_000_000
    const limits = { blockGasMax: Gas(4 * gas), transactionGasMax: Gas(gas) }
    const chain = await TestChain.start(testGenesis(new Map([alice, bob, carol].map((sender) => [sender, 10n ** 24n])), limits))
    const items = [before, executable({ ...logger(events, calls), gas }), behind]
    const built = await chain.executor.build(chain.template(miner), inOrder(items), { ...WHOLE, gasMax: 4 * gas })
    expect(built.included).toEqual([0, 1, 2])
    const [, receipt] = unwrap(codec.decode(receiptsCodec, built.receipts))
    expect(receipt).toMatchObject({ status: 0, logs: [] })
    const reason = decodeErrorResult({ data: bytesToHex(receipt!.errorData) }).args[0]
    expect(reason).toBe(`${name}: a transaction has at most 1024 logs`)
    expect(unwrap(await (await chain.reopened()).executor.execute(chain.template(miner), items)).hash).toBe(built.hash)
  })
})

describe('an executor', () => {
  /** Throws on the first request for the hash of these bytes. */
  function cryptoFailingAt(bytes: Uint8Array): typeof crypto {
    let fails = true
    const keccak256 = (data: Uint8Array): Uint8Array => {
      if (data !== bytes || !fails) return crypto.keccak256(data)
      fails = false
      throw new RangeError('Maximum call stack size exceeded')
    }
    return { ...crypto, keccak256 }
  }
  const options = { chainId: genesis.chainId, interpreter: contractInterpreter(), treeDepth: 4, historyHeights: 2 }
  const faultOf = async (promise: Promise<unknown>): Promise<unknown> => promise.then(unwrapped, (error: unknown) => error)
  const unwrapped = (): never => {
    throw new Error('nothing failed')
  }

  it('that fails while it decodes a transaction says which, and serves on as if it had not been asked', async () => {
    const chain = await TestChain.start(genesis)
    const bad = executable(SUBJECTS['a transfer'])
    const executor = unwrap(await createExecutor({ ...options, kv: chain.kv, crypto: cryptoFailingAt(bad.raw) }))
    const other = unwrap(await createExecutor({ ...options, kv: chain.kv, crypto: cryptoFailingAt(bad.raw) }))
    const fault = { name: 'InterpreterFault', transaction: hashOf(SUBJECTS['a transfer']), cause: { name: 'RangeError' } }
    const template = chain.template(miner)
    expect(await faultOf(executor.build(template, inOrder([before, bad, behind]), WHOLE))).toMatchObject(fault)
    expect(await faultOf(other.execute(template, [before, bad, behind]))).toMatchObject(fault)
    const built = await executor.build(template, inOrder([before, behind]), WHOLE)
    expect(built.hash).toBe((await chain.executor.build(template, inOrder([before, behind]), WHOLE)).hash)
  })

  it('that fails at the end of a block fails without a transaction', async () => {
    const chain = await TestChain.start(genesis)
    let fails = false
    const failing: typeof crypto = {
      ...crypto,
      sha256(data) {
        if (fails) throw new RangeError('Maximum call stack size exceeded')
        return crypto.sha256(data)
      },
    }
    const executor = unwrap(await createExecutor({ ...options, kv: chain.kv, crypto: failing }))
    fails = true
    const template = chain.template(miner)
    const fault = { name: 'InterpreterFault', transaction: undefined, cause: { name: 'RangeError' } }
    expect(await faultOf(executor.build(template, inOrder([before]), WHOLE))).toMatchObject(fault)
    expect(await faultOf(executor.execute(template, [before]))).toMatchObject(fault)
  })
})

function thrownBy(action: () => unknown): unknown {
  try {
    action()
    return undefined
  } catch (error) {
    return error
  }
}
