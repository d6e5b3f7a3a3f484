import type { Role } from './stage.ts'

/** Much more than clocks may differ. */
const OFFSET_MS = 5_000

/** Its clock is far off, ahead on one liar and behind on the next: so are the times of its blocks. */
export const badTime: Role = {
  name: 'bad time',
  options: (isLiar) => ({
    clockOffsetsMs: Array.from({ length: 16 }, (_, index) => (isLiar(index) ? (index % 2 === 0 ? OFFSET_MS : -OFFSET_MS) : 0)),
  }),
}
