import { bytesToHex, type Height } from '@quoin/protocol'
import type { Clock, Random } from '../powers.ts'
import { RPC_CODE, RpcError } from './errors.ts'
import { quantityHex } from './format.ts'
import type { RpcLimits } from './limits.ts'
import type { LogMatcher, LogQuery } from './log-matcher.ts'
import { Quota } from './quota.ts'

/** What a filter reports, and from where on: nothing else is kept, the changes are read when they are asked for. */
export type FilterSubject =
  | {
      readonly kind: 'logs'
      /** As it was asked for: `eth_getFilterLogs` answers it anew. */
      readonly query: LogQuery
      readonly matcher: LogMatcher
      /** Last block of interest; undefined is no end. */
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

/** Random, because filters belong to no connection and whoever knows an id may ask for the filter's changes. */
const FILTER_ID_BYTES = 16

/** Heights of the head before and after a chain went back. */
export interface Rewind {
  readonly from: Height
  readonly to: Height
}

/** One filter. Its changes are taken one caller after another, so that none is reported twice. */
export class Filter {
  readonly subject: FilterSubject
  readonly #onEnd: () => void
  deadlineMs = 0
  #last: Promise<unknown> = Promise.resolve()

  constructor(subject: FilterSubject, onEnd: () => void) {
    this.subject = subject
    this.#onEnd = onEnd
  }

  /** Runs after what was given before has ended. */
  exclusive<T>(action: () => Promise<T>): Promise<T> {
    const result = this.#last.then(action)
    this.#last = result.then(
      () => undefined,
      // Told to the caller, through `result`.
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

/** The filters of all clients. A filter ends when it is uninstalled, or when nobody asked for it for `filterIdleMs`. */
export class Filters {
  readonly #options: FilterOptions
  readonly #quota: Quota
  /** In the order in which they were last asked for. */
  readonly #byId = new Map<string, Filter>()

  constructor(options: FilterOptions) {
    this.#options = options
    this.#quota = new Quota('filters', options.limits.filtersMax, options.limits.filtersPerRemoteMax)
  }

  /** Installs a filter for a client and returns its id. `onEnd` is called when it ends. Throws RpcError when there are too many. */
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

  /** Throws the RpcError on which viem makes the filter anew. */
  require(id: string): Filter {
    this.expire()
    const filter = this.#byId.get(id)
    if (filter === undefined) throw filterNotFound()
    this.#touch(id, filter)
    return filter
  }

  /** False when there is no such filter. */
  uninstall(id: string): boolean {
    this.expire()
    this.#byId.get(id)?.end()
    return this.#byId.delete(id)
  }

  /** The chain went back, as only one for development does: what follows its new head is news again. */
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

  /** Forgets the filters whose time is up, up to the first that lives: those behind it were asked for later. */
  expire(): void {
    const now = this.#options.clock.monotonic()
    for (const [id, filter] of this.#byId) {
      if (filter.deadlineMs > now) return
      filter.end()
      this.#byId.delete(id)
    }
  }
}

export const filterNotFound = (): RpcError => new RpcError(RPC_CODE.server, 'filter not found')
