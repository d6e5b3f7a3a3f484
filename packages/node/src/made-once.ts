/** Memoizes a function of an object. The result lives as long as the object, which must not change. */
export function madeOnce<K extends object, V>(make: (from: K) => V): (from: K) => V {
  const made = new WeakMap<K, { readonly value: V }>()
  return (from) => {
    const known = made.get(from)
    if (known !== undefined) return known.value
    const value = make(from)
    made.set(from, { value })
    return value
  }
}
