import type { Role } from './stage.ts'

/** Much more than the permitted clock difference. */
const OFFSET_MS = 5_000

/** Its clock, and so its block times, are far off: ahead on one liar and behind on the next. */
export const badTime: Role = {
  name: 'bad time',
  options: (isLiar) => ({
    clockOffsetsMs: Array.from({ length: 16 }, (_, index) => (isLiar(index) ? (index % 2 === 0 ? OFFSET_MS : -OFFSET_MS) : 0)),
  }),
}
