declare const written: unique symbol
declare const read: unique symbol

/**
 * A field of the state as it is declared. `W` and `R` are what functions find under its name: `W` those that may write, `R` those that
 * may only read.
 */
export interface Field<out W, out R> {
  /** What the layout records. */
  readonly type: string
  /** Binds the field to its place in storage: the name, and for fields within fields the keys before. */
  open(place: string): W
  readonly [written]?: W
  readonly [read]?: R
}

export type Fields = { readonly [name: string]: Field<unknown, unknown> }

export type Written<F> = F extends Field<infer W, unknown> ? W : never
export type Read<F> = F extends Field<unknown, infer R> ? R : never

/** The state as functions that may write see it. */
export type State<F extends Fields> = { readonly [K in keyof F]: Written<F[K]> }
/** The state as `view` functions see it. */
export type ReadState<F extends Fields> = { readonly [K in keyof F]: Read<F[K]> }
