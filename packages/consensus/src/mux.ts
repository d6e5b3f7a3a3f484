import type { Hash, Round } from '@quoin/protocol'
import type { CertificateKeeper } from './certificate-keeper.ts'
import type { Input } from './input.ts'
import type { ProposalKeeper } from './proposal-keeper.ts'
import type { RoundValue, State } from './state.ts'
import type { TimeoutKind } from './timeouts.ts'
import type { VoteKeeper } from './vote-keeper.ts'

/** Everything on which the rules of the paper depend. */
export interface View {
  readonly state: State
  readonly votes: VoteKeeper
  readonly proposals: ProposalKeeper
  readonly certificates: CertificateKeeper
  /** Every value with 2f+1 precommits in any round, by votes or by certificate. */
  readonly committed: readonly RoundValue[]
  /** Timeouts scheduled in the current round, for the condition "for the first time" of lines 34 and 47. */
  readonly scheduled: ReadonlySet<TimeoutKind>
}

/** A rule that applies, with its round. */
export interface Enabled {
  readonly round: Round
  readonly input: Input
}

/**
 * Finds the first rule of arXiv:1807.04938 that applies to the state. The driver calls it after each transition until no rule applies. So no rule
 * depends on which message arrived last: a polka for nil is not lost when precommits arrive at the same time, and both proposals of an equivocating
 * proposer are considered. Order: rules that end the height, rules that leave the round, then the rules of the step by line.
 *
 * | step      | rule                                                             | line   |
 * | --------- | ---------------------------------------------------------------- | ------ |
 * | any       | 2f+1 precommits for a valid value, any round                     | 49     |
 * | any       | f+1 voted in a later round                                       | 55     |
 * | propose   | fresh proposal, judged                                           | 22     |
 * | propose   | re-proposal, judged, and its polka                               | 28     |
 * | prevote   | polka for a valid value                                          | 36     |
 * | prevote   | polka for nil                                                    | 44     |
 * | prevote   | 2f+1 prevotes, first time                                        | 34     |
 * | precommit | polka for a valid value that is not yet validValue of this round | 36, 42 |
 * | any       | 2f+1 precommits, first time                                      | 47     |
 */
export function nextRule(view: View): Enabled | undefined {
  const { state } = view
  if (state.step === 'commit' || state.step === 'unstarted') return undefined
  return decision(view) ?? skip(view) ?? stepRule(view) ?? precommitAny(view)
}

/** Values with 2f+1 prevotes in a round, by votes or by certificate. There is more than one only if more than a third of the power votes twice. */
export function polkaValues({ votes, certificates }: Pick<View, 'votes' | 'certificates'>, round: Round): readonly Hash[] {
  const byVotes = votes.quorumValue(round, 'prevote')
  const byCertificate = certificates.polka(round)?.valueId
  if (byVotes === undefined) return byCertificate === undefined ? [] : [byCertificate]
  return byCertificate === undefined || byCertificate === byVotes ? [byVotes] : [byVotes, byCertificate]
}

function decision({ committed, proposals }: View): Enabled | undefined {
  const found = committed.find(({ valueId }) => proposals.isValid(valueId) === true)
  return found && { round: found.round, input: { kind: 'proposalAndPrecommitValue', valueId: found.valueId } }
}

function skip({ state, votes }: View): Enabled | undefined {
  const round = votes.skipRound(state.round)
  return round === undefined ? undefined : { round, input: { kind: 'skipRound' } }
}

function precommitAny({ state: { round }, votes, scheduled }: View): Enabled | undefined {
  if (scheduled.has('precommit') || !votes.hasQuorumAny(round, 'precommit')) return undefined
  return { round, input: { kind: 'precommitAny' } }
}

function stepRule(view: View): Enabled | undefined {
  const { round, step } = view.state
  const input =
    step === 'propose'
      ? ruleOfPropose(view, round)
      : step === 'prevote'
        ? ruleOfPrevote(view, round)
        : ruleOfPrecommit(view, round)
  return input && { round, input }
}

function ruleOfPropose(view: View, round: Round): Input | undefined {
  const { proposals } = view
  for (const { valueId, polRound } of proposals.proposals(round)) {
    const valid = proposals.isValid(valueId)
    if (valid === undefined) continue
    if (polRound === undefined) {
      const acceptable = valid ? proposals.isFresh(valueId, round) : false
      if (acceptable !== undefined) return acceptable ? { kind: 'proposal', valueId } : { kind: 'invalidProposal' }
    } else if (polkaValues(view, polRound).includes(valueId)) {
      return { kind: valid ? 'proposalAndPolkaPrevious' : 'invalidProposalAndPolkaPrevious', valueId, polRound }
    }
  }
  return undefined
}

function ruleOfPrevote(view: View, round: Round): Input | undefined {
  const { votes, scheduled } = view
  const valueId = validPolka(view, round)
  if (valueId !== undefined) return { kind: 'proposalAndPolkaCurrent', valueId }
  if (votes.hasQuorum(round, 'prevote', undefined)) return { kind: 'polkaNil' }
  if (scheduled.has('prevote')) return undefined
  const anyPolka = votes.hasQuorumAny(round, 'prevote') || polkaValues(view, round).length > 0
  return anyPolka ? { kind: 'polkaAny' } : undefined
}

function ruleOfPrecommit(view: View, round: Round): Input | undefined {
  if (view.state.valid?.round === round) return undefined
  const valueId = validPolka(view, round)
  return valueId === undefined ? undefined : { kind: 'proposalAndPolkaCurrent', valueId }
}

const validPolka = (view: View, round: Round): Hash | undefined =>
  polkaValues(view, round).find((valueId) => view.proposals.isValid(valueId) === true)
