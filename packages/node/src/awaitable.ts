/** What is there at once, or comes later. */
export type Awaitable<T> = T | Promise<T>

export const isPromise = <T>(value: Awaitable<T>): value is Promise<T> => value instanceof Promise

/** What a value becomes, at once where it is there at once. */
export const whenThere = <T, R>(value: Awaitable<T>, then: (value: T) => R): Awaitable<R> =>
  isPromise(value) ? value.then(then) : then(value)
