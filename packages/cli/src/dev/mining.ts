/** When blocks are made: for each executable transaction, at an interval (including empty blocks), or only on request. */
export type Mining =
  | { readonly kind: 'automatic' }
  | { readonly kind: 'interval'; readonly blockTimeMs: number }
  | { readonly kind: 'manual' }
