/** Figures of a series of measurements. */

/** The value below which this share of the values is; undefined if there are none. */
export function quantile(values: readonly number[], share: number): number | undefined {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]
}

/** The middle value; for an even number of values the mean of the two in the middle. */
export function median(values: readonly number[]): number | undefined {
  const sorted = values.toSorted((a, b) => a - b)
  const high = sorted[sorted.length >> 1]
  const low = sorted[(sorted.length - 1) >> 1]
  return high === undefined || low === undefined ? undefined : (low + high) / 2
}

/** A time span, by the clock that all processes of the suite share. */
export interface Span {
  readonly from: number
  readonly to: number
}

export const isWithin = ({ from, to }: Span, at: number): boolean => at >= from && at < to

export interface Intervals {
  readonly count: number
  readonly meanMs: number
  readonly maxMs: number
}

/**
 * Times between events in a span. The time before the first and after the last event counts if it is longer than the average interval, so
 * that a stop of the chain shows even if no event begins or ends it there.
 */
export function intervalsIn({ from, to }: Span, times: readonly number[]): Intervals {
  const inside = times.filter((at) => isWithin({ from, to }, at))
  const gaps = inside.slice(1).map((at, i) => at - inside[i]!)
  const edges = inside.length === 0 ? [to - from] : [inside[0]! - from, to - inside.at(-1)!]
  const mean = average(gaps)
  const counted = [...gaps, ...(mean === undefined ? edges : edges.filter((edge) => edge > mean))]
  return { count: inside.length, meanMs: average(counted)!, maxMs: Math.max(...counted) }
}

const average = (values: readonly number[]): number | undefined =>
  values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0) / values.length
