/** Grows from `first` by two with each attempt, up to `max`, less up to half by chance so that clients spread. Times in milliseconds. */
export const backoffMs = (attempt: number, first: number, max: number): number =>
  Math.min(max, first * 2 ** Math.min(attempt, 20)) * (1 - Math.random() / 2)
