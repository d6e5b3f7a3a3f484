/** What became of a run with a gas limit. */
export type GasTrial = 'succeeds' | 'fails'

/**
 * A gas limit with which a call succeeds while one unit less fails, to the unit and both tried. Given: it fails with `failing` (known
 * without a trial), it succeeds with `succeeding`, and a run with that used `used`.
 *
 * Nearly always `used` itself is it, and two trials show that. It is not where gas decides what a contract does: a caller that keeps 1/64
 * for itself needs more than it uses, and one that catches the failure of an inner call succeeds with less. Then the search moves away
 * from `used` in growing steps until both ends are found, and halves what lies between them. Success need not grow with the limit, so
 * there may be several answers; this finds one near `used`, which is the one that does what the run with plenty of gas did.
 *
 * At most some 2 · log2(succeeding) trials.
 */
export function leastGas(failing: number, succeeding: number, used: number, trial: (gas: number) => GasTrial): number {
  let low = failing
  let high = succeeding
  const narrow = (gas: number): GasTrial => {
    const outcome = trial(gas)
    if (outcome === 'succeeds') high = gas
    else low = gas
    return outcome
  }
  const start = Math.min(Math.max(used, low + 1), high)
  if (start === high || narrow(start) === 'succeeds') {
    for (let step = 1; high - step > low && narrow(high - step) === 'succeeds'; step *= 2);
  } else {
    // What EIP-150 keeps back at one level is the first guess, as in geth.
    for (let step = Math.ceil(start / 63); low + step < high && narrow(low + step) === 'fails'; step *= 2);
  }
  while (low + 1 < high) narrow(low + Math.floor((high - low) / 2))
  return high
}
