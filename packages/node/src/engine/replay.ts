import type { Driver, DriverInput, Effect } from '@quoin/consensus'
import type { Address } from '@quoin/protocol'
import type { LoggedInput } from './wal.ts'

/**
 * Replays the log into a driver. Returns the effects that no logged input answers: actions that the node had not done, or not logged, when
 * it stopped. Timers of past rounds are left out.
 */
export function replay(
  driver: Driver,
  start: Extract<DriverInput, { kind: 'startHeight' }>,
  inputs: readonly LoggedInput[],
): readonly Effect[] {
  let open: readonly Effect[] = driver.step(start).effects
  for (const input of inputs) {
    open = open.filter((effect) => !answers(input, effect, start.self))
    for (const effect of driver.step(input).effects) {
      if (effect.kind === 'newRound') open = open.filter(({ kind }) => !ENDS_WITH_ROUND.has(kind))
      open = [...open, effect]
    }
  }
  return open
}

const ENDS_WITH_ROUND: ReadonlySet<Effect['kind']> = new Set(['newRound', 'getValue', 'scheduleTimeout', 'propose', 'vote'])

/** Whether an input is the answer to an effect. */
function answers(input: LoggedInput, effect: Effect, self: Address | undefined): boolean {
  switch (effect.kind) {
    case 'getValue':
      return input.kind === 'valueBuilt' && input.round === effect.round
    case 'propose':
      return input.kind === 'proposal' && input.proposal.proposer === self && input.proposal.round === effect.proposal.round
    case 'vote':
      return (
        input.kind === 'vote' &&
        input.vote.validator === self &&
        input.vote.kind === effect.vote.kind &&
        input.vote.round === effect.vote.round
      )
    case 'scheduleTimeout':
      return input.kind === 'timeout' && input.timeout === effect.timeout && input.round === effect.round
    case 'validateValue':
    case 'needValue':
      return input.kind === 'valueValidated' && input.valueId === effect.valueId && input.round === effect.round
    default:
      return false
  }
}
