/**
 * Polyfills that libp2p's dependencies (it-queue, mortice, yamux) need on Node 20. Import this module before libp2p: modules are evaluated
 * in import order.
 */

interface Deferred<T> {
  promise: Promise<T>
  resolve: (value: T | PromiseLike<T>) => void
  reject: (reason: unknown) => void
}

/** ECMAScript 2024 `Promise.withResolvers`, available in Node from version 22. */
function withResolvers<T>(this: PromiseConstructor): Deferred<T> {
  const deferred = {} as Deferred<T>
  deferred.promise = new this<T>((resolve, reject) => {
    deferred.resolve = resolve
    deferred.reject = reject
  })
  return deferred
}

if (!('withResolvers' in Promise)) {
  Object.defineProperty(Promise, 'withResolvers', { value: withResolvers, writable: true, configurable: true, enumerable: false })
}
