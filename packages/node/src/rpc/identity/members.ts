import { type KvReader, type Membership, readMembership, readSystemRecord, SYSTEM_RECORDS } from '@quoin/execution'
import type { Access, Address, Hash, TimeMs } from '@quoin/protocol'
import { IDENTITY_LIMITS } from './limits.ts'

/** Who belongs to the consortium, and whom its chain lets read, in the last committed state. */
export interface MemberReader {
  reading(): Access
  membership(account: Address): Membership
}

export const memberReader = (kv: KvReader): MemberReader => ({
  reading: () => readSystemRecord(kv, SYSTEM_RECORDS.policies).value.reading,
  membership: (account) => readMembership(kv, account),
})

interface Head {
  readonly hash: Hash
  readonly header: { readonly timeMs: TimeMs }
}

/** What holds at the head. Everything is read once for each head, so that a change counts from the next block on. */
export class HeadMembers {
  readonly #members: MemberReader
  readonly #head: () => Head
  readonly #known = new Map<Address, Membership>()
  #hash: Hash | undefined
  #reading: Access = 'open'

  constructor(members: MemberReader, head: () => Head) {
    this.#members = members
    this.#head = head
  }

  /** Whom the chain lets read. */
  get reading(): Access {
    const { hash } = this.#head()
    if (hash !== this.#hash) {
      this.#reading = this.#members.reading()
      this.#known.clear()
      this.#hash = hash
    }
    return this.#reading
  }

  /** The block's own time, by which entries expire. */
  get timeMs(): TimeMs {
    return this.#head().header.timeMs
  }

  /** Call it after `reading`, which forgets what held at an earlier head. */
  membership(account: Address): Membership {
    const known = this.#known.get(account)
    if (known !== undefined) return known
    const membership = this.#members.membership(account)
    if (this.#known.size >= IDENTITY_LIMITS.membersKeptMax) this.#known.clear()
    this.#known.set(account, membership)
    return membership
  }
}
