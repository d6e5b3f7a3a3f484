import { headerHash, type TimeMs } from '@quoin/protocol'
import type { EngineMessage } from '../../packages/node/src/engine/messages.ts'
import { simCrypto } from '../sim/crypto.ts'
import type { SimNode } from '../sim/sim-node.ts'
import type { Role, Stage } from './stage.ts'

/**
 * Sends different messages to different peers: two blocks per proposal, nil and a value per vote. Every third peer gets both, and can prove
 * it.
 */
export const equivocator: Role = {
  name: 'equivocator',
  play: (stage, self) =>
    stage.twist(self, (message, to) => {
      const other = contradiction(stage, self, message)
      if (other === undefined || to.index % 3 === 0) return [message]
      return to.index % 3 === 1 ? [other] : [message, other]
    }),
}

function contradiction(stage: Stage, self: SimNode, message: EngineMessage): EngineMessage | undefined {
  if (message.kind === 'vote' && message.vote.validator === self.address && message.vote.valueId !== undefined)
    return { kind: 'vote', vote: stage.vote(self, { ...message.vote, valueId: undefined }) }
  if (message.kind !== 'proposal' || message.proposal.proposer !== self.address || message.polka !== undefined) return undefined
  const header = { ...message.block.header, timeMs: (message.block.header.timeMs + 1) as TimeMs }
  const proposal = stage.proposal(self, { ...message.proposal, valueId: headerHash(simCrypto, header) })
  return { ...message, proposal, block: { ...message.block, header } }
}
