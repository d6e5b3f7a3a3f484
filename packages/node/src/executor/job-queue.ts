import { err, ok, type Result } from '@quoin/protocol'
import { type Client, FairQueue } from '../fair-queue.ts'
import type { CallPoolLimits } from './call-runner.ts'

export interface WaitingJob {
  readonly client: Client
  /** Memory of its request. */
  readonly bytes: number
  /** Whether it is a long job, which waits apart. */
  readonly endsEarly: boolean
}

export type JobQueueLimits = Pick<
  CallPoolLimits,
  'callsQueuedMax' | 'callsQueuedPerRemoteMax' | 'queuedBytesMax' | 'queuedBytesPerRemoteMax'
>

/** Waiting jobs of one address. */
interface Share<T> {
  /** The newest is last. */
  readonly jobs: Set<T>
  bytes: number
}

/**
 * Jobs that wait for a thread, limited in number and bytes, for each address too. Long jobs wait apart, because they must leave a thread to
 * the others. When the queue is full, the address that has most gives way to one that has less.
 */
export class JobQueue<T extends WaitingJob> {
  readonly #limits: JobQueueLimits
  readonly #short = new FairQueue<T>()
  readonly #long = new FairQueue<T>()
  readonly #shares = new Map<string, Share<T>>()
  #bytes = 0

  constructor(limits: JobQueueLimits) {
    this.#limits = limits
  }

  get size(): number {
    return this.#short.size + this.#long.size
  }

  /** Number of waiting jobs that are not long. */
  get shortSize(): number {
    return this.#short.size
  }

  /**
   * Adds a job.
   *
   * @returns the jobs that left the queue for it; or why there is no room
   */
  push(job: T): Result<readonly T[], string> {
    const refusal = this.#shareRefusal(job)
    if (refusal !== undefined) return err(refusal)
    const leaving = this.#leavingFor(job)
    if (leaving === undefined) return err(`too many calls: ${this.size} with ${this.#bytes} bytes are waiting, try again later`)
    for (const other of leaving) this.remove(other)
    this.#queueOf(job).push(job.client, job)
    const { remote } = job.client
    const share = this.#shares.get(remote) ?? { jobs: new Set(), bytes: 0 }
    this.#shares.set(remote, share)
    share.jobs.add(job)
    share.bytes += job.bytes
    this.#bytes += job.bytes
    return ok(leaving)
  }

  /** Removes a job. Returns false if it does not wait. */
  remove(job: T): boolean {
    const isRemoved = this.#queueOf(job).remove(job.client, job)
    if (isRemoved) this.#forget(job)
    return isRemoved
  }

  /**
   * Takes the next job.
   *
   * @param kind - Whether to take a long job, or another one.
   * @param passes - Clients for which it returns false are skipped.
   */
  take(kind: 'short' | 'long', passes?: (client: Client) => boolean): T | undefined {
    const next = (kind === 'long' ? this.#long : this.#short).shift(passes)
    if (next !== undefined) this.#forget(next.item)
    return next?.item
  }

  #queueOf({ endsEarly }: T): FairQueue<T> {
    return endsEarly ? this.#long : this.#short
  }

  #forget(job: T): void {
    const { remote } = job.client
    const share = this.#shares.get(remote)!
    share.jobs.delete(job)
    share.bytes -= job.bytes
    this.#bytes -= job.bytes
    if (share.jobs.size === 0) this.#shares.delete(remote)
  }

  #shareOf({ client }: T): { readonly count: number; readonly bytes: number } {
    const share = this.#shares.get(client.remote)
    return { count: share?.jobs.size ?? 0, bytes: share?.bytes ?? 0 }
  }

  #shareRefusal(job: T): string | undefined {
    const { callsQueuedPerRemoteMax, queuedBytesPerRemoteMax } = this.#limits
    const { count, bytes } = this.#shareOf(job)
    const { remote } = job.client
    if (count >= callsQueuedPerRemoteMax) return `too many calls: ${count} of ${remote} are waiting, try again later`
    if (bytes + job.bytes <= queuedBytesPerRemoteMax) return undefined
    return `too many calls: ${count} of ${remote} with ${bytes} bytes are waiting, try again later`
  }

  /**
   * The jobs that must leave to make room for another: the newest of the address that has most, while it has more than the address of the
   * other job would have. Undefined if they do not suffice.
   */
  #leavingFor(job: T): readonly T[] | undefined {
    const { callsQueuedMax, queuedBytesMax } = this.#limits
    let excess = this.#bytes + job.bytes - queuedBytesMax
    if (this.size < callsQueuedMax && excess <= 0) return []
    const isByBytes = excess > 0
    const own = this.#shareOf(job)
    const fair = isByBytes ? own.bytes + job.bytes : own.count + 1
    const [jobs, weight] = this.#heaviest(isByBytes)
    const leaving: T[] = []
    let left = weight
    for (const newest of [...jobs].reverse()) {
      if (left <= fair) break
      leaving.push(newest)
      left -= isByBytes ? newest.bytes : 1
      excess -= newest.bytes
      if (excess <= 0) return leaving
    }
    return undefined
  }

  /** The jobs of the address that has most, and how much that is. */
  #heaviest(isByBytes: boolean): readonly [jobs: Iterable<T>, weight: number] {
    let heaviest: readonly [Iterable<T>, number] = [[], 0]
    for (const { jobs, bytes } of this.#shares.values()) {
      const weight = isByBytes ? bytes : jobs.size
      if (weight > heaviest[1]) heaviest = [jobs, weight]
    }
    return heaviest
  }
}
