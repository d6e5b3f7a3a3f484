import type { NetworkLimits } from './limits.ts'

/**
 * Wait before the next dial in ms: none before the first, then doubling from redialMsMin up to redialMsMax. Half of it is random, so
 * that nodes which lost the same peer do not all come back in the same moment.
 *
 * @param failures dials that failed in a row
 * @param random from 0 (inclusive) to 1 (exclusive)
 */
export function redialMs(failures: number, random: number, limits: Pick<NetworkLimits, 'redialMsMin' | 'redialMsMax'>): number {
  if (failures === 0) return 0
  const ceiling = Math.min(limits.redialMsMax, limits.redialMsMin * 2 ** Math.min(failures - 1, 30))
  return ceiling / 2 + (ceiling / 2) * random
}
