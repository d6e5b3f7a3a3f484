import { vi } from 'vitest'

/** `npm run test:long` multiplies the number of runs and the timeouts by this. */
const FACTOR = process.env['QUOIN_TEST_LONG'] === undefined ? 1 : 20
if (FACTOR > 1) vi.setConfig({ testTimeout: 60_000 * FACTOR })

/** Whether this is `npm run test:long`. */
export const isLong = FACTOR > 1

/** Number of runs of a property; `count` is the number in `npm test`. */
export const runs = (count: number): number => count * FACTOR
