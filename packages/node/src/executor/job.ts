/** A request with its kind, for a thread that runs jobs. */
export interface AnyJob {
  readonly kind: string
  readonly request: unknown
}

/** A request with its kind, of requests by their kinds. */
export type TaskOf<Requests> = {
  readonly [K in keyof Requests & string]: { readonly kind: K; readonly request: Requests[K] }
}[keyof Requests & string]
