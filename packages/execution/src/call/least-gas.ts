/** What became of a run with a gas limit: whether it does what the run with plenty of gas did. */
export type GasTrial = 'does' | 'does-not'

/**
 * A gas limit with which a call does what it did with `plenty` of gas, where it used `used`.
 *
 * Nearly always that is `used`, and one trial shows it. Less is not looked for: nobody saves anything by it. A caller that keeps 1/64 for
 * itself needs more than it uses, or its inner call runs out of gas. Then the search goes up in growing steps to a limit that does, and
 * halves what lies between it and the last that does not, to the unit. What a call does need not grow with the limit, so several limits
 * may border on one that does not; this finds one near `used`.
 *
 * At most some 2 · log2(plenty - used) trials.
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
  // What EIP-150 keeps back at one level is the first guess, as in geth.
  for (let step = Math.ceil(used / 63); low + step < high && narrow(low + step) === 'does-not'; step *= 2);
  while (low + 1 < high) narrow(low + Math.floor((high - low) / 2))
  return high
}
