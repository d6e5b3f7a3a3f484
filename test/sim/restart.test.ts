import { createContractInterpreter } from '@quoin/execution/contract'
import { type Address, contractAddress, Height, type Receipt } from '@quoin/protocol'
import { expect, it } from 'vitest'
import { loadInterpreterBinary, nodeWasm } from '../../packages/platform/src/wasm.ts'
import { HOSTILE_CONTRACT, HOSTILE_KINDS, hostileCall, hostileGas } from '../contracts/hostile.ts'
import { simCrypto } from './crypto.ts'
import { clientAccount, signed } from './genesis.ts'
import type { SimNode } from './sim-node.ts'
import { Simulation } from './simulation.ts'

/** Blocks of hostile load, with a restart between each two. */
const ROUNDS = 8
/** Limit of one step of the scenario, in virtual time. */
const STEP_MS = 60_000

/** Read before any world begins: virtual time does not wait for real I/O. */
const binary = await loadInterpreterBinary()

/** Each process has its own interpreter, in which nothing ran before. */
const makeInterpreter = () => createContractInterpreter(nodeWasm, binary)

const heightOf = ({ node }: SimNode): number => node?.chain.head.header.number ?? -1

class Story {
  readonly simulation = new Simulation({
    seed: 11,
    calm: true,
    load: false,
    clientCount: HOSTILE_KINDS.length + 2,
    makeInterpreter,
  })
  readonly contracts: readonly Address[] = [0, 1].map((i) => contractAddress(simCrypto, clientAccount(i).address, 0))

  async until(what: string, done: () => boolean): Promise<void> {
    if (!(await this.simulation.until(done, STEP_MS))) throw new Error(`${what}: ${this.simulation.describe()}`)
  }

  /**
   * Gives a node transactions, and waits until a block on all nodes contains them. Returns the receipts, which are the same on all nodes.
   */
  async block(raws: readonly Uint8Array[]): Promise<readonly Receipt[]> {
    const { nodes } = this.simulation
    const height = Math.max(...nodes.map(heightOf))
    const taken: boolean[] = []
    for (const raw of raws) void nodes[0]!.node!.mempool.add(raw, 'rpc').then(({ ok }) => taken.push(ok))
    const included = () =>
      receiptsAfter(nodes[0]!, height).length >= raws.length && nodes.every((node) => heightOf(node) > height)
    await this.until(`a block with ${raws.length} transactions`, included)
    expect(taken).toEqual(raws.map(() => true))
    return receiptsAfter(nodes[0]!, height)
  }

  /** A process ends, cleanly or not, and another one replaces it. */
  async restart(node: SimNode, isOrderly: boolean): Promise<void> {
    const height = Math.max(...this.simulation.nodes.map(heightOf))
    let isDown = !isOrderly
    if (isOrderly) void node.stop().then(() => (isDown = true))
    else node.crash()
    await this.until(`${node.peer} ends`, () => isDown)
    node.start()
    await this.until(`${node.peer} is back`, () => heightOf(node) >= height && node.node?.status !== undefined)
  }
}

function receiptsAfter({ node }: SimNode, height: number): readonly Receipt[] {
  const { blocks } = node!
  const count = blocks.head.header.number - height
  return Array.from({ length: count }, (_, i) => blocks.receipts(Height(height + 1 + i))!).flat()
}

it('a restart of a validator between every two blocks of a hostile load changes no root, and no node halts', async () => {
  const story = new Story()
  const { simulation, contracts } = story
  simulation.start()
  await story.until('all nodes are up', () => simulation.nodes.every(({ node }) => node?.status !== undefined))
  const creations = contracts.map((_, i) =>
    signed(clientAccount(i), 0, { to: undefined, value: 0n, data: HOSTILE_CONTRACT, gas: 10_000_000 }),
  )
  expect((await story.block(creations)).map(({ contractAddress }) => contractAddress)).toEqual(contracts)
  const roots: string[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const [to, other] = round % 2 === 0 ? contracts : contracts.toReversed()
    const raws = HOSTILE_KINDS.map((_, kind) =>
      signed(clientAccount(2 + kind), round, { to, value: 0n, data: hostileCall(kind, other!), gas: hostileGas(kind) }),
    )
    const receipts = await story.block(raws)
    expect(receipts).toHaveLength(HOSTILE_KINDS.length)
    for (const status of [0, 1]) expect(receipts.filter((receipt) => receipt.status === status).length).toBeGreaterThan(3)
    roots.push(simulation.nodes[0]!.node!.chain.head.header.stateRoot)
    await story.restart(simulation.nodes[round % 4]!, round % 3 === 0)
  }
  // The oracle compared each block of each node; no node fell behind.
  await story.until('all nodes have the same head', () => new Set(simulation.nodes.map(heightOf)).size === 1)
  expect(new Set(roots).size).toBe(ROUNDS)
  await simulation.stop()
})
