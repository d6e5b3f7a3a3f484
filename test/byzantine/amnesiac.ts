import type { Proposal } from '@quoin/protocol'
import type { SimNode } from '../sim/sim-node.ts'
import type { Role, Stage } from './stage.ts'

/** Ignores its lock: prevotes and precommits every proposal at once, again in each round, with or without a polka. */
export const amnesiac: Role = {
  name: 'amnesiac',
  play(stage, self) {
    const answered = new Set<string>()
    stage.twist(self, (message) => (message.kind === 'vote' && message.vote.validator === self.address ? [] : [message]))
    stage.hear(self, (message) => {
      if (message.kind !== 'proposal') return
      const { height, round } = message.proposal
      if (answered.has(`${height}/${round}`)) return
      answered.add(`${height}/${round}`)
      voteFor(stage, self, message.proposal)
    })
  },
}

function voteFor(stage: Stage, self: SimNode, { height, round, valueId }: Proposal): void {
  for (const kind of ['prevote', 'precommit'] as const)
    stage.say(self, { kind: 'vote', vote: stage.vote(self, { kind, height, round, valueId }) })
}
