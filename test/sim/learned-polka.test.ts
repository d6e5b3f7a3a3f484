import { selectProposer } from '@quoin/consensus'
import {
  type CompactBlock,
  Hash,
  type Height,
  headerHash,
  type PolkaCertificate,
  type Proposal,
  proposalDigest,
  type Round,
  transactionsRoot,
  type Vote,
  voteDigest,
} from '@quoin/protocol'
import { expect, it } from 'vitest'
import { type EngineMessage, encodeMessage } from '../../packages/node/src/engine/messages.ts'
import { type LoggedInput, Wal } from '../../packages/node/src/engine/wal.ts'
import { MemoryLog } from '../../packages/node/src/store/memory-log.ts'
import { crc32cTable } from '../../packages/node/test/crc32c.ts'
import { simCrypto } from './crypto.ts'
import { validatorKey } from './genesis.ts'
import { Simulation } from './simulation.ts'

const OTHERS = [1, 2, 3]

/** One node; the other validators are offline, and this test has their keys. */
class Alone {
  readonly simulation = new Simulation({ seed: 1, calm: true, load: false, replayChance: 1 })

  async start(): Promise<void> {
    const { simulation } = this
    simulation.start()
    expect(await simulation.until(() => simulation.nodes.every(({ committedHeight }) => committedHeight === 1), 5_000)).toBe(true)
    for (const index of OTHERS) simulation.nodes[index]!.crash()
    expect(await simulation.until(() => simulation.nodes[0]!.node?.status?.step === 'propose', 5_000)).toBe(true)
  }

  get #node() {
    return simulationNode(this.simulation)
  }

  get height(): Height {
    return this.#node.status!.height
  }

  /** The first round above 0 that another validator proposes. */
  get round(): Round {
    const own = validatorKey(0).address
    const { validators } = this.#node.chain.head
    return ([1, 2] as Round[]).find((round) => selectProposer(validators, this.height, round) !== own)!
  }

  async give(message: EngineMessage): Promise<void> {
    this.simulation.network.inject('node-1', 'node-0', encodeMessage(message))
    await this.simulation.until(() => false, 20)
  }

  prevote(index: number, round: Round, valueId: Hash | undefined): Vote {
    const { address, secretKey } = validatorKey(index)
    const vote = { kind: 'prevote', height: this.height, round, valueId, validator: address } as const
    return { ...vote, signature: simCrypto.sign(voteDigest(simCrypto, this.#domain, vote), secretKey).signature }
  }

  /** A block of this height with a transaction that no node has. */
  block(): CompactBlock {
    const transactionHashes = [Hash(simCrypto.sha256(Uint8Array.of(7)))]
    const root = Hash(transactionsRoot(simCrypto, transactionHashes))
    const { header } = this.#node.chain.head
    return { header: { ...header, number: this.height, genesisDigest: undefined, transactionsRoot: root }, transactionHashes }
  }

  proposal(round: Round, valueId: Hash): Proposal {
    const proposer = selectProposer(this.#node.chain.head.validators, this.height, round)
    const { secretKey } = OTHERS.map(validatorKey).find(({ address }) => address === proposer)!
    const proposal = { height: this.height, round, valueId, polRound: 0 as Round, proposer }
    return { ...proposal, signature: simCrypto.sign(proposalDigest(simCrypto, this.#domain, proposal), secretKey).signature }
  }

  polka(valueId: Hash, of = OTHERS): PolkaCertificate {
    const votes = of.map((index) => this.prevote(index, 0 as Round, valueId))
    const signatures = votes.map(({ validator, signature }) => ({ validator, signature }))
    return {
      height: this.height,
      round: 0 as Round,
      valueId,
      signatures: signatures.sort((a, b) => (a.validator < b.validator ? -1 : 1)),
    }
  }

  /** Inputs that are in the node's log now. */
  async logged(): Promise<readonly LoggedInput[]> {
    const file = new MemoryLog(this.simulation.nodes[0]!.disk.wal.content())
    const random = { bytes: (length: number) => new Uint8Array(length) }
    const { content } = await Wal.open({ file, crc32c: crc32cTable, random }, this.#domain.genesisHash)
    return content!.entries.filter((entry) => entry.kind !== 'body')
  }

  get #domain() {
    return this.#node.chain.domain
  }
}

const simulationNode = ({ nodes }: Simulation) => nodes[0]!.node!

it('a polka that teaches votes is in the log, also when the same polka is known already', async () => {
  const alone = new Alone()
  await alone.start()
  const { round } = alone
  for (const index of [1, 2]) await alone.give({ kind: 'vote', vote: alone.prevote(index, round, undefined) })
  expect(simulationNode(alone.simulation).status).toMatchObject({ round, step: 'propose' })
  const block = alone.block()
  const valueId = headerHash(simCrypto, block.header)
  const proposal = alone.proposal(round, valueId)
  // A re-proposal without its polka waits for one with it.
  await alone.give({ kind: 'proposal', proposal, block, polka: undefined })
  await alone.give({ kind: 'proposal', proposal, block, polka: alone.polka(valueId) })
  // The same polka with other votes: one of them is new.
  await alone.give({ kind: 'polkaCertificate', certificate: alone.polka(valueId, [0, 1, 2]) })
  // ReplayCheck, which runs after each step, would have noticed the missing votes too.
  const polkas = (await alone.logged()).flatMap((input) => {
    if (input.kind === 'proposal') return [['proposal', input.polka?.signatures.length]]
    return input.kind === 'polkaCertificate' ? [['certificate', input.certificate.signatures.length]] : []
  })
  expect(polkas).toEqual([
    ['proposal', 3],
    ['certificate', 3],
  ])
  await alone.simulation.stop()
})
