import type { Height, Round } from '@quoin/protocol'
import type { Role } from './stage.ts'

/** Votes per burst, each in a later round than all before. */
const BURST = 100
const ROUND_MAX = 2 ** 32 - 1
const FIRST_ROUND = 1_000

/** Votes in rounds that will never be reached: ever later ones, and the last possible one. */
export const farRounds: Role = {
  name: 'far rounds',
  play(stage, self) {
    let round = FIRST_ROUND
    stage.every(50, () => {
      const { node } = self
      if (node?.status === undefined) return
      const height = node.status.height as Height
      for (let i = 0; i < BURST; i++) {
        const kind = i % 2 === 0 ? 'prevote' : 'precommit'
        const far = (i === 0 ? ROUND_MAX : round++) as Round
        stage.say(self, { kind: 'vote', vote: stage.vote(self, { kind, height, round: far, valueId: undefined }) })
      }
    })
  },
}
