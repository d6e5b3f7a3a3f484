import { type Crypto, Hash, type Result, type SignedTransaction } from '@quoin/protocol'
import type { Clock, PeerId } from '../../powers.ts'
import type { Mempool, PoolRefusal } from '../types.ts'
import { GOSSIP_LIMITS } from './limits.ts'

export interface IntakePowers {
  readonly mempool: Pick<Mempool, 'add' | 'verified'>
  readonly crypto: Pick<Crypto, 'keccak256'>
  readonly clock: Pick<Clock, 'after' | 'monotonic'>
}

/** Result for one transaction of a payload. */
export interface Admission {
  readonly raw: Uint8Array
  /** The signature was verified before, so the transaction cost almost nothing. */
  readonly wasVerified: boolean
  /** The peer had sent it before. */
  readonly isRepeat: boolean
  readonly result: Result<SignedTransaction, PoolRefusal>
}

/** Results for all transactions of a payload. */
export interface PayloadOutcome {
  readonly admissions: readonly Admission[]
  /** The payload contains a transaction twice. The transactions before the second copy were handled; the rest was skipped. */
  readonly hasTwins: boolean
}

/** A payload on its way into the pool. */
interface Job {
  readonly raws: readonly Uint8Array[]
  /** Index of the next transaction. */
  at: number
  readonly hashes: Set<Hash>
  readonly admissions: Admission[]
  hasTwins: boolean
  /** All its transactions have been passed to the pool. */
  isHandedOver: boolean
  /** Number of transactions that the pool is verifying. */
  verifying: number
  /** Notes a hash; returns whether the peer had sent it before. */
  readonly note: (hash: Uint8Array) => boolean
  readonly resolve: (outcome: PayloadOutcome) => void
  readonly reject: (error: unknown) => void
}

/** The payloads of one peer, in order of arrival. */
interface Lane {
  readonly peer: PeerId
  readonly jobs: Job[]
  verifying: number
}

/**
 * Passes the transactions of payloads to the pool. Peers take turns of one slice each; a limited number of transactions is passed per turn
 * of the event loop, and after a turn the intake pauses at least as long as the turn took. So gossip takes at most half of the main thread,
 * and one peer delays another by at most one slice.
 */
export class Intake {
  readonly #powers: IntakePowers
  /** Peers with work, in order of their turns. */
  readonly #lanes = new Map<PeerId, Lane>()
  #cancelRest: (() => void) | undefined
  #closed = false

  constructor(powers: IntakePowers) {
    this.#powers = powers
  }

  /** Resolves when the pool has answered for all transactions; rejects if the pool throws, which is a bug. */
  take(peer: PeerId, raws: readonly Uint8Array[], note: (hash: Uint8Array) => boolean): Promise<PayloadOutcome> {
    return new Promise((resolve, reject) => {
      const job: Job = {
        ...{ raws, at: 0, hashes: new Set(), admissions: [], hasTwins: false, isHandedOver: false, verifying: 0 },
        ...{ note, resolve, reject },
      }
      if (this.#closed) return resolve(job)
      const lane = this.#lanes.get(peer) ?? { peer, jobs: [], verifying: 0 }
      this.#lanes.set(peer, lane)
      lane.jobs.push(job)
      this.#wake()
    })
  }

  /** Resolves the pending payloads with the results so far. */
  close(): void {
    this.#closed = true
    this.#cancelRest?.()
    for (const { jobs } of this.#lanes.values()) for (const job of jobs) job.resolve(job)
    this.#lanes.clear()
  }

  #wake(): void {
    if (this.#cancelRest === undefined && !this.#closed) this.#turn()
  }

  #turn(): void {
    const { clock } = this.#powers
    const startedMs = clock.monotonic()
    const left = { transactions: GOSSIP_LIMITS.turnTransactionsMax as number, bytes: GOSSIP_LIMITS.turnBytesMax as number }
    let hasWorked = false
    for (let lane = this.#next(); lane !== undefined && left.transactions > 0 && left.bytes > 0; lane = this.#next()) {
      this.#slice(lane, left)
      hasWorked = true
    }
    if (!hasWorked) return
    this.#cancelRest = clock.after(clock.monotonic() - startedMs, () => {
      this.#cancelRest = undefined
      this.#wake()
    })
  }

  /** Takes the next lane and moves it to the end of the queue. */
  #next(): Lane | undefined {
    for (const lane of this.#lanes.values()) {
      if (lane.jobs.length === 0 || lane.verifying >= GOSSIP_LIMITS.verifyingPerPeerMax) continue
      this.#lanes.delete(lane.peer)
      this.#lanes.set(lane.peer, lane)
      return lane
    }
    return undefined
  }

  #slice(lane: Lane, left: { transactions: number; bytes: number }): void {
    const { sliceTransactionsMax, sliceBytesMax, verifyingPerPeerMax } = GOSSIP_LIMITS
    const job = lane.jobs[0]!
    for (let count = 0, bytes = 0; count < sliceTransactionsMax && bytes < sliceBytesMax; count++) {
      const raw = job.raws[job.at]
      if (raw === undefined || job.hasTwins || lane.verifying >= verifyingPerPeerMax) break
      job.at++
      bytes += raw.length
      left.transactions--
      left.bytes -= raw.length
      this.#admit(lane, job, raw)
    }
    if (job.at < job.raws.length && !job.hasTwins) return
    lane.jobs.shift()
    job.isHandedOver = true
    this.#settle(lane, job)
  }

  #admit(lane: Lane, job: Job, raw: Uint8Array): void {
    const { mempool, crypto } = this.#powers
    const digest = crypto.keccak256(raw)
    const hash = Hash(digest)
    if (job.hashes.has(hash)) {
      job.hasTwins = true
      return
    }
    job.hashes.add(hash)
    const wasVerified = mempool.verified(hash) !== undefined
    const isRepeat = job.note(digest)
    lane.verifying++
    job.verifying++
    const done = () => {
      lane.verifying--
      job.verifying--
      this.#settle(lane, job)
      this.#wake()
    }
    mempool.add(raw, 'gossip', hash).then(
      (result) => {
        job.admissions.push({ raw, wasVerified, isRepeat, result })
        done()
      },
      (error: unknown) => {
        job.reject(error)
        done()
      },
    )
  }

  #settle(lane: Lane, job: Job): void {
    if (job.isHandedOver && job.verifying === 0) job.resolve(job)
    if (lane.jobs.length === 0 && lane.verifying === 0 && this.#lanes.get(lane.peer) === lane) this.#lanes.delete(lane.peer)
  }
}
