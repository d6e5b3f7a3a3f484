import { bytesToHex, type Height } from '@quoin/protocol'
import type { Clock, Random } from '../powers.ts'
import { RpcError } from './errors.ts'
import { quantityHex } from './format.ts'
import type { RpcLimits } from './limits.ts'
import type { LogMatcher, LogQuery } from './log-matcher.ts'
import { Quota } from './quota.ts'

/** What a filter reports, and its position. Nothing else is stored: changes are read when the client polls. */
export type FilterSubject =
  | {
      readonly kind: 'logs'
      /** The original query, which `eth_getFilterLogs` runs again. */
      readonly query: LogQuery
      readonly matcher: LogMatcher
      /** Last block of interest; undefined means no end. */
      readonly to: Height | undefined
      /** First block that has not been reported. */
      next: Height
    }
  | { readonly kind: 'blocks'; next: Height }
  | {
      readonly kind: 'transactions'
      /** Sequence number among `RecentTransactions`. */
      next: number
    }

/** Ids are random, because filters belong to no connection: anyone who knows an id can read the filter's changes. */
const FILTER_ID_BYTES = 16

/** Heights of the head before and after a chain was rewound. */
export interface Rewind {
  readonly from: Height
  readonly to: Height
}

/** One filter. Its changes are read by one caller at a time, so that none is reported twice. */
export class Filter {
  readonly subject: FilterSubject
  readonly #onEnd: () => void
  deadlineMs = 0
  #last: Promise<unknown> = Promise.resolve()

  constructor(subject: FilterSubject, onEnd: () => void) {
    this.subject = subject
    this.#onEnd = onEnd
  }

  /** Runs an action after all earlier ones have ended. */
  exclusive<T>(action: () => Promise<T>): Promise<T> {
    const result = this.#last.then(action)
    this.#last = result.then(
      () => undefined,
      // The caller gets the error through `result`.
      () => undefined,
    )
    return result
  }

  end(): void {
    this.#onEnd()
  }
}

export interface FilterOptions {
  readonly clock: Pick<Clock, 'monotonic'>
  readonly random: Random
  readonly limits: Pick<RpcLimits, 'filtersMax' | 'filtersPerRemoteMax' | 'filterIdleMs'>
}

/** The filters of all clients. A filter ends when it is uninstalled, or was not polled for `filterIdleMs`. */
export class Filters {
  readonly #options: FilterOptions
  readonly #quota: Quota
  /** Least recently polled first. */
  readonly #byId = new Map<string, Filter>()

  constructor(options: FilterOptions) {
    this.#options = options
    this.#quota = new Quota('filters', options.limits.filtersMax, options.limits.filtersPerRemoteMax)
  }

  /** Installs a filter for a client and returns its id. `onEnd` is called when it ends. Throws RpcError if there are too many. */
  install(remote: string, subject: FilterSubject, onEnd: () => void): string {
    this.expire()
    const release = this.#quota.take(remote, 1)
    const id = quantityHex(BigInt(bytesToHex(this.#options.random.bytes(FILTER_ID_BYTES))))
    this.#touch(
      id,
      new Filter(subject, () => {
        release()
        onEnd()
      }),
    )
    return id
  }

  /** Finds a filter. If there is none, throws the RpcError that makes viem install the filter again. */
  require(id: string): Filter {
    this.expire()
    const filter = this.#byId.get(id)
    if (filter === undefined) throw filterNotFound()
    this.#touch(id, filter)
    return filter
  }

  /** Returns false if there is no such filter. */
  uninstall(id: string): boolean {
    this.expire()
    this.#byId.get(id)?.end()
    return this.#byId.delete(id)
  }

  /** The chain was rewound, which only happens on a development chain: blocks after the new head are reported again. */
  rewind({ from, to }: Rewind): void {
    for (const { subject } of this.#byId.values()) {
      if (subject.kind === 'transactions' || subject.next > from + 1) continue
      subject.next = Math.min(subject.next, to + 1) as Height
    }
  }

  #touch(id: string, filter: Filter): void {
    filter.deadlineMs = this.#options.clock.monotonic() + this.#options.limits.filterIdleMs
    this.#byId.delete(id)
    this.#byId.set(id, filter)
  }

  /** Ends idle filters. Stops at the first active one, because later ones were polled after it. */
  expire(): void {
    const now = this.#options.clock.monotonic()
    for (const [id, filter] of this.#byId) {
      if (filter.deadlineMs > now) return
      filter.end()
      this.#byId.delete(id)
    }
  }
}

export const filterNotFound = (): RpcError => new RpcError('filter-not-found', 'filter not found')
