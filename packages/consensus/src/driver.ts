import type { Address, Height, Round, ValidatorSet, Vote, VoteKind } from '@quoin/protocol'
import type { DriverInput } from './driver-input.ts'
import type { Outcome, Refusal } from './effect.ts'
import { HeightDriver, type Rebroadcast } from './height-driver.ts'
import { selectProposer } from './proposer.ts'
import type { State } from './state.ts'

/** Selects the proposer of a round. Must be a pure function and the same on every node. */
export type ProposerSelection = (validators: ValidatorSet, height: Height, round: Round) => Address

/**
 * Consensus of one node: a deterministic, synchronous state machine. It has no clock and does not sign, verify or send anything. The node verifies
 * an input, writes it to its log, calls `step` and carries out the effects in order. Replaying the log into a new driver gives the same effects.
 *
 * @example
 * const driver = new Driver()
 * const { effects } = driver.step({ kind: 'startHeight', height, validators, self })
 * for (const effect of effects) carryOut(effect)
 */
export class Driver {
  readonly #selectProposer: ProposerSelection
  #current: HeightDriver | undefined

  constructor(proposerSelection: ProposerSelection = selectProposer) {
    this.#selectProposer = proposerSelection
  }

  /** State of the current height. Undefined before the first `startHeight`. */
  get state(): State | undefined {
    return this.#current?.state
  }

  /** Proposer of the current round. Undefined before the first `startHeight`. */
  get proposer(): Address | undefined {
    return this.#current?.proposer
  }

  /** The counted votes of a round, in order of arrival: the first of each validator. */
  votes(round: Round, kind: VoteKind): readonly Vote[] {
    return this.#current?.votes(round, kind) ?? []
  }

  /**
   * The messages to send again if the round makes no progress. They let a peer that missed a message catch up: the proposals of the round, the own
   * votes of the round, the polka of validValue, and the certificate for entering this round. Each is empty or undefined if there is none.
   */
  rebroadcast(): Rebroadcast {
    return this.#current?.rebroadcast() ?? { proposals: [], votes: [], polkaCertificate: undefined, roundCertificate: undefined }
  }

  /**
   * Processes one input. Takes all transitions that it makes possible.
   *
   * @param input verified (`verifyVote` and others) and already in the log.
   * @returns the effects to carry out, in order, and the reason if the input was not accepted.
   */
  step(input: DriverInput): Outcome {
    if (input.kind === 'startHeight') {
      const { height, validators, self } = input
      this.#current = new HeightDriver({ height, validators, self, selectProposer: this.#selectProposer })
      return this.#current.start()
    }
    const current = this.#current
    if (current === undefined || heightOf(input) !== current.state.height) return ignored('height')
    if (current.state.step === 'commit') return ignored('decided')
    return dispatch(current, input)
  }
}

type InHeight = Exclude<DriverInput, { kind: 'startHeight' }>

function dispatch(driver: HeightDriver, input: InHeight): Outcome {
  switch (input.kind) {
    case 'valueBuilt':
      return driver.valueBuilt(input.round, input.valueId)
    case 'proposal':
      return driver.proposal(input.proposal, input.polka)
    case 'valueValidated':
      return driver.valueValidated(input.round, input.valueId, input.valid, input.fresh)
    case 'vote':
      return driver.vote(input.vote)
    case 'polkaCertificate':
      return driver.polkaCertificate(input.certificate)
    case 'roundCertificate':
      return driver.roundCertificate(input.certificate)
    case 'commitCertificate':
      return driver.commitCertificate(input.certificate)
    case 'timeout':
      return driver.timeout(input.timeout, input.round)
  }
}

function heightOf(input: InHeight): Height {
  if (input.kind === 'proposal') return input.proposal.height
  if (input.kind === 'vote') return input.vote.height
  return 'certificate' in input ? input.certificate.height : input.height
}

const ignored = (code: Extract<Refusal, { verdict: 'ignore' }>['code']): Outcome => ({
  effects: [],
  refusal: { verdict: 'ignore', code },
})
