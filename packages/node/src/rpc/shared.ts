import type { Clock, Random } from '../powers.ts'
import type { RpcBackend } from './backend.ts'
import { Filters } from './filters.ts'
import type { RpcLimits } from './limits.ts'
import { Quota } from './quota.ts'
import { RecentTransactions } from './recent-transactions.ts'
import { Turns } from './turns.ts'

/** What the calls of all clients of a server share. */
export interface Shared {
  readonly filters: Filters
  /** Holds addresses and topics for a filter or subscription until the returned function is called. Throws RpcError over a limit. */
  takeTerms(remote: string, terms: number): () => void
  readonly transactions: RecentTransactions
  /** Whose turn it is to go on with a long query. */
  readonly turns: Turns
  close(): void
}

export interface SharedOptions {
  readonly clock: Pick<Clock, 'monotonic'>
  readonly random: Random
  readonly limits: RpcLimits
}

/** Follows the pool until it is closed. */
export function openShared({ pool }: Pick<RpcBackend, 'pool'>, { clock, random, limits }: SharedOptions): Shared {
  const transactions = new RecentTransactions(limits.filterTransactionsMax)
  const filters = new Filters({ clock, random, limits })
  const terms = new Quota('addresses and topics in filters and subscriptions', limits.logTermsMax, limits.logTermsPerRemoteMax)
  return {
    filters,
    takeTerms(remote, count) {
      filters.expire()
      return terms.take(remote, count)
    },
    transactions,
    turns: new Turns(),
    close: pool.onAdmitted(({ hash }) => transactions.add(hash)),
  }
}
