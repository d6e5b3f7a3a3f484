import { Address } from './bytes.ts'
import * as codec from './codec.ts'
import { LIMITS } from './limits.ts'
import type { Height } from './numbers.ts'

/** Who governs the chain, and to whom that is offered. */
export interface Governance {
  /** The one that the chain contract obeys: a contract or an account. The zero address: nobody, and nothing can ever change. */
  readonly governor: Address
  /** A hand-over that `to` may accept in blocks up to `lastHeight`. */
  readonly offer: { readonly to: Address; readonly lastHeight: Height } | undefined
  /** Accounts that reach the governor by the lane without an entry: the owners of a multisignature. Sorted, without duplicates. */
  readonly participants: readonly Address[]
}

export const governanceCodec: codec.Codec<Governance> = codec.struct({
  governor: codec.address,
  offer: codec.optional(codec.struct({ to: codec.address, lastHeight: codec.u64<Height>() })),
  participants: codec.checked(codec.list(codec.address, LIMITS.participantsMax), (addresses) =>
    addresses.some((address, i) => i > 0 && addresses[i - 1]! >= address)
      ? 'participants must be sorted by address, without duplicates'
      : undefined,
  ),
})
