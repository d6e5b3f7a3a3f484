import { backoffMs } from '../backoff.ts'
import type { NetworkLimits } from './limits.ts'

/**
 * Wait before the next dial in ms: 0 before the first dial, then doubling from redialMsMin up to redialMsMax. Half of the wait is random,
 * so that nodes that lost the same peer do not all dial it at the same moment.
 * @param failures number of dials that failed in a row
 * @param random from 0 (inclusive) to 1 (exclusive)
 */
export function redialMs(failures: number, random: number, limits: Pick<NetworkLimits, 'redialMsMin' | 'redialMsMax'>): number {
  if (failures === 0) return 0
  const ceiling = backoffMs(failures, limits.redialMsMin, limits.redialMsMax)
  return ceiling / 2 + (ceiling / 2) * random
}
