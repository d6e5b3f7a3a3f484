import type { Hash } from './bytes.ts'
import * as codec from './codec.ts'
import type { Organisation } from './organisation.ts'
import { hasRoles, ROLES, rolesProblem } from './roles.ts'
import { idProblem } from './short-name.ts'

/** What the chain knows about an account, or about a contract with roles. */
export interface AccountEntry {
  readonly organisation: Hash
  /** Bits of `ROLES`, and the consortium's own. */
  readonly roles: number
  /** Unix time in seconds from which the entry counts no longer; 0 for never. */
  readonly expiry: number
  readonly suspended: boolean
}

export const accountEntryCodec: codec.Codec<AccountEntry> = codec.checked(
  codec.struct({
    organisation: codec.checked(codec.hash, idProblem),
    roles: codec.checked(codec.u32<number>(), rolesProblem),
    expiry: codec.u64(),
    suspended: codec.bool,
  }),
  ({ roles, expiry }) =>
    expiry !== 0 && hasRoles(roles, ROLES.voter) ? 'the entry of a voter must not expire: expiry must be 0' : undefined,
)

/** Why an account's entry does not count at a time; `active` if it does, `none` without an entry. */
export type Standing = 'active' | 'none' | 'suspended' | 'organisation-suspended' | 'expired'

/**
 * Judges an entry in a block.
 *
 * @param timeMs the block's own time: an entry has expired when it is 1000 · expiry or more
 */
export function standing(entry: AccountEntry | undefined, organisation: Organisation | undefined, timeMs: number): Standing {
  if (entry === undefined || organisation === undefined) return 'none'
  if (entry.suspended) return 'suspended'
  if (organisation.suspended) return 'organisation-suspended'
  return entry.expiry !== 0 && timeMs >= 1000 * entry.expiry ? 'expired' : 'active'
}
