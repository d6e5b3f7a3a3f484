/** Whether a run with some gas limit does the same as the run with plenty of gas. */
export type GasTrial = 'does' | 'does-not'

/**
 * Finds a gas limit with which a call does what it did with `plenty` of gas, where it used `used`.
 *
 * Nearly always the result is `used`, which one trial confirms. Smaller limits are not tried, because they save nothing. A call
 * that keeps 1/64 for itself needs more than it uses, or its inner call runs out of gas. Then the search tries limits in growing
 * steps until one works, and bisects down to one gas between it and the last one that failed. What a call does need not be
 * monotonic in the limit, so several limits may work just above one that fails. The search finds one near `used`.
 *
 * It needs at most about 2 · log2(plenty - used) trials.
 */
export function leastGas(used: number, plenty: number, trial: (gas: number) => GasTrial): number {
  if (used >= plenty || trial(used) === 'does') return Math.min(used, plenty)
  let low = used
  let high = plenty
  const narrow = (gas: number): GasTrial => {
    const outcome = trial(gas)
    if (outcome === 'does') high = gas
    else low = gas
    return outcome
  }
  // The first guess is what EIP-150 keeps back at one level, as in geth.
  for (let step = Math.ceil(used / 63); low + step < high && narrow(low + step) === 'does-not'; step *= 2);
  while (low + 1 < high) narrow(low + Math.floor((high - low) / 2))
  return high
}
