import {
  type Address,
  type Proposal,
  proposalDigest,
  type UnsignedProposal,
  type UnsignedVote,
  type Vote,
  voteDigest,
} from '@quoin/protocol'
import { decodeMessage, type EngineMessage, encodeMessage } from '../../packages/node/src/engine/messages.ts'
import type { PeerId } from '../../packages/node/src/powers.ts'
import { simCrypto } from '../sim/crypto.ts'
import { validatorKey } from '../sim/genesis.ts'
import type { SeededRandom } from '../sim/random.ts'
import type { SimNode } from '../sim/sim-node.ts'
import { Simulation, type SimulationOptions } from '../sim/simulation.ts'

/** A way to misbehave with a valid key. */
export interface Role {
  readonly name: string
  /** Simulation options for the liars' machines. */
  options?(isLiar: (index: number) => boolean): Partial<SimulationOptions>
  /** Makes the node a liar; called once per liar, after the network is created and before it starts. */
  play?(stage: Stage, self: SimNode): void
}

/** The setting for a role: a network of honest validators and liars. Liars have a key, a peer id and all of the node's code. */
export class Stage {
  readonly simulation: Simulation
  readonly liars: readonly SimNode[]
  readonly honest: readonly SimNode[]
  readonly random: SeededRandom
  readonly #listeners: ((to: PeerId, message: EngineMessage) => void)[] = []

  /** The last f of n = 3f + 1 validators play the role. */
  constructor(role: Role, nodeCount: number, seed: number) {
    const honestCount = nodeCount - Math.floor((nodeCount - 1) / 3)
    const isLiar = (index: number) => index >= honestCount
    const places = Array.from({ length: nodeCount }, (_, index) => index)
    this.simulation = new Simulation({ seed, nodeCount, calm: true, liars: places.filter(isLiar), ...role.options?.(isLiar) })
    const { nodes, network, world } = this.simulation
    this.liars = nodes.filter(({ index }) => isLiar(index))
    this.honest = nodes.filter(({ index }) => !isLiar(index))
    this.random = world.random.fork()
    network.setDefault({ loss: 0.01, duplication: 0.01, latencyMs: [1, 30], cut: false })
    const observe = network.onSend
    network.onSend = (from, to, bytes) => {
      observe(from, to, bytes)
      if (this.liars.some(({ peer }) => peer === from)) return
      const decoded = decodeMessage(bytes)
      if (decoded.ok) for (const listener of this.#listeners) listener(to, decoded.value)
    }
    for (const liar of this.liars) role.play?.(this, liar)
  }

  /** Calls `listener` with the messages that honest nodes send to a node. */
  hear(self: SimNode, listener: (message: EngineMessage) => void): void {
    this.#listeners.push((to, message) => {
      if (to === self.peer) listener(message)
    })
  }

  /** Changes the messages that a node sends. Undecodable messages do not occur, because the node's own code sends them. */
  twist(self: SimNode, change: (message: EngineMessage, to: SimNode) => readonly EngineMessage[]): void {
    this.simulation.network.lie(self.peer, {
      send: (to, bytes) => {
        const decoded = decodeMessage(bytes)
        const receiver = this.simulation.nodes.find(({ peer }) => peer === to)
        return decoded.ok && receiver !== undefined ? change(decoded.value, receiver).map(encodeMessage) : [bytes]
      },
    })
  }

  say(self: SimNode, message: EngineMessage, to: readonly SimNode[] = this.honest): void {
    const bytes = encodeMessage(message)
    for (const { peer } of to) this.simulation.network.say(self.peer, peer, bytes)
  }

  /** Repeats an action at an interval, as long as the network lives. */
  every(ms: number, action: () => void): void {
    this.simulation.world.after(ms, () => {
      action()
      this.every(ms, action)
    })
  }

  vote(self: SimNode, unsigned: Omit<UnsignedVote, 'validator'>): Vote {
    const vote = { ...unsigned, validator: self.address }
    return { ...vote, signature: this.#sign(self, voteDigest(simCrypto, this.#domain, vote)) }
  }

  proposal(self: SimNode, unsigned: Omit<UnsignedProposal, 'proposer'>): Proposal {
    const proposal = { ...unsigned, proposer: self.address }
    return { ...proposal, signature: this.#sign(self, proposalDigest(simCrypto, this.#domain, proposal)) }
  }

  /** Validators whose equivocation honest nodes can prove. */
  get offenders(): ReadonlySet<Address> {
    const evidence = this.honest.flatMap(({ node }) => node?.evidence ?? [])
    return new Set(evidence.map((proof) => (proof.kind === 'votes' ? proof.first.validator : proof.first.proposer)))
  }

  get #domain() {
    return this.honest[0]!.node!.chain.domain
  }

  #sign({ index }: SimNode, digest: Uint8Array): Uint8Array {
    return simCrypto.sign(digest, validatorKey(index).secretKey).signature
  }
}
