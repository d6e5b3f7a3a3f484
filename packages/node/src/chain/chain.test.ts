import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { EXECUTOR_LIMITS, flatKeyOf, SYSTEM_RECORDS } from '@quoin/execution'
import { MemoryKv } from '@quoin/platform'
import {
  type Address,
  accountFromValue,
  accountKey,
  codec,
  DEFAULT_PARAMETERS,
  type Gas,
  Hash,
  type Header,
  type Height,
  headerHash,
  idOfName,
  type TimeMs,
  unwrap,
  validatorSetHash,
  ZERO_HASH,
} from '@quoin/protocol'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  amend,
  certify,
  openTestExecutor,
  openTestNode,
  type TestNode,
  testAccounts,
  testGenesis,
  testTransfers,
  testValidators,
} from '../../test/chain.ts'
import { crypto, fourValidators as validators } from '../../test/fixture.ts'
import { addedValidator, chainCall, governedGenesis, provenReady } from '../../test/governing.ts'
import type { Kv } from '../powers.ts'
import { BlockStore } from '../store/block-store.ts'
import { type OwnedKv, openClassicKv } from '../store/classic-kv.ts'
import { createChain } from './chain.ts'
import type { CandidateBlock, Head } from './types.ts'

let directory: string
let level: OwnedKv
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'quoin-chain-'))
  level = await openClassicKv(join(directory, 'db'))
})
afterEach(async () => {
  await level.close()
  await rm(directory, { recursive: true })
})

const open = (kv: Kv = level) => openTestNode({ crypto, validators, kv })
const request = (node: TestNode, ms = 500) => ({
  timeMs: (node.chain.head.header.timeMs + ms) as TimeMs,
  feeAddress: validators.set.validators[0]!.feeAddress,
  fillGasMax: DEFAULT_PARAMETERS.blockGasMax,
})
const balanceOf = (kv: Kv, address: string) =>
  accountFromValue(kv.get(flatKeyOf(accountKey(address.toLowerCase() as Address)))).balance
/** A head without the sets' methods, which cannot be compared. */
const plain = ({ validators: voters, nextValidators, ...rest }: Head) => ({
  ...rest,
  validators: voters.validators,
  nextValidators: nextValidators.validators,
})
const sealed = (header: Header, from: CandidateBlock): CandidateBlock => ({ ...from, header, hash: headerHash(crypto, header) })

describe('createChain', () => {
  it('starts from genesis in an empty database, the same block 0 everywhere', async () => {
    const [node, other] = [await open(), await open(new MemoryKv())]
    const { head, domain } = node.chain
    expect(head.header.number).toBe(0)
    expect(head.hash).toBe(other.chain.head.hash)
    expect(domain).toEqual({ genesisHash: head.hash, restartEpoch: 0 })
    expect(head.validators.validators).toEqual(validators.set.validators)
    expect(node.chain.validatorsAt(1 as Height)?.validators).toEqual(validators.set.validators)
    expect(node.chain.validatorsAt(2 as Height)?.validators).toEqual(validators.set.validators)
    expect(node.chain.validatorsAt(3 as Height)).toBeUndefined()
  })

  it('goes on where it stopped after reopening', async () => {
    const node = await open()
    const raws = await testTransfers(testAccounts[1]!, 0, 3)
    const block = await node.produce(raws)
    await level.close()
    level = await openClassicKv(join(directory, 'db'))
    const again = await open()
    expect(plain(again.chain.head)).toEqual(plain(node.chain.head))
    expect(again.chain.head.hash).toBe(block.hash)
    await again.produce(await testTransfers(testAccounts[1]!, 3, 2))
    expect(again.chain.head.header.number).toBe(2)
    expect(balanceOf(level, testAccounts[0]!.address)).toBe(10n ** 18n + 5n)
  })

  it('refuses the data directory of another genesis, another execution version, and a restart', async () => {
    await open()
    const node = await open(new MemoryKv())
    const store = unwrap(BlockStore.open(level, crypto))
    const attempt = async (genesis: ReturnType<typeof testGenesis>) =>
      createChain({ ...node, logger: node.log, mempool: node.pool, kv: level, store, crypto, genesis })
    const base = testGenesis(crypto, validators.set)
    const other = await attempt({ ...base, timeMs: 5 as TimeMs })
    expect(other).toMatchObject({ ok: false, error: { code: 'other-genesis' } })
    expect(!other.ok && other.error.message).toMatch(/--reset/)
    const version = await attempt({ ...base, executionVersion: ZERO_HASH })
    expect(version).toMatchObject({ ok: false, error: { code: 'execution-version' } })
    const restart = { epoch: 1, height: 0 as Height, blockHash: ZERO_HASH, validators: validators.set }
    expect(await attempt({ ...base, restart })).toMatchObject({ ok: false, error: { code: 'restart' } })
  })

  it('does not open when the head was lost from under the state, or the state from under the head', async () => {
    const node = await open(new MemoryKv())
    const before = (node.kv as MemoryKv).clone()
    await node.produce(await testTransfers(testAccounts[1]!, 0, 1))
    const headOfBefore = Array.from({ length: 12 }, (_, space) => ({
      key: Uint8Array.of(space),
      value: before.get(Uint8Array.of(space)),
    }))
    const torn = (node.kv as MemoryKv).clone()
    torn.apply(headOfBefore)
    await expect(open(torn)).rejects.toThrow(
      /damaged: executing on the head, block \d+, failed: .*the database holds the state of block 1/,
    )
  })
})

describe('build, validate, commit', () => {
  it('makes a block that another node validates and commits to the same state', async () => {
    const [builder, other] = [await open(), await open(new MemoryKv())]
    const raws = await testTransfers(testAccounts[1]!, 0, 5)
    for (const raw of raws) unwrap(await builder.pool.add(raw, 'rpc'))
    const block = await builder.chain.build(request(builder))
    expect(block.transactions).toHaveLength(5)
    const received = { ...block, transactions: unwrap(await other.pool.verify(raws)) }
    expect(await other.chain.validate(received)).toEqual({ ok: true, value: undefined })
    const certificate = certify(crypto, builder.chain.domain, validators, block, 3)
    const heads = [await builder.chain.commit(block, certificate), await other.chain.commit(received, certificate)]
    expect(plain(heads[0]!)).toEqual(plain(heads[1]!))
    expect(builder.pool.stats.count).toBe(0)
    expect(balanceOf(other.kv, testAccounts[0]!.address)).toBe(10n ** 18n + 5n)
  })

  it('stores everything that a block brings: body, senders, receipts, certificate, indexes, validators', async () => {
    const node = await open()
    const raws = await testTransfers(testAccounts[2]!, 0, 3)
    const block = await node.produce(raws)
    const height = 1 as Height
    const { store } = node
    expect(store.head).toEqual({ header: block.header, hash: block.hash })
    expect(store.heightOf(block.hash)).toBe(1)
    expect(store.body(height)).toEqual(raws)
    expect(store.senders(height)).toEqual(block.transactions.map(({ hash, sender }) => ({ hash, sender })))
    expect(store.receipts(height)?.map(({ cumulativeGasUsed }) => cumulativeGasUsed)).toEqual([21_000, 42_000, 63_000])
    expect(block.transactions.map(({ hash }) => store.locate(hash))).toEqual([0, 1, 2].map((index) => ({ height, index })))
    expect(store.certificate(height)?.blockHash).toBe(block.hash)
    expect(store.validators(3 as Height)?.validators).toEqual(validators.set.validators)
  })

  it('executes a block once: what was built or validated is not executed again', async () => {
    const node = await open()
    let executions = 0
    const { executor } = node
    const execute = executor.execute.bind(executor)
    executor.execute = (...args) => {
      executions++
      return execute(...args)
    }
    const other = await open(new MemoryKv())
    const block = await other.produce()
    for (let i = 0; i < 3; i++) expect((await node.chain.validate(block)).ok).toBe(true)
    await node.chain.commit(block, other.store.certificate(1 as Height)!)
    expect(executions).toBe(1)
    const built = await node.chain.build(request(node))
    expect((await node.chain.validate(built)).ok).toBe(true)
    await node.chain.commit(built, certify(crypto, node.chain.domain, validators, built))
    expect(executions).toBe(1)
  })

  it('commits any block that it ever built, however many others it built, validated or refused meanwhile', async () => {
    const max = EXECUTOR_LIMITS.executedBlocksMax
    const step = fc.record({
      ms: fc.integer({ min: 1, max: max + 4 }),
      kind: fc.constantFrom('build', 'build', 'validate', 'refuse'),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 3 * max }), fc.nat(), async (steps, choice) => {
        const node = await open(new MemoryKv())
        const built: CandidateBlock[] = []
        for (const { ms, kind } of steps) {
          const known = built[ms % (built.length || 1)]
          if (kind === 'build' || known === undefined) built.push(await node.chain.build(request(node, ms)))
          else if (kind === 'validate') expect((await node.chain.validate(known)).ok).toBe(true)
          else {
            const wrong = { ...known.header, timeMs: (known.header.timeMs + 100 + ms) as TimeMs, stateRoot: ZERO_HASH }
            expect((await node.chain.validate(sealed(wrong, known))).ok).toBe(false)
          }
        }
        const decided = built[choice % built.length]!
        const certificate = certify(crypto, node.chain.domain, validators, decided)
        expect((await node.chain.commit(decided, certificate)).hash).toBe(decided.hash)
      }),
      { numRuns: 20 },
    )
    // Every position in the eviction order, with one that was requested again.
    const all = Array.from({ length: max + 2 }, (_, i) => i + 1)
    for (const chosen of all) {
      const node = await open(new MemoryKv())
      const built = new Map<number, CandidateBlock>()
      for (const ms of [...all.slice(0, max - 2), 1, ...all.slice(max - 2)])
        built.set(ms, await node.chain.build(request(node, ms)))
      const decided = built.get(chosen)!
      await node.chain.commit(decided, certify(crypto, node.chain.domain, validators, decided))
    }
  })

  it('names what is wrong with a block, and accepts the right one afterwards', async () => {
    const node = await open()
    await node.produce(await testTransfers(testAccounts[1]!, 0, 1))
    const other = await open(new MemoryKv())
    const raws = await testTransfers(testAccounts[1]!, 0, 3)
    await other.produce(raws.slice(0, 1))
    for (const raw of raws.slice(1)) unwrap(await other.pool.add(raw, 'rpc'))
    const good = await other.chain.build(request(other))
    const { header } = good
    const extra = (change: Partial<Header['extra']>) => ({ extra: { ...header.extra, ...change } })
    const someHash = Hash(new Uint8Array(32).fill(7))
    const wrong: readonly (readonly [Partial<Header>, string, RegExp])[] = [
      [{ number: 3 as Height }, 'header', /^number is 3, not 2/],
      [{ parentHash: someHash }, 'header', /^parentHash is 0x0707/],
      [extra({ executionVersion: someHash }), 'header', /^extra.executionVersion/],
      [extra({ validatorsHash: someHash }), 'header', /^extra.validatorsHash/],
      [extra({ nextValidatorsHash: someHash }), 'header', /^extra.nextValidatorsHash/],
      [{ gasLimit: 1_000_000 as Gas }, 'header', /^gasLimit is 1000000, not 72000000/],
      [{ baseFeePerGas: 1n as Header['baseFeePerGas'] }, 'header', /^baseFeePerGas is 1, not 0/],
      [{ timeMs: node.chain.head.header.timeMs }, 'header', /^timeMs is \d+, not after/],
      [{ stateRoot: someHash }, 'root-mismatch', /^stateRoot is 0x0707\w+, but execution yields 0x/],
      [{ transactionsRoot: someHash }, 'root-mismatch', /^transactionsRoot/],
      [{ receiptsRoot: someHash }, 'root-mismatch', /^receiptsRoot/],
      [{ logsBloom: new Uint8Array(256).fill(1) }, 'root-mismatch', /^logsBloom is 0x0101/],
      [{ gasUsed: 21_000 as Gas }, 'root-mismatch', /^gasUsed is 21000, but execution yields 42000/],
    ]
    for (const [change, code, message] of wrong) {
      const result = await node.chain.validate(sealed({ ...header, ...change }, good))
      expect(result).toMatchObject({ ok: false, error: { code, message: expect.stringMatching(message) } })
    }
    expect(await node.chain.validate({ ...good, hash: someHash })).toMatchObject({ ok: false, error: { code: 'root-mismatch' } })
    const replayed = { ...good, transactions: [good.transactions[0]!, good.transactions[0]!] }
    expect(await node.chain.validate({ ...replayed, hash: someHash })).toMatchObject({
      ok: false,
      error: { code: 'invalid-transaction', index: 1 },
    })
    expect(node.chain.head.header.number).toBe(1)
    expect(await node.chain.validate(good)).toEqual({ ok: true, value: undefined })
  })

  it('tells the pool which candidates can never run', async () => {
    const node = await open()
    const [spent] = await testTransfers(testAccounts[1]!, 0, 1)
    unwrap(await node.pool.add(spent!, 'rpc'))
    const other = await open(new MemoryKv())
    const block = await other.produce([spent!])
    // The pool is not told of the block, so it offers the transaction again.
    node.pool.onBlock = () => {}
    await node.chain.commit({ ...block }, other.store.certificate(1 as Height)!)
    const built = await node.chain.build(request(node))
    expect(built.transactions).toEqual([])
    expect(node.pool.stats.count).toBe(0)
  })

  it('throws on what only a bug or a broken chain can bring: a foreign certificate, a decided invalid block, two calls at once', async () => {
    const node = await open()
    const block = await node.chain.build(request(node))
    const other = await node.chain.build(request(node, 900))
    await expect(node.chain.commit(block, certify(crypto, node.chain.domain, validators, other))).rejects.toThrow('certificate')
    const wrong = sealed({ ...block.header, stateRoot: ZERO_HASH }, block)
    await expect(node.chain.commit(wrong, certify(crypto, node.chain.domain, validators, wrong))).rejects.toThrow(
      'is committed by the network, but invalid on this node: stateRoot',
    )
    const first = node.chain.build(request(node))
    await expect(node.chain.build(request(node))).rejects.toThrow('during')
    await first
    expect(node.chain.head.header.number).toBe(0)
  })

  it('leaves nothing of a block behind when its write fails, and can commit it again', async () => {
    const kv = new MemoryKv()
    const node = await open(kv)
    const before = kv.clone()
    const block = await node.chain.build(request(node))
    const write = kv.write.bind(kv)
    kv.write = () => Promise.reject(new Error('disk full'))
    const certificate = certify(crypto, node.chain.domain, validators, block)
    await expect(node.chain.commit(block, certificate)).rejects.toThrow('disk full')
    kv.write = write
    expect(node.chain.head.header.number).toBe(0)
    expect(plain((await open(before)).chain.head)).toEqual(plain(node.chain.head))
    expect((await node.chain.commit(block, certificate)).hash).toBe(block.hash)
  })

  it('tells listeners and the feed of each new head, after it is readable', async () => {
    const node = await open()
    const seen: (readonly [number, number])[] = []
    const stop = node.chain.onHead(({ header }) => seen.push([header.number, node.store.head.header.number]))
    await node.produce()
    await node.produce()
    stop()
    await node.produce()
    expect(seen).toEqual([
      [1, 1],
      [2, 2],
    ])
  })
})

describe('what the state says about the chain', () => {
  it('brings a new validator set into force two heights later, and the header announces it', async () => {
    const five = testValidators(crypto, 5)
    const added = five.set.withId(idOfName('v5')!)!
    const genesis = governedGenesis(crypto, validators)
    const node = await openTestNode({ crypto, validators: five, genesis, kv: new MemoryKv() })
    await node.produce(await addedValidator(added, idOfName('v1')!))
    // A validator gets no power before its key has shown that it is in use.
    expect(node.chain.head.nextValidators.validators).toHaveLength(4)
    const { number } = node.chain.head.header
    await node.produce([await provenReady(crypto, node.chain.domain, added, five.secretKeys.get(added.address)!, number)])
    expect(node.chain.head.validators.validators).toHaveLength(4)
    expect(node.chain.head.nextValidators.validators).toEqual(five.set.validators)
    const third = await node.produce()
    expect(third.header.extra.validatorsHash).toBe(validatorSetHash(crypto, validators.set))
    expect(third.header.extra.nextValidatorsHash).toBe(validatorSetHash(crypto, five.set))
    expect(node.chain.head.validators.validators).toEqual(five.set.validators)
    const fourth = await node.chain.build(request(node))
    expect(fourth.header.extra.validatorsHash).toBe(validatorSetHash(crypto, five.set))
    await node.chain.commit(fourth, certify(crypto, node.chain.domain, five, fourth))
    expect(node.store.validators(3 as Height)?.validators).toHaveLength(4)
    expect(node.store.validators(4 as Height)?.validators).toHaveLength(5)
  })

  it('takes new addresses of a node from the block that writes them, though the list of nodes stays', async () => {
    const genesis = governedGenesis(crypto, validators)
    const node = await openTestNode({ crypto, validators, genesis, kv: new MemoryKv() })
    const organisation = idOfName('v1')!
    await node.produce([await chainCall(0, 'setNode', ['12D3KooWA', 'observer', organisation, ['/ip4/10.0.0.1/tcp/1']])])
    await node.produce([await chainCall(1, 'setNodeAddresses', ['12D3KooWA', ['/ip4/10.0.0.2/tcp/2']])])
    expect(node.chain.head.nodes).toEqual([
      { peerId: '12D3KooWA', kind: 'observer', organisation, addresses: ['/ip4/10.0.0.2/tcp/2'] },
    ])
    await node.produce([await chainCall(2, 'setParameter', ['blockIntervalMs', 700n])])
    expect(node.chain.head.parameters.blockIntervalMs).toBe(700)
  })

  it('takes new parameters and a new node list from the block that writes them', async () => {
    const node = await open(new MemoryKv())
    const parameters = { ...DEFAULT_PARAMETERS, blockGasMax: 80_000_000 as Gas }
    amend(node, 1, 'parameters', codec.encode(SYSTEM_RECORDS.parameters.codec, { layout: 1, value: parameters }))
    await node.produce()
    expect(node.chain.head.parameters).toEqual(parameters)
    expect((await node.produce()).header.gasLimit).toBe(80_000_000)
    const nodes = [{ peerId: '12D3KooWA', kind: 'observer' as const, organisation: validators.set.validators[0]!.id }]
    amend(node, 3, 'nodes', codec.encode(SYSTEM_RECORDS.nodes.codec, { layout: 1, value: nodes }))
    await node.produce()
    expect(node.chain.head.nodes).toEqual(nodes.map((one) => ({ ...one, addresses: [] })))
  })

  it('keeps the last good value of a malformed record, and says so once', async () => {
    const node = await open(new MemoryKv())
    amend(node, 1, 'parameters', Uint8Array.of(1, 2, 3))
    await node.produce()
    await node.produce()
    expect(node.chain.head.parameters).toEqual(DEFAULT_PARAMETERS)
    expect(node.log.lines.filter(({ level: name }) => name === 'error')).toHaveLength(1)
  })
})

describe('on the executor', () => {
  it('an executor of its own on the same database holds the head after each commit', async () => {
    const node = await open()
    await node.produce(await testTransfers(testAccounts[1]!, 0, 2))
    const executor = await openTestExecutor(crypto, level)
    const { header, hash } = node.chain.head
    const template = {
      parent: header,
      parentHash: hash,
      timeMs: (header.timeMs + 1) as TimeMs,
      miner: header.miner,
      extra: header.extra,
    }
    expect(unwrap(await executor.execute(template, [])).header.stateRoot).toBe(header.stateRoot)
  })
})
