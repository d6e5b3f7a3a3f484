import {
  type Address,
  bytesToHex,
  codec,
  type Gas,
  genesisDigest,
  type Hash,
  type Header,
  headerHash,
  headerRlp,
  LIMITS,
  receiptsCodec,
  receiptsRoot,
  storageKey,
  transactionsRoot,
  unwrap,
  validatorSetHash,
  type Wei,
  ZERO_HASH,
} from '@quoin/protocol'
import { describe, expect, it } from 'vitest'
import { containerOf } from '../../../test/contracts/contract.mjs'
import { crypto, openExecutor, TestChain, testGenesis } from '../test/chain.ts'
import { chainCall, GOVERNOR, startGoverned, stored } from '../test/governed.ts'
import { contractInterpreter } from '../test/interpreter.ts'
import { MemoryKv } from '../test/memory-kv.ts'
import { addressOf, executable, inOrder, transfer } from '../test/transactions.ts'
import type { ExecutedBlock } from './executor.ts'
import { createExecutor } from './inline.ts'
import { EXECUTOR_LIMITS } from './limits.ts'
import { unpackOps } from './pack.ts'
import { stateAt } from './state/history.ts'
import { flatKeyOf } from './state/keys.ts'
import { readParameters, SYSTEM_ADDRESS, SYSTEM_RECORDS } from './state/system-records.ts'

const [alice, bob, miner] = [addressOf(1), addressOf(2), addressOf(3)] as const
const FILL = { gasMax: 60_000_000, bytesMax: LIMITS.blockBytesMax, part: 1 }
const genesis = testGenesis(new Map([[alice, 10n ** 24n]]))
const start = () => TestChain.start(genesis)
const pay = (nonce: number, to: Address = bob) => executable(transfer(alice, nonce, to, 1n))
const executed = async (chain: TestChain, count: number, afterMs = 500): Promise<ExecutedBlock> =>
  unwrap(
    await chain.executor.execute(
      chain.template(miner, afterMs),
      Array.from({ length: count }, (_, nonce) => pay(nonce)),
    ),
  )

describe('genesis', () => {
  it('is a block whose header binds the document, the version and the validators', async () => {
    const kv = new MemoryKv()
    const executor = await openExecutor(kv)
    const { header, hash, receipts } = await executor.genesis(genesis)
    const validatorsHash = validatorSetHash(crypto, genesis.validators)
    expect(hash).toBe(headerHash(crypto, header))
    expect(header).toMatchObject({
      number: 0,
      parentHash: ZERO_HASH,
      genesisDigest: genesisDigest(crypto, genesis),
      timeMs: genesis.timeMs,
      baseFeePerGas: 0n,
      gasUsed: 0,
      extra: { executionVersion: executor.version, validatorsHash, nextValidatorsHash: validatorsHash },
    })
    expect(codec.decode(receiptsCodec, receipts)).toEqual({ ok: true, value: [] })
  })

  it('carries the initial base fee where fees are charged, and the first block takes it', async () => {
    const chain = await TestChain.start(testGenesis(new Map(), { feePolicy: 'burn', initialBaseFee: 77n as Wei }))
    expect(chain.head.header.baseFeePerGas).toBe(77n)
    expect((await executed(chain, 0)).header.baseFeePerGas).toBe(77n)
  })

  it('is refused twice, for another version, and for more money than there is', async () => {
    const chain = await start()
    await expect(chain.executor.genesis(genesis)).rejects.toThrow(/already holds the state of block 0/)
    const executor = await openExecutor(new MemoryKv())
    await expect(executor.genesis({ ...genesis, executionVersion: ZERO_HASH })).rejects.toThrow(/execution version/)
    const rich = new Map([
      [alice, 2n ** 255n],
      [bob, 2n ** 255n],
    ])
    await expect(executor.genesis(testGenesis(rich))).rejects.toThrow(RangeError)
  })
})

describe('a block', () => {
  it('has the roots of its content', async () => {
    const chain = await start()
    const { header, hash, receipts } = await executed(chain, 3)
    const list = unwrap(codec.decode(receiptsCodec, receipts))
    expect(header.receiptsRoot).toBe(bytesToHex(receiptsRoot(crypto, list)))
    const hashes = [0, 1, 2].map((nonce) => bytesToHex(crypto.keccak256(pay(nonce).raw)) as Hash)
    expect(header.transactionsRoot).toBe(bytesToHex(transactionsRoot(crypto, hashes)))
    expect(hash).toBe(bytesToHex(crypto.keccak256(headerRlp(crypto, header))))
    expect(header).toMatchObject({ number: 1, gasUsed: 63_000, miner, parentHash: chain.head.hash, genesisDigest: undefined })
  })

  it('carries this execution version, whatever the template says', async () => {
    const chain = await start()
    const template = chain.template(miner)
    const foreign = { ...template, extra: { ...template.extra, executionVersion: ZERO_HASH } }
    expect(unwrap(await chain.executor.execute(foreign, [])).header.extra.executionVersion).toBe(chain.executor.version)
  })

  it('must be later than its parent', async () => {
    const chain = await start()
    const late = chain.template(miner, 0)
    expect(await chain.executor.execute(late, [])).toMatchObject({ ok: false, error: { code: 'time' } })
    await expect(chain.executor.build(late, [], FILL)).rejects.toThrow(RangeError)
    expect((await chain.executor.execute(chain.template(miner, 1), [])).ok).toBe(true)
  })

  it('is refused beyond its limits', async () => {
    const chain = await start()
    const big = new Uint8Array(250 * 1024)
    const heavy = Array.from({ length: 17 }, (_, nonce) =>
      executable(transfer(alice, nonce, bob, 1n, { data: big, gas: 2_000_000 })),
    )
    expect(await chain.executor.execute(chain.template(miner), heavy)).toMatchObject({
      ok: false,
      error: { code: 'body-too-large' },
    })
    const built = await chain.executor.build(chain.template(miner), inOrder(heavy), FILL)
    expect(built.included).toHaveLength(16)
  })

  it('leaves room for the gas limit of each transaction, used or not', async () => {
    const parameters = { blockGasMax: 1_000_000 as Gas, transactionGasMax: 250_000 as Gas }
    const chain = await TestChain.start(testGenesis(new Map([[alice, 10n ** 24n]]), parameters))
    const using = (nonce: number, gas: number) =>
      executable(transfer(alice, nonce, bob, 1n, { data: new Uint8Array(12_500).fill(1), gas }))
    const four = [0, 1, 2, 3].map((nonce) => using(nonce, 221_000))
    const fits = transfer(alice, 4, bob, 1n, { gas: 1_000_000 - 4 * 221_000 })
    expect((await chain.executor.execute(chain.template(miner), [...four, executable(fits)])).ok).toBe(true)
    const greedy = executable({ ...fits, gas: fits.gas + 1 })
    const result = await chain.executor.execute(chain.template(miner), [...four, greedy])
    expect(result).toMatchObject({ ok: false, error: { code: 'gas-limit', message: expect.stringContaining('116000') } })
    expect((await chain.executor.build(chain.template(miner), inOrder([...four, greedy]), FILL)).included).toEqual([0, 1, 2, 3])
  })

  it('takes no further transaction once the part to be filled is used, whatever the gas limits are', async () => {
    const chain = await start()
    const build = async (part: number, candidates: Parameters<typeof inOrder>[0]) =>
      (await chain.executor.build(chain.template(miner), inOrder(candidates), { ...FILL, part })).included.length
    const payments = Array.from({ length: 60 }, (_, nonce) => pay(nonce))
    expect(await build(1, payments)).toBe(60)
    // 1 % of 60 million gas is 600,000: 28 payments use less, 29 use as much.
    expect(await build(0.01, payments)).toBe(29)
    const limit = 15_000_000
    const greedy = Array.from({ length: 60 }, (_, nonce) => executable(transfer(alice, nonce, bob, 1n, { gas: limit })))
    expect(await build(0.01, greedy)).toBe(29)
    const large = Array.from({ length: 3 }, (_, nonce) =>
      executable(transfer(alice, nonce, bob, 1n, { data: new Uint8Array(250 * 1024), gas: 2_000_000 })),
    )
    expect(await build(0.1, large)).toBe(2)
  })

  it('names the malformed transaction, and building leaves it out', async () => {
    const chain = await start()
    const bad = { raw: Uint8Array.of(1, 2, 3), sender: alice, gasLimit: 21_000 }
    const result = await chain.executor.execute(chain.template(miner), [pay(0), bad])
    expect(result).toMatchObject({ ok: false, error: { code: 'invalid-transaction', index: 1, reason: { code: 'malformed' } } })
    const built = await chain.executor.build(chain.template(miner), inOrder([bad, pay(0), bad, pay(1)]), FILL)
    expect(built.included).toEqual([1, 3])
    expect(built.refused.map(({ index }) => index)).toEqual([0, 2])
  })

  it('settles the system records at its end: the good copy follows each value that the block writes', async () => {
    const chain = await startGoverned()
    const change = [chainCall(GOVERNOR, 0, 'setParameter', ['blockIntervalMs', 777n])]
    await stored(chain, change)
    const changed = { ...genesis.parameters, blockIntervalMs: 777 }
    expect(readParameters(chain.kv)).toEqual({ value: changed, problem: undefined })
    chain.kv.write([{ key: flatKeyOf(storageKey(SYSTEM_ADDRESS, SYSTEM_RECORDS.parameters.key)), value: Uint8Array.of(99) }])
    expect(readParameters(chain.kv)).toMatchObject({ value: changed, problem: expect.stringContaining('parameters') })
  })

  it('that was refused or not chosen leaves nothing behind', async () => {
    const chain = await start()
    const clean = await executed(await start(), 2)
    await chain.executor.execute(chain.template(miner), [pay(0), pay(5)])
    await executed(chain, 5, 700)
    expect((await executed(chain, 2)).hash).toBe(clean.hash)
  })
})

describe('candidates of one height', () => {
  it('are kept until one is committed, and give the same outcome in any order', async () => {
    const first = await start()
    const second = await start()
    const a = await executed(first, 3)
    const b = await executed(first, 1, 800)
    const b2 = await executed(second, 1, 800)
    const a2 = await executed(second, 3)
    expect([a.hash, b.hash]).toEqual([a2.hash, b2.hash])
    expect(await executed(first, 3)).toBe(a)
    for (const [chain, chosen] of [
      [first, b],
      [second, b2],
    ] as const) {
      await chain.store(chosen)
      await expect(chain.executor.commit(chosen.hash)).rejects.toThrow(/not executed on the current state/)
      await expect(chain.executor.commit(a.hash)).rejects.toThrow(/not executed on the current state/)
    }
    const next = [pay(1), pay(2)]
    const blocks = await Promise.all([first, second].map((chain) => chain.executor.execute(chain.template(miner), next)))
    expect(unwrap(blocks[0]!).hash).toBe(unwrap(blocks[1]!).hash)
  })

  it('are forgotten beyond the limit, the one used longest ago first', async () => {
    const chain = await start()
    const oldest = await executed(chain, 1, 1)
    const second = await executed(chain, 1, 2)
    for (let ms = 3; ms <= EXECUTOR_LIMITS.executedBlocksMax; ms++) await executed(chain, 1, ms)
    expect(await executed(chain, 1, 1)).toBe(oldest)
    await executed(chain, 1, 1_000)
    await expect(chain.executor.commit(second.hash)).rejects.toThrow(/evicted/)
    await chain.store(oldest)
  })

  it('stand only on the state that the database holds', async () => {
    const chain = await start()
    const stale = chain.template(miner)
    await chain.store(await executed(chain, 1))
    await expect(chain.executor.execute(stale, [])).rejects.toThrow(/database holds the state of block 1/)
    await expect((await openExecutor(new MemoryKv())).build(stale, [], FILL)).rejects.toThrow(/holds no state/)
    const forged: Header = { ...chain.head.header, stateRoot: ZERO_HASH }
    await expect(chain.executor.execute({ ...chain.template(miner), parent: forged }, [])).rejects.toThrow(
      'the parent is block 1',
    )
  })
})

describe('the executor', () => {
  it('gives the same blocks at every tree depth', async () => {
    const shallow = await TestChain.start(genesis, 1)
    const deep = await TestChain.start(genesis, 10)
    for (const count of [3, 0]) {
      const blocks = await Promise.all([shallow, deep].map(async (chain) => executed(chain, count)))
      expect(blocks[0]!.hash).toBe(blocks[1]!.hash)
      await shallow.store(blocks[0]!)
      await deep.store(blocks[1]!)
    }
  })

  it('refuses a database of another tree depth as a value', async () => {
    const { kv } = await TestChain.start(genesis, 4)
    const opened = await createExecutor({
      kv,
      crypto,
      chainId: genesis.chainId,
      interpreter: contractInterpreter(),
      treeDepth: 5,
      historyHeights: 2,
    })
    expect(opened).toMatchObject({ ok: false, error: { code: 'other-depth', depth: 4 } })
  })

  it('does nothing once it is closed', async () => {
    const chain = await start()
    await chain.executor.close()
    await expect(chain.executor.execute(chain.template(miner), [])).rejects.toThrow(/closed/)
    await expect(chain.executor.commit(chain.head.hash)).rejects.toThrow(/closed/)
  })
})

describe('reads of past state', () => {
  it('see one height although a block is committed in their midst', async () => {
    const chain = await start()
    await chain.store(await executed(chain, 1))
    const next = unwrap(await chain.executor.execute(chain.template(miner), [pay(1)]))
    // A block is committed between the two reads, whichever comes first.
    let committed = false
    const commitOnce = () => {
      if (!committed) chain.kv.write(unpackOps(next.ops))
      committed = true
    }
    const interrupted = {
      get(key: Uint8Array) {
        const value = chain.kv.get(key)
        commitOnce()
        return value
      },
      async *scan(range: { readonly from: Uint8Array; readonly to: Uint8Array }) {
        const entries = []
        for await (const entry of chain.kv.scan(range)) entries.push(entry)
        commitOnce()
        yield* entries
      },
    }
    const account = await stateAt(interrupted, 1).account(alice)
    expect(account).toMatchObject({ nonce: 1, balance: 10n ** 24n - 1n })
    expect(await stateAt(chain.kv, 2).account(alice)).toMatchObject({ nonce: 2 })
    expect(await stateAt(chain.kv, 0).account(bob)).toMatchObject({ nonce: 0, balance: 0n })
  })

  it('have the system records', async () => {
    const chain = await start()
    expect((await stateAt(chain.kv, 0).record(SYSTEM_RECORDS.parameters)).value).toEqual(genesis.parameters)
  })
})

describe('a development chain', () => {
  it('writes to the state before the transactions of a block, as part of the block', async () => {
    const kv = new MemoryKv()
    const gifts = new Map<Address, bigint>()
    const seen: number[] = []
    const options = { kv, crypto, chainId: genesis.chainId, interpreter: contractInterpreter(), treeDepth: 4, historyHeights: 2 }
    const executor = unwrap(
      await createExecutor({
        ...options,
        beforeBlock(journal, { number }) {
          seen.push(number)
          for (const [address, balance] of gifts)
            journal.setAccount(address, { ...journal.account(address), balance: balance as Wei })
        },
      }),
    )
    const chain = new TestChain(kv, executor, await executor.genesis(genesis))
    await chain.store(chain.head as ExecutedBlock)
    gifts.set(bob, 50_000n)
    const spends = executable(transfer(bob, 0, miner, 50_000n, { maxFee: 0n, tip: 0n }))
    const block = unwrap(await executor.execute(chain.template(miner), [spends]))
    expect(codec.decode(receiptsCodec, block.receipts)).toMatchObject({ value: [{ status: 1 }] })
    await chain.store(block)
    expect((await stateAt(kv, 0).account(bob)).balance).toBe(0n)
    expect((await stateAt(kv, 1).account(miner)).balance).toBe(50_000n)
    gifts.set(bob, 7n)
    await chain.store(unwrap(await executor.execute(chain.template(miner), [])))
    expect((await stateAt(kv, 1).account(bob)).balance).toBe(0n)
    expect((await stateAt(kv, 2).account(bob)).balance).toBe(7n)
    expect(seen).toEqual([1, 2])
  })
})

describe('an observer', () => {
  it('gets the reason of a failed transaction, which no block contains', async () => {
    const kv = new MemoryKv()
    const told: [string, unknown][] = []
    const executor = unwrap(
      await createExecutor({
        ...{ kv, crypto, chainId: genesis.chainId, interpreter: contractInterpreter(), treeDepth: 4, historyHeights: 2 },
        onTransaction: (hash) => void told.push([hash === undefined ? 'ends' : 'runs', hash]),
        onFailure: (hash, failure) => void told.push(['failed', { hash, ...failure }]),
      }),
    )
    const chain = new TestChain(kv, executor, await executor.genesis(genesis))
    await chain.store(chain.head as ExecutedBlock)
    const source = "export default { constructor() { throw new Error('not today') } }"
    const data = containerOf(source, [{ type: 'constructor', inputs: [], stateMutability: 'nonpayable' }])
    const fails = executable({ ...transfer(alice, 1, bob, 0n), to: undefined, data, gas: 15_000_000 })
    const block = unwrap(await executor.execute(chain.template(miner), [pay(0), fails]))
    const errorData = unwrap(codec.decode(receiptsCodec, block.receipts))[1]?.errorData
    expect(told.map(([what]) => what)).toEqual(['runs', 'ends', 'runs', 'failed', 'ends'])
    expect(told[3]![1]).toMatchObject({
      hash: told[2]![1],
      reason: 'not today',
      data: errorData,
      trace: [{ stack: expect.stringContaining('at constructor') }],
    })
  })
})
