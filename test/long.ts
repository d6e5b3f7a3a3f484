import { vi } from 'vitest'

/** `npm run test:long` makes that many times more runs, and gives them the time. */
const FACTOR = process.env['QUOIN_TEST_LONG'] === undefined ? 1 : 20
if (FACTOR > 1) vi.setConfig({ testTimeout: 60_000 * FACTOR })

/** Runs of a property, of which there are `count` in `npm test`. */
export const runs = (count: number): number => count * FACTOR
