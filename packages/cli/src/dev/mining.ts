/** When blocks are made: with each transaction that can run, at an interval (empty ones too), or only when somebody asks. */
export type Mining =
  | { readonly kind: 'automatic' }
  | { readonly kind: 'interval'; readonly blockTimeMs: number }
  | { readonly kind: 'manual' }
