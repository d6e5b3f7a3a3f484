/** A value, or a promise of one. Avoids a promise where the value is usually there at once. */
export type Awaitable<T> = T | Promise<T>

export const isPromise = <T>(value: Awaitable<T>): value is Promise<T> => value instanceof Promise

/** Applies a function to a value: synchronously if it is there, otherwise when the promise resolves. */
export const whenThere = <T, R>(value: Awaitable<T>, then: (value: T) => Awaitable<R>): Awaitable<R> =>
  isPromise(value) ? value.then(then) : then(value)
