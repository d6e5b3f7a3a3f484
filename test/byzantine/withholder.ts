import { decodeMessage, encodeMessage } from '../../packages/node/src/engine/messages.ts'
import type { Role } from './stage.ts'

/**
 * Proposes blocks of transactions that no other node has, and gives them to nobody. Sends each of its votes, and what it knows of others'
 * quorums, to one validator only, so that this one may be locked where the others see no polka.
 */
export const withholder: Role = {
  name: 'withholder',
  play(stage, self) {
    const confidant = stage.honest[self.index % stage.honest.length]!
    stage.simulation.network.lie(self.peer, {
      publishes: () => false,
      answers: () => false,
      send: (to, bytes) => {
        const decoded = decodeMessage(bytes)
        if (!decoded.ok || decoded.value.kind === 'status' || to === confidant.peer) return [bytes]
        return decoded.value.kind === 'proposal' ? [encodeMessage(decoded.value)] : []
      },
    })
  },
}
