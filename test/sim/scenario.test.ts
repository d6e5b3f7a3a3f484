import type { Executor } from '@quoin/execution'
import { Hash, Height, headerHash, ok, ZERO_HASH } from '@quoin/protocol'
import { describe, expect, it } from 'vitest'
import { HaltError } from '../../packages/node/src/engine/halt.ts'
import { decodeMessageHead } from '../../packages/node/src/engine/messages.ts'
import { faultyExecutor } from '../../packages/node/test/faulty-executor.ts'
import { simCrypto } from './crypto.ts'
import { clientAccount, transfer, validatorKey } from './genesis.ts'
import { SeededRandom } from './random.ts'
import { Simulation } from './simulation.ts'

const MINUTE_MS = 60_000

/** Runs a network without faults or load until every live node has reached a height. */
async function until(simulation: Simulation, height: number, limitMs = MINUTE_MS): Promise<boolean> {
  return simulation.until(() => simulation.nodes.every((node) => !node.alive || node.committedHeight >= height), limitMs)
}

function started(options: Partial<ConstructorParameters<typeof Simulation>[0]> = {}): Simulation {
  const simulation = new Simulation({ seed: 1, calm: true, ...options })
  simulation.start()
  return simulation
}

describe('crashes', () => {
  it('one of four down: the chain goes on; two down: it stops; one back: it goes on', async () => {
    const simulation = started()
    const [a, b] = simulation.nodes
    expect(await until(simulation, 3)).toBe(true)
    a!.crash()
    expect(await until(simulation, 6)).toBe(true)
    b!.crash()
    const { height } = simulation.oracle
    expect(await until(simulation, height + 2, 20_000)).toBe(false)
    a!.start()
    expect(await until(simulation, height + 3)).toBe(true)
    b!.start()
    expect(await until(simulation, height + 6)).toBe(true)
    await simulation.stop()
  })

  it('all four crash at once again and again, and go on with the same chain', async () => {
    const simulation = started({ seed: 2 })
    for (let height = 2; height <= 12; height += 2) {
      expect(await until(simulation, height)).toBe(true)
      for (const node of simulation.nodes) node.crash()
      for (const node of simulation.nodes) node.start()
    }
    expect(await until(simulation, 14)).toBe(true)
    await simulation.stop()
  })

  it('an orderly stop and a start continue the chain', async () => {
    const simulation = started({ seed: 3 })
    expect(await until(simulation, 4)).toBe(true)
    await simulation.stop()
    const { height } = simulation.oracle
    simulation.start()
    expect(await until(simulation, height + 3)).toBe(true)
    await simulation.stop()
  })

  it('a node that was away for many heights catches up and votes again', async () => {
    const simulation = started({ seed: 4 })
    const [a, b] = simulation.nodes
    a!.crash()
    expect(await until(simulation, 30)).toBe(true)
    a!.start()
    expect(await until(simulation, 33)).toBe(true)
    // Three of four must vote: with another one down the chain needs the node that came back.
    b!.crash()
    expect(await until(simulation, simulation.oracle.height + 3)).toBe(true)
    await simulation.stop()
  })

  it('two of four that are wiped at once neither fork nor hang silently; the operators let the chain go on', async () => {
    const simulation = started({ seed: 6 })
    expect(await until(simulation, 4)).toBe(true)
    const wiped = simulation.nodes.slice(0, 2)
    for (const node of wiped) {
      node.crash()
      node.disk.wipe()
    }
    for (const node of wiped) node.start()
    const last = Math.max(...simulation.nodes.map((node) => node.committedHeight))
    // They only fetch final blocks.
    expect(await until(simulation, last)).toBe(true)
    expect(await until(simulation, last + 1)).toBe(false)
    for (const { node } of wiped) expect(node?.status?.silence).toMatch(`--vote-from ${last + 1}`)
    for (const { node } of simulation.nodes.slice(2)) expect(node?.status?.silence).toBeUndefined()
    for (const node of wiped) {
      node.voteFrom = Height(last + 1)
      node.crash()
      node.start()
    }
    expect(await until(simulation, last + 5)).toBe(true)
    await simulation.stop()
  })

  it('a validator that lost its log in a height in which it signed sends nothing more in that height', async () => {
    const simulation = started({ seed: 5 })
    expect(await until(simulation, 3)).toBe(true)
    const [a] = simulation.nodes
    const signedHeights: number[] = []
    const observe = simulation.network.onSend
    expect(await simulation.until(() => a!.node?.status?.step === 'precommit', MINUTE_MS)).toBe(true)
    const { height } = a!.node!.status!
    const own = validatorKey(0).address
    a!.crash()
    a!.disk.loseWal()
    simulation.network.onSend = (from, to, message) => {
      const head = decodeMessageHead(message)
      if (from === a!.peer && head.ok && head.value.kind === 'vote' && head.value.vote.validator === own)
        signedHeights.push(head.value.vote.height)
      observe(from, to, message)
    }
    a!.start()
    expect(await until(simulation, height + 3)).toBe(true)
    expect(signedHeights.length).toBeGreaterThan(0)
    expect(signedHeights).not.toContain(height)
    await simulation.stop()
  })
})

describe('divergence', () => {
  /** Execution that is correct except for the state root. */
  const diverging = (executor: Executor): Executor => ({
    version: executor.version,
    genesis: (genesis) => executor.genesis(genesis),
    build: (...args) => executor.build(...args),
    commit: (hash) => executor.commit(hash),
    close: () => executor.close(),
    async execute(template, transactions) {
      const executed = await executor.execute(template, transactions)
      if (!executed.ok || template.parent.number < 3) return executed
      const header = { ...executed.value.header, stateRoot: ZERO_HASH }
      return ok({ ...executed.value, header, hash: headerHash(simCrypto, header) })
    },
  })

  it('a node whose state differs votes nil, and stops with a dump at the first decided block; the others go on', async () => {
    const halted: { node: number; error: unknown }[] = []
    const simulation = started({
      seed: 9,
      wrapExecutor: (index, executor) => (index === 2 ? diverging(executor) : executor),
      onHalt: (node, error) => halted.push({ node: node.index, error }),
    })
    const isAhead = (height: number) => () =>
      simulation.nodes.every(({ index, committedHeight }) => index === 2 || committedHeight >= height)
    expect(await simulation.until(isAhead(10), MINUTE_MS)).toBe(true)
    expect(halted.map(({ node }) => node)).toEqual([2])
    const error = halted[0]!.error as HaltError
    expect(error).toBeInstanceOf(HaltError)
    expect(error.message).toMatch(/invalid on this node/)
    expect(error.dump.certificate.blockHash).toBe(simulation.nodes[0]!.node!.blocks.header(error.dump.certificate.height)!.hash)
    // Everything it sent before it stopped was against the block.
    expect(simulation.nodes[2]!.committedHeight).toBe(error.dump.certificate.height - 1)
    await simulation.stop()
  })

  it('a temporary fault while a proposal is validated costs the validator its vote, and nothing more', async () => {
    let faults = 0
    const faulting = (executor: Executor): Executor => ({
      ...diverging(executor),
      async execute(template, transactions) {
        if (template.parent.number >= 4 && faults++ === 0) throw new RangeError('Maximum call stack size exceeded')
        return executor.execute(template, transactions)
      },
    })
    const simulation = started({ seed: 10, wrapExecutor: (index, executor) => (index === 1 ? faulting(executor) : executor) })
    expect(await until(simulation, 12)).toBe(true)
    expect(faults).toBeGreaterThan(0)
    expect(simulation.oracle.saidNil(simulation.nodes[1]!.address)).toBe(true)
    await simulation.stop()
  })
})

describe('a transaction on which the contract interpreter fails', () => {
  const poison = transfer(clientAccount(0), clientAccount(1).address, 0, 5n)
  const others = [1, 2].map((client) => transfer(clientAccount(client), clientAccount(0).address, 0, 1n))
  const faulty = (executor: Executor) =>
    faultyExecutor(executor, simCrypto, { transactions: new Set([Hash(simCrypto.keccak256(poison))]) })

  /** Sends all to one node, the poison first; true if the others are final everywhere in time. */
  async function send(simulation: Simulation, index: number): Promise<boolean> {
    expect(await until(simulation, 2)).toBe(true)
    for (const raw of [poison, ...others]) await simulation.nodes[index]!.node!.mempool.add(raw, 'rpc')
    const isFinal = (raw: Uint8Array) =>
      simulation.nodes.every(({ node }) => node?.blocks.locate(Hash(simCrypto.keccak256(raw))) !== undefined)
    return simulation.until(() => others.every(isFinal), MINUTE_MS)
  }

  it('on every node: it is in no block, all others are, and no round is lost; also after all have started again', async () => {
    const simulation = started({ seed: 11, load: false, wrapExecutor: (_, executor) => faulty(executor) })
    expect(await send(simulation, 0)).toBe(true)
    // A node that tried it remembers it permanently; the others learn it when they propose.
    const knowing = async () => {
      const answers = await Promise.all(simulation.nodes.map(({ node }) => node!.mempool.add(poison, 'rpc')))
      return answers.map((answer) => !answer.ok && answer.error.code === 'quarantined')
    }
    const before = await knowing()
    expect(before).toContain(true)
    for (const node of simulation.nodes) node.crash()
    for (const node of simulation.nodes) node.start()
    expect(await until(simulation, simulation.oracle.height + 1)).toBe(true)
    expect(await knowing()).toEqual(before)
    expect(await until(simulation, simulation.oracle.height + 8)).toBe(true)
    expect(await knowing()).toEqual([true, true, true, true])
    for (const { node } of simulation.nodes) {
      expect(node!.blocks.locate(Hash(simCrypto.keccak256(poison)))).toBeUndefined()
      for (let number = 1; number <= node!.blocks.head.header.number; number++)
        expect(node!.blocks.certificate(Height(number))!.round).toBe(0)
    }
    await simulation.stop()
  })

  it('on one node alone: its vote is nil, and it stops with a dump that names the transaction when the block is decided', async () => {
    const halted: { node: number; error: unknown }[] = []
    const simulation = started({
      seed: 12,
      load: false,
      wrapExecutor: (index, executor) => (index === 3 ? faulty(executor) : executor),
      onHalt: (node, error) => halted.push({ node: node.index, error }),
    })
    expect(await until(simulation, 2)).toBe(true)
    await simulation.nodes[0]!.node!.mempool.add(poison, 'rpc')
    const { height } = simulation.oracle
    expect(
      await simulation.until(() => simulation.nodes.slice(0, 3).every((node) => node.committedHeight >= height + 6), MINUTE_MS),
    ).toBe(true)
    expect(halted.map(({ node }) => node)).toEqual([3])
    const error = halted[0]!.error as HaltError
    expect(error).toBeInstanceOf(HaltError)
    expect(error.message).toMatch(/cannot be executed on this node/)
    expect(error.dump.transaction).toBe(Hash(simCrypto.keccak256(poison)))
    expect(error.dump.block?.transactions.map(({ hash }) => hash)).toContain(error.dump.transaction)
    await simulation.stop()
  })
})

describe('hostile messages', () => {
  it('garbage, changed, repeated and misdirected messages are refused, and the chain does not notice', async () => {
    const simulation = started({ seed: 12 })
    const random = new SeededRandom(12)
    const observe = simulation.network.onSend
    let injected = 0
    simulation.network.onSend = (from, to, message) => {
      observe(from, to, message)
      const changed = message.slice()
      changed[random.below(changed.length)]! ^= 1 << random.below(8)
      for (const bytes of [
        changed,
        message,
        message.subarray(0, random.below(message.length)),
        random.bytes(random.below(300)),
      ]) {
        injected++
        simulation.network.inject(random.pick(simulation.nodes).peer, random.pick(simulation.nodes).peer, bytes)
      }
    }
    expect(await until(simulation, 12)).toBe(true)
    expect(injected).toBeGreaterThan(1_000)
    expect(simulation.oracle.roundsLost).toBe(0)
    const offences = new Set(simulation.network.penalties.map(({ offence }) => offence))
    expect(offences.has('malformed') && offences.has('invalid')).toBe(true)
    await simulation.stop()
  })
})

describe('time', () => {
  it('an idle chain makes heartbeat blocks, and a transaction is final at once when the interval has passed', async () => {
    const simulation = started({ seed: 6, load: false, diskLatencyMs: [1, 1] })
    expect(await until(simulation, 2)).toBe(true)
    const { height } = simulation.oracle
    const heartbeat = simulation.world.nowMs
    expect(await until(simulation, height + 2)).toBe(true)
    expect(simulation.world.nowMs - heartbeat).toBeGreaterThan(900)
    // Half a heartbeat later, so that the block interval has passed.
    await simulation.until(() => false, 500)
    const [a] = simulation.nodes
    const sentMs = simulation.world.nowMs
    await a!.node!.mempool.add(transfer(clientAccount(0), clientAccount(1).address, 0, 5n), 'rpc')
    expect(await until(simulation, simulation.oracle.height + 1)).toBe(true)
    // Gossip, proposal, prevote and precommit over links of 1 to 5 ms, and seven writes of 1 ms.
    expect(simulation.world.nowMs - sentMs).toBeLessThanOrEqual(4 * 5 + 7)
    await simulation.stop()
  })

  it('a validator whose clock is far off proposes in vain, and the others go on', async () => {
    const simulation = started({ seed: 7, clockOffsetsMs: [5_000, 0, 0, 0] })
    expect(await until(simulation, 6)).toBe(true)
    const miners = new Set(simulation.headers().map(({ miner }) => miner))
    expect(miners.has(simulation.nodes[0]!.address)).toBe(false)
    await simulation.stop()
  })
})

describe('bodies', () => {
  /** Fewer than half of a block: a proposer begins with no more. */
  const COUNT = 800

  /** Sends transactions to every pool, and those from `missing` on only to the first node's. */
  async function fill(simulation: Simulation, missing: number): Promise<void> {
    for (let i = 0; i < COUNT; i++) {
      const raw = transfer(clientAccount(i), clientAccount(i + 1).address, 0, 1n)
      const nodes = i < COUNT - missing ? simulation.nodes : simulation.nodes.slice(0, 1)
      for (const { node } of nodes) await node!.mempool.add(raw, 'gossip')
    }
  }

  it.each([0, 10])(
    'a proposal of 800 transactions is at most 32 kB, and with %i missing exactly those are fetched',
    async (missing) => {
      const simulation = started({ seed: 8, load: false, clientCount: COUNT + 1 })
      expect(await until(simulation, 2)).toBe(true)
      // Node 0 must propose, because it alone has all transactions.
      const mine = () =>
        simulation.nodes.every(({ node }) => node?.status?.step === 'waiting' && simulation.proposerOf(node.status.height) === 0)
      expect(await simulation.until(mine, MINUTE_MS)).toBe(true)
      const { height } = simulation.oracle
      await fill(simulation, missing)
      expect(await until(simulation, height + 1)).toBe(true)
      const [proposer, ...others] = simulation.nodes.map(({ node }) => node!)
      expect(proposer!.blocks.body(proposer!.chain.head.header.number)).toHaveLength(COUNT)
      expect(simulation.largestProposalBytes).toBeLessThanOrEqual(32_000)
      expect(others.map(({ counters }) => counters.fetchedTransactions)).toEqual([missing, missing, missing])
      await simulation.stop()
    },
  )
})
