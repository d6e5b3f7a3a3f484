import type { Address, Height, Round, ValidatorSet } from '@quoin/protocol'
import type { DriverInput } from './driver-input.ts'
import type { Outcome } from './effect.ts'

/** Who proposes: pure, and the same on every node. */
export type ProposerSelection = (validators: ValidatorSet, height: Height, round: Round) => Address

export interface ConsensusDriver {
  step(input: DriverInput): Outcome
}
