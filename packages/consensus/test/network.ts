import type { Address, Evidence, Hash, Proposal, UnsignedVote, Vote } from '@quoin/protocol'
import { Driver, type DriverInput, type Effect, type ProposerSelection } from '../src/index.ts'
import { address, FOUR, height, nameOf, value } from './fixtures.ts'

/** v1 proposes in round 0, v2 in round 1, and so on. */
export const inTurn: ProposerSelection = (set, _height, r) => set.validators[r % set.validators.length]!.address

/** A value is invalid when its name begins with x. */
const isValid = (id: Hash): boolean => !nameOf(id).startsWith('x')

export interface Node {
  readonly name: string
  driver: Driver
  /** All inputs and effects of the driver: its write-ahead log. */
  readonly log: { readonly input: DriverInput; readonly effects: readonly Effect[] }[]
  /** Pending local work: blocks to build or to judge, and timers. */
  readonly tasks: DriverInput[]
  readonly timers: Extract<DriverInput, { kind: 'timeout' }>[]
  readonly evidence: Evidence[]
  decided: Extract<Effect, { kind: 'decide' }> | undefined
}

export interface Message {
  readonly to: string
  readonly input: DriverInput
}

/**
 * Honest validators of one height with real drivers. The test decides which messages are delivered, lost or repeated, which timers fire, and in which
 * order. Keeps every vote for oracles that do not use production code.
 */
export class Network {
  readonly nodes = new Map<string, Node>()
  /** Messages in transit, in the order in which they were sent. */
  readonly messages: Message[] = []
  /** All votes that were sent, by honest validators and others. */
  readonly cast: UnsignedVote[] = []
  /** If false, proposals are sent without their polka and no certificate is published, as in the paper. */
  readonly certificates: boolean

  constructor(honest: readonly string[], certificates = true) {
    this.certificates = certificates
    for (const name of honest) {
      const node = { name, driver: new Driver(inTurn), log: [], tasks: [], timers: [], evidence: [], decided: undefined }
      this.nodes.set(name, node)
    }
    for (const node of this.nodes.values()) this.give(node, startInput(node.name))
  }

  give(node: Node, input: DriverInput): void {
    const { effects } = node.driver.step(input)
    node.log.push({ input, effects })
    for (const effect of effects) this.#carryOut(node, effect)
  }

  /** Delivers the message at this index of the queue. */
  deliver(at: number): void {
    const [message] = this.messages.splice(at, 1)
    if (message !== undefined) this.give(this.nodes.get(message.to)!, message.input)
  }

  broadcast(from: string, input: DriverInput): void {
    for (const to of this.nodes.keys()) if (to !== from) this.messages.push({ to, input })
  }

  /** Sends a vote of a Byzantine validator to one node. */
  inject(to: string, vote: Vote): void {
    this.cast.push(vote)
    this.messages.push({ to, input: { kind: 'vote', vote } })
  }

  injectProposal(to: string, proposal: Proposal): void {
    this.messages.push({ to, input: { kind: 'proposal', proposal, polka: undefined } })
  }

  rebroadcast(node: Node): void {
    if (node.decided !== undefined)
      return this.broadcast(node.name, { kind: 'commitCertificate', certificate: node.decided.certificate })
    const { proposals, votes, polkaCertificate, roundCertificate } = node.driver.rebroadcast()
    for (const { proposal, polka } of proposals) this.#sendProposal(node.name, proposal, polka)
    for (const vote of votes) this.broadcast(node.name, { kind: 'vote', vote })
    if (roundCertificate !== undefined) this.broadcast(node.name, { kind: 'roundCertificate', certificate: roundCertificate })
    if (polkaCertificate !== undefined && this.certificates) {
      this.broadcast(node.name, { kind: 'polkaCertificate', certificate: polkaCertificate })
    }
  }

  /** Does all local work and delivers all messages until only timers are left. */
  drain(): void {
    for (;;) {
      const busy = [...this.nodes.values()].find(({ tasks }) => tasks.length > 0)
      if (busy !== undefined) this.give(busy, busy.tasks.shift()!)
      else if (this.messages.length > 0) this.deliver(0)
      else return
    }
  }

  /**
   * Runs a perfect network from now on: all messages arrive, waiting nodes rebroadcast, then the timers fire. Returns the number of rounds until all have
   * decided.
   */
  heal(roundsMax: number): number | undefined {
    const nodes = [...this.nodes.values()]
    for (let rounds = 0; rounds <= roundsMax; rounds++) {
      this.drain()
      for (const node of nodes) this.rebroadcast(node)
      this.drain()
      if (nodes.every(({ decided }) => decided !== undefined)) return rounds
      for (const node of nodes) {
        const timer = node.timers.findIndex(({ round }) => round === node.driver.state?.round)
        if (timer >= 0) this.give(node, node.timers.splice(timer, 1)[0]!)
      }
    }
    return undefined
  }

  #carryOut(node: Node, effect: Effect): void {
    switch (effect.kind) {
      case 'getValue':
        node.tasks.push({ ...effect, kind: 'valueBuilt', valueId: value(`${node.name}r${effect.round}`) })
        return
      case 'validateValue':
      case 'needValue': {
        const { height: h, round, valueId } = effect
        node.tasks.push({ kind: 'valueValidated', height: h, round, valueId, valid: isValid(valueId), fresh: true })
        return
      }
      case 'propose': {
        const proposal = { ...effect.proposal, signature: SIGNATURE }
        this.give(node, { kind: 'proposal', proposal, polka: effect.polka })
        this.#sendProposal(node.name, proposal, effect.polka)
        return
      }
      case 'vote': {
        const vote = { ...effect.vote, signature: SIGNATURE }
        this.cast.push(vote)
        this.give(node, { kind: 'vote', vote })
        this.broadcast(node.name, { kind: 'vote', vote })
        return
      }
      case 'publishPolkaCertificate':
        if (this.certificates) this.broadcast(node.name, { kind: 'polkaCertificate', certificate: effect.certificate })
        return
      case 'scheduleTimeout':
        node.timers.push({ kind: 'timeout', timeout: effect.timeout, height: effect.height, round: effect.round })
        return
      case 'decide':
        node.decided = effect
        return
      case 'evidence':
        node.evidence.push(effect.evidence)
        return
      case 'invalidDecision':
        throw new Error('invalidDecision: more than a third of the power is faulty')
      case 'newRound':
    }
  }

  #sendProposal(from: string, proposal: Proposal, polka: Extract<DriverInput, { kind: 'proposal' }>['polka']): void {
    this.broadcast(from, { kind: 'proposal', proposal, polka: this.certificates ? polka : undefined })
  }
}

const SIGNATURE = new Uint8Array(64)

export const startInput = (self: string | undefined): DriverInput => ({
  kind: 'startHeight',
  height: height(1),
  validators: FOUR,
  self: self === undefined ? undefined : (address(self) as Address),
})
