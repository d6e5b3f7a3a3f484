import type { Address, Height, Round, ValidatorSet, Vote, VoteKind } from '@quoin/protocol'
import type { DriverInput } from './driver-input.ts'
import type { Outcome, Refusal } from './effect.ts'
import { HeightDriver, type Rebroadcast } from './height-driver.ts'
import { selectProposer } from './proposer.ts'
import type { State } from './state.ts'

/** Who proposes: pure, and the same on every node. */
export type ProposerSelection = (validators: ValidatorSet, height: Height, round: Round) => Address

/**
 * Consensus of one node: a deterministic, synchronous machine over its inputs. It holds no clock, signs nothing, verifies nothing and sends
 * nothing. The node verifies and logs an input, calls `step`, and carries out the effects in order; replaying the log into a new driver
 * gives the same effects.
 */
export class Driver {
  readonly #selectProposer: ProposerSelection
  #current: HeightDriver | undefined

  constructor(proposerSelection: ProposerSelection = selectProposer) {
    this.#selectProposer = proposerSelection
  }

  /** State of the current height; undefined before the first `startHeight`. */
  get state(): State | undefined {
    return this.#current?.state
  }

  /** Proposer of the current round. */
  get proposer(): Address | undefined {
    return this.#current?.proposer
  }

  /** Votes of a round that count, in the order in which they came. */
  votes(round: Round, kind: VoteKind): readonly Vote[] {
    return this.#current?.votes(round, kind) ?? []
  }

  /**
   * What to send again when the round has not moved for a while: the round's proposals, own votes of the round, the polka of validValue and why
   * we are in this round, each undefined or empty where there is none. Together they let a peer that missed anything catch up.
   */
  rebroadcast(): Rebroadcast {
    return this.#current?.rebroadcast() ?? { proposals: [], votes: [], polkaCertificate: undefined, roundCertificate: undefined }
  }

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
