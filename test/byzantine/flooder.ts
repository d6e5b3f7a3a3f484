import { encodeMessage } from '../../packages/node/src/engine/messages.ts'
import type { Role } from './stage.ts'

const EVERY_MS = 5
const GARBAGE_BYTES_MAX = 4_000
/** Messages of other validators that it stores, to change and repeat them. */
const HEARD_MAX = 200

/** Sends garbage, changed, cut and repeated messages without end. */
export const flooder: Role = {
  name: 'flooder',
  play(stage, self) {
    const heard: Uint8Array[] = []
    stage.hear(self, (message) => {
      heard.push(encodeMessage(message))
      if (heard.length > HEARD_MAX) heard.shift()
    })
    const { random, honest, simulation } = stage
    stage.every(EVERY_MS, () => {
      const { peer } = random.pick(honest)
      simulation.network.say(self.peer, peer, random.bytes(random.below(GARBAGE_BYTES_MAX)))
      if (heard.length === 0) return
      const message = random.pick(heard)
      const changed = message.slice()
      changed[random.below(changed.length)]! ^= 1 << random.below(8)
      for (const bytes of [message, changed, message.subarray(0, random.below(message.length))])
        simulation.network.say(self.peer, random.pick(honest).peer, bytes)
    })
  },
}
