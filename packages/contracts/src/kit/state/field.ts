declare const written: unique symbol
declare const read: unique symbol

/**
 * A declared field of the state. Functions that may write see it as `W`, functions that only read as `R`.
 */
export interface Field<out W, out R> {
  /** Type of the field in the state layout. */
  readonly type: string
  /** Binds the field to its place in storage: the field's name, followed by the keys of enclosing mappings. */
  open(place: string): W
  readonly [written]?: W
  readonly [read]?: R
}

export type Fields = { readonly [name: string]: Field<unknown, unknown> }

export type Written<F> = F extends Field<infer W, unknown> ? W : never
export type Read<F> = F extends Field<unknown, infer R> ? R : never

/** The state for functions that may write. */
export type State<F extends Fields> = { readonly [K in keyof F]: Written<F[K]> }
/** The state for `view` functions. */
export type ReadState<F extends Fields> = { readonly [K in keyof F]: Read<F[K]> }
