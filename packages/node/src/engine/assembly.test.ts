import { GAS } from '@quoin/execution'
import {
  type CompactBlock,
  emptyBloom,
  err,
  type Gas,
  Hash,
  type Header,
  type Height,
  headerHash,
  LIMITS,
  nobleCrypto,
  ok,
  type Round,
  type SignedTransaction,
  type TimeMs,
  transactionsRoot,
  type Wei,
  ZERO_ADDRESS,
  ZERO_HASH,
} from '@quoin/protocol'
import { afterEach, describe, expect, it } from 'vitest'
import { Scope } from '../lifecycle.ts'
import { type Offence, type PeerId, TransportError } from '../powers.ts'
import { type Assembled, Assembly } from './assembly.ts'
import { ENGINE_LIMITS } from './limits.ts'
import { type BodyRequest, decodeBlock, decodeRequest, decodeTransactions, encodeBlock, encodeTransactions } from './messages.ts'

const HEIGHT = 4 as Height
const ROUND = 0 as Round

/** The assembly treats transactions as bytes with a hash, whatever they contain. Those that begin with 66 are malformed. */
const raw = (n: number): Uint8Array => Uint8Array.of(1, n >> 8, n, ...padding)
const bad = (n: number): Uint8Array => Uint8Array.of(0x66, n, ...padding)
const padding = new Uint8Array(LIMITS.transactionBytesMin)
const hashOf = (bytes: Uint8Array): Hash => Hash(nobleCrypto.keccak256(bytes))
const verified = (bytes: Uint8Array) => ({ raw: bytes, hash: hashOf(bytes) }) as SignedTransaction

function blockOf(raws: readonly Uint8Array[], number: Height = HEIGHT) {
  const transactionHashes = raws.map(hashOf)
  const header: Header = {
    parentHash: ZERO_HASH,
    miner: ZERO_ADDRESS,
    stateRoot: ZERO_HASH,
    transactionsRoot: Hash(transactionsRoot(nobleCrypto, transactionHashes)),
    receiptsRoot: ZERO_HASH,
    logsBloom: emptyBloom(),
    number,
    gasLimit: 1 as Gas,
    gasUsed: 0 as Gas,
    timeMs: 1 as TimeMs,
    extra: { executionVersion: ZERO_HASH, validatorsHash: ZERO_HASH, nextValidatorsHash: ZERO_HASH },
    genesisDigest: undefined,
    baseFeePerGas: 0n as Wei,
  }
  const compact: CompactBlock = { header, transactionHashes }
  return { hash: headerHash(nobleCrypto, header), header, compact, raws }
}

type Answer = (request: BodyRequest) => Uint8Array | 'refuse' | 'hang'

const scopes: Scope[] = []
afterEach(() => Promise.all(scopes.splice(0).map((scope) => scope.close())))

/** An assembly with scripted peer answers and manual timers. */
function setUp(pool: readonly Uint8Array[], answers: Readonly<Record<PeerId, Answer>>, isBusy = () => false, blockGasMax = 1e12) {
  const known = new Map(pool.map((bytes) => [hashOf(bytes), verified(bytes)]))
  const asked: { peer: PeerId; request: BodyRequest }[] = []
  const blamed: { peer: PeerId; offence: Offence }[] = []
  const timers: { ms: number; action: () => void }[] = []
  const scope = new Scope((error) => {
    throw error
  })
  scopes.push(scope)
  const results: Assembled[] = []
  const failures: string[] = []
  let wake = () => {}
  const assembly = new Assembly(
    {
      crypto: nobleCrypto,
      clock: {
        after(ms, action) {
          const timer = { ms, action }
          timers.push(timer)
          return () => {
            if (timers.includes(timer)) timers.splice(timers.indexOf(timer), 1)
          }
        },
      },
      transport: {
        peers: () => Object.keys(answers),
        request(peer, message, signal) {
          const request = decodeRequest(message, 1e12)
          if (!request.ok) throw new Error(request.error.message)
          asked.push({ peer, request: request.value })
          const answer = answers[peer]!(request.value)
          return new Promise((resolve, reject) => {
            signal.addEventListener('abort', () => reject(new TransportError('aborted', 'aborted')))
            if (answer === 'refuse') reject(new TransportError('refused', 'refused'))
            else if (answer !== 'hang') resolve(answer)
          })
        },
      },
      mempool: {
        verified: (hash) => known.get(hash),
        async verify(raws) {
          if (isBusy()) return err({ code: 'unavailable', message: 'busy' })
          return raws.some(([first]) => first === 0x66)
            ? err({ code: 'malformed', message: 'malformed' })
            : ok(raws.map(verified))
        },
      },
      finalBlock: () => undefined,
      penalise: (peer, offence) => blamed.push({ peer, offence }),
      onFailure: (task, error) => failures.push(`${task}: ${String(error)}`),
      spawn: (name, task) => scope.spawn(name, task),
    },
    (height, assembled) => {
      expect(height).toBe(HEIGHT)
      results.push(assembled)
      wake()
    },
  )
  assembly.startHeight(HEIGHT, blockGasMax)
  const result = async (): Promise<Assembled> => {
    if (results.length === 0)
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    return results.shift()!
  }
  /** Fires the oldest timer of that many milliseconds, once it is set. */
  const elapse = async (ms: number) => {
    for (let i = 0; i < 50 && !timers.some((timer) => timer.ms === ms); i++) await Promise.resolve()
    const index = timers.findIndex((timer) => timer.ms === ms)
    timers.splice(index, 1)[0]!.action()
  }
  return { assembly, asked, blamed, result, elapse, results, failures }
}

const serve =
  (raws: readonly Uint8Array[]): Answer =>
  (request) =>
    request.kind === 'block' ? 'refuse' : encodeTransactions(raws.filter((bytes) => request.hashes.includes(hashOf(bytes))))

const raws = Array.from({ length: 20 }, (_, i) => raw(i))

describe('filling a proposal', () => {
  it('from a warm pool sends no request', async () => {
    const block = blockOf(raws)
    const { assembly, result, asked } = setUp(raws, { a: () => 'refuse' })
    assembly.offer(ROUND, block.hash, block.compact, 'a')
    assembly.want(block.hash)
    const assembled = await result()
    expect(assembled).toMatchObject({ kind: 'assembled', block: { hash: block.hash, header: block.header } })
    expect(assembled.kind === 'assembled' && assembled.block.transactions.map((t) => t.raw)).toEqual(raws)
    expect(asked).toEqual([])
  })

  it('asks its sender for exactly what is missing', async () => {
    const block = blockOf(raws)
    const { assembly, result, asked } = setUp(raws.slice(3), { a: serve([]), b: serve(raws) })
    assembly.offer(ROUND, block.hash, block.compact, 'b')
    assembly.want(block.hash)
    expect((await result()).kind).toBe('assembled')
    expect(asked).toEqual([
      { peer: 'b', request: { kind: 'transactions', blockHash: block.hash, hashes: raws.slice(0, 3).map(hashOf) } },
    ])
    expect(assembly.counters.fetchedTransactions).toBe(3)
  })

  it('asks the next peer for what the first did not have, and gives up on one that is slow', async () => {
    const block = blockOf(raws)
    const { assembly, result, asked, elapse } = setUp(raws.slice(4), {
      a: () => 'hang',
      b: serve(raws.slice(0, 2)),
      c: serve(raws),
    })
    assembly.offer(ROUND, block.hash, block.compact, 'a')
    assembly.want(block.hash)
    await elapse(ENGINE_LIMITS.fetchMsMax)
    expect((await result()).kind).toBe('assembled')
    expect(asked.map(({ peer, request }) => [peer, request.kind === 'transactions' && request.hashes.length])).toEqual([
      ['a', 4],
      ['b', 4],
      ['c', 2],
    ])
  })

  it('asks all again after a pause when nobody could deliver', async () => {
    const block = blockOf(raws)
    let isReady = false
    const { assembly, result, asked, elapse } = setUp(raws.slice(1), {
      a: (request) => (isReady ? (serve(raws)(request) as Uint8Array) : 'refuse'),
    })
    assembly.offer(ROUND, block.hash, block.compact, 'a')
    assembly.want(block.hash)
    await elapse(ENGINE_LIMITS.fetchPauseMs)
    isReady = true
    expect((await result()).kind).toBe('assembled')
    expect(asked).toHaveLength(2)
  })

  it('penalises a peer for garbage and for transactions that were not requested, and uses none of them', async () => {
    const block = blockOf(raws)
    const { assembly, result, blamed } = setUp(raws.slice(2), {
      a: () => Uint8Array.of(9, 9),
      b: () => encodeTransactions([raw(500), raws[0]!]),
      c: serve(raws),
    })
    assembly.offer(ROUND, block.hash, block.compact, 'a')
    assembly.want(block.hash)
    expect((await result()).kind).toBe('assembled')
    expect(blamed).toEqual([
      { peer: 'a', offence: 'malformed' },
      { peer: 'b', offence: 'invalid' },
    ])
  })

  it('decodes nothing of an answer with more transactions than were requested', async () => {
    const block = blockOf(raws)
    const { assembly, result, blamed } = setUp(raws.slice(2), { a: () => encodeTransactions(raws.slice(0, 3)), b: serve(raws) })
    assembly.offer(ROUND, block.hash, block.compact, 'a')
    assembly.want(block.hash)
    expect((await result()).kind).toBe('assembled')
    expect(blamed).toEqual([{ peer: 'a', offence: 'malformed' }])
    expect(assembly.counters.fetchedTransactions).toBe(2)
  })

  it('reports an undecodable transaction of the block, and penalises no peer: the proposer is at fault', async () => {
    const block = blockOf([raws[0]!, bad(1)])
    const { assembly, result, blamed } = setUp(raws, { a: serve([bad(1)]) })
    assembly.offer(ROUND, block.hash, block.compact, 'a')
    assembly.want(block.hash)
    expect(await result()).toEqual({ kind: 'unusable', valueId: block.hash, message: 'malformed' })
    expect(blamed).toEqual([])
  })

  it('asks again when this node could not verify the answer', async () => {
    const block = blockOf(raws)
    let isBusy = true
    const { assembly, result, asked, elapse, blamed } = setUp([], { a: serve(raws) }, () => isBusy)
    assembly.offer(ROUND, block.hash, block.compact, 'a')
    assembly.want(block.hash)
    await elapse(ENGINE_LIMITS.fetchPauseMs)
    isBusy = false
    expect((await result()).kind).toBe('assembled')
    expect([asked.length, blamed]).toEqual([2, []])
  })

  it('survives a bug during a fetch', async () => {
    const block = blockOf(raws)
    let isBroken = true
    const { assembly, result, elapse, failures } = setUp([], {
      a: (request) => {
        if (isBroken) throw new Error('a bug')
        return serve(raws)(request)
      },
    })
    assembly.offer(ROUND, block.hash, block.compact, 'a')
    assembly.want(block.hash)
    await elapse(ENGINE_LIMITS.fetchPauseMs)
    isBroken = false
    expect((await result()).kind).toBe('assembled')
    expect(failures).toEqual(['fetch body: Error: a bug'])
  })

  it('takes turns: a block that no peer delivers does not keep another one from being fetched', async () => {
    const withheld = Array.from({ length: ENGINE_LIMITS.fetchesCountMax }, (_, i) => blockOf([raw(700 + i)]))
    const honest = blockOf(raws)
    let isReady = false
    const { assembly, result, elapse } = setUp([], { a: (request) => (isReady ? serve(raws)(request) : 'refuse') })
    for (const { hash, compact } of [honest, ...withheld]) {
      assembly.offer(ROUND, hash, compact, 'a')
      assembly.want(hash)
    }
    // The honest fetch was the oldest and had to wait; all others asked every peer without success.
    isReady = true
    for (let i = 0; i < withheld.length; i++) await elapse(ENGINE_LIMITS.fetchPauseMs)
    expect(await result()).toMatchObject({ kind: 'assembled', block: { hash: honest.hash } })
  })

  it('keeps the proposals of the latest rounds, however many are offered', async () => {
    const latest = blockOf(raws)
    const { assembly, result, asked } = setUp(raws, { a: () => 'refuse' })
    assembly.offer(90 as Round, latest.hash, latest.compact, 'a')
    for (let i = 0; i < 3 * ENGINE_LIMITS.proposedBlocksCountMax; i++) {
      const { hash, compact } = blockOf([raw(800 + i)])
      assembly.offer((i % 90) as Round, hash, compact, 'a')
    }
    assembly.want(latest.hash)
    expect((await result()).kind).toBe('assembled')
    expect(asked).toEqual([])
  })

  it('ends with its height', async () => {
    const block = blockOf(raws)
    const { assembly, results, asked } = setUp([], { a: () => 'hang' })
    assembly.offer(ROUND, block.hash, block.compact, 'a')
    assembly.want(block.hash)
    while (asked.length === 0) await Promise.resolve()
    assembly.startHeight((HEIGHT + 1) as Height, 1e12)
    await Promise.all(scopes.map((scope) => scope.close()))
    expect(results).toEqual([])
  })
})

describe('fetching a block by its hash', () => {
  it('takes the block with the right hash and height, and penalises a peer that sends another', async () => {
    const block = blockOf(raws)
    const other = blockOf(raws.slice(1))
    const old = blockOf(raws, 3 as Height)
    const answer = ({ header }: typeof block, body: readonly Uint8Array[]) => encodeBlock({ header, transactions: body })
    const { assembly, result, blamed } = setUp([], {
      a: () => answer(other, other.raws),
      b: () => answer(block, raws.slice(1)),
      c: () => answer(old, raws),
      d: () => answer(block, raws),
    })
    assembly.want(block.hash)
    expect(await result()).toMatchObject({ kind: 'assembled', block: { hash: block.hash } })
    expect(blamed.map(({ peer, offence }) => `${peer} ${offence}`)).toEqual(['a invalid', 'b invalid', 'c invalid'])
    expect(assembly.counters.fetchedBlocks).toBe(1)
  })

  it('yields to other work between slices of the check', async () => {
    const { hashesPerTurnMax } = ENGINE_LIMITS
    const many = Array.from({ length: 2 * hashesPerTurnMax + 1 }, (_, i) => raw(i))
    const block = blockOf(many)
    const { assembly, results, elapse } = setUp([], { a: () => encodeBlock({ header: block.header, transactions: many }) })
    assembly.want(block.hash)
    // Two pauses while the transactions are hashed, two while their root is computed.
    for (let rest = 0; rest < 4; rest++) {
      expect(results).toEqual([])
      await elapse(0)
    }
    for (let i = 0; i < 50 && results.length === 0; i++) await Promise.resolve()
    expect(results).toMatchObject([{ kind: 'assembled', block: { hash: block.hash } }])
  })

  it('yields by bytes too: a few transactions may be long', async () => {
    const long = [0, 1, 2].map((n) => new Uint8Array(0.4 * ENGINE_LIMITS.hashedBytesPerTurnMax).fill(n))
    const block = blockOf(long)
    const { assembly, results, elapse } = setUp([], { a: () => encodeBlock({ header: block.header, transactions: long }) })
    assembly.want(block.hash)
    await elapse(0)
    for (let i = 0; i < 50 && results.length === 0; i++) await Promise.resolve()
    expect(results).toMatchObject([{ kind: 'assembled', block: { hash: block.hash } }])
  })

  it('reads nothing of one with more transactions than the gas of a block allows', async () => {
    const [block, larger] = [blockOf(raws), blockOf([...raws, raw(20)])]
    const gas = GAS.transaction * raws.length
    const answer = ({ header }: typeof block, body: readonly Uint8Array[]) => encodeBlock({ header, transactions: body })
    const { assembly, result, blamed } = setUp(
      [],
      { a: () => answer(larger, larger.raws), b: () => answer(block, raws) },
      () => false,
      gas,
    )
    assembly.want(block.hash)
    expect((await result()).kind).toBe('assembled')
    expect(blamed).toEqual([{ peer: 'a', offence: 'malformed' }])
  })
})

describe('serving', () => {
  it('gives held blocks for one height longer, and their transactions whatever the pool holds', async () => {
    const block = blockOf(raws)
    const { assembly } = setUp([raw(900)], {})
    assembly.hold({ header: block.header, hash: block.hash, transactions: raws.map(verified) })
    const ask = () => ({
      whole: assembly.serve({ kind: 'block', blockHash: block.hash }),
      some: assembly.serve({
        kind: 'transactions',
        blockHash: block.hash,
        hashes: [hashOf(raw(3)), hashOf(raw(900)), hashOf(raw(901))],
      }),
    })
    for (let i = 0; i < 2; i++) {
      const { whole, some } = ask()
      expect(decodeBlock(whole!, 1e12)).toEqual({ ok: true, value: { header: block.header, transactions: raws } })
      expect(decodeTransactions(some!, 2)).toEqual({ ok: true, value: [raw(3), raw(900)] })
      assembly.startHeight((HEIGHT + 1 + i) as Height, 1e12)
    }
    const { whole, some } = ask()
    expect(whole).toBeUndefined()
    expect(decodeTransactions(some!, 1)).toEqual({ ok: true, value: [raw(900)] })
  })

  it('refuses when it has nothing', () => {
    const { assembly } = setUp([], {})
    expect(assembly.serve({ kind: 'transactions', blockHash: ZERO_HASH, hashes: [ZERO_HASH] })).toBeUndefined()
  })
})
