import type { Hash, TransactionReceipt } from 'viem'
import { backoffMs } from '../backoff.ts'
import { Bell } from './bell.ts'
import type { Book, KeyState, Stored, Update } from './book.ts'
import { Broadcaster } from './broadcaster.ts'
import type { KeyReader } from './chain.ts'
import type { Entry } from './entry.ts'
import { SendExpiredError, SendRefusedError } from './errors.ts'
import { Flight, RETRY_MS, RETRY_MS_MAX } from './flight.ts'
import type { Call, Failure, QueuedRecord, SendRecord, SignedRecord } from './record.ts'
import { fingerprintOf, gapId, recordText } from './record.ts'
import { outcomeOf } from './refusal.ts'
import { explained } from './reverts.ts'
import type { Signer } from './signer.ts'
import { StaleError } from './stale-error.ts'
import { certainFailure, fillCause, type Live, live, type Next, transition } from './transition.ts'

/** What the owner of a key works with. */
export interface OwnerParts {
  readonly book: Book
  readonly reader: KeyReader
  readonly signer: Signer
  readonly inFlightMax: number
  readonly pollingIntervalMs: number
  /** Sends of this process that wait for a signature, in the order of their calls. The owner takes them out when it has stored them. */
  readonly waiting: Entry[]
  /** Rings when `waiting` or the store changed. */
  readonly bell: Bell
  /** Sends of this process by id, to tell how they go on. */
  readonly entry: (id: string) => Entry | undefined
  /** Takes those out of `waiting` whose id is in the store already. */
  readonly admit: () => Promise<void>
  /** A send of this process ended. */
  readonly finish: (entry: Entry, record: SendRecord, receipt: TransactionReceipt | undefined) => void
  /** Called once the work goes on. */
  readonly ready: () => void
}

/** A send that waits for its signature: of this process, or handed over through the store. */
interface Waiting {
  readonly call: Call
  readonly gas: bigint | undefined
  readonly record: QueuedRecord
  readonly before: Stored<QueuedRecord> | undefined
  readonly entry: Entry | undefined
}

/** Receipts that are asked for at the same time. */
const RECEIPTS_MAX = 16
/** So many looks without a receipt, and the transaction with the nonce is searched for. */
const MISSES_MAX = 3
const MISSES_MANY = 20
/** A node that knows neither the receipt nor the transaction for so long has not got it. */
const MISSED_MS_MAX = 10_000
const HANDED_MAX = 256
/** The head is asked for this often, and as often as this when a deadline has passed by the clock of the client, which may be wrong. */
const HEAD_MS = 5_000
const LATE_HEAD_MS = 500
/** From one look at the chain to the next at least, and as a share of the time that the oldest send has been under way. */
const FIRST_LOOK_MS = 8
const LOOK_SHARE = 1 / 8
/** A waiting send may expire while nothing else happens. */
const LOOK_MS = 1_000

/** Does the work of the one owner of a key. @throws StaleError, or what the store throws */
export class Owner {
  readonly #parts: OwnerParts
  readonly #stopping = new AbortController()
  readonly #stop = this.#stopping.signal
  readonly #flights = new Map<string, Flight>()
  readonly #broadcaster: Broadcaster
  readonly #pollBell = new Bell()
  #state: KeyState = { next: 0, order: 0, text: undefined }
  #next = 0
  /** When the head was last asked for, on the monotonic clock. */
  #askedMs = 0

  constructor(parts: OwnerParts) {
    this.#parts = parts
    const { reader, entry } = parts
    this.#broadcaster = new Broadcaster(this.#flights, reader, entry, () => this.#pollBell.ring())
  }

  /** Until `stop` aborts. All its loops have ended when it settles. */
  async run(stop: AbortSignal): Promise<void> {
    const abort = (): void => this.#stopping.abort(stop.reason)
    stop.addEventListener('abort', abort)
    if (stop.aborted) abort()
    try {
      await this.#load()
      this.#parts.ready()
      const loops = [this.#signAll(), this.#broadcaster.run(this.#stop), this.#watchChain()]
      for (const loop of loops) loop.catch((failure: unknown) => this.#stopping.abort(failure))
      const failed = (await Promise.allSettled(loops)).find(({ status }) => status === 'rejected')
      if (failed?.status === 'rejected' && !stop.aborted) throw failed.reason
    } finally {
      stop.removeEventListener('abort', abort)
    }
  }

  /** Unfinished sends of earlier owners go on. */
  async #load(): Promise<void> {
    const { book, reader } = this.#parts
    for (const { record, text } of await book.unfinished('open')) {
      if (record.status === 'signed') this.#take(record, text, true)
    }
    this.#state = await book.state()
    // With what other software of this key has in the pool, whose nonces are taken too.
    const used = await this.#tried(async () => Math.max(await reader.count('latest'), await reader.count('pending')))
    this.#next = Math.max(this.#state.next ?? 0, used)
  }

  // Signatures.

  async #signAll(): Promise<void> {
    const { bell } = this.#parts
    for (let failures = 0; !this.#stop.aborted; ) {
      const room = this.#parts.inFlightMax - this.#flights.size
      const items = room > 0 ? await this.#nextWaiting(room) : []
      if (items.length === 0) {
        failures = 0
        await bell.wait(LOOK_MS, this.#stop)
        continue
      }
      const isHeld = await this.#signSome(items)
      failures = isHeld ? failures + 1 : 0
      // A held send waits for an earlier one, which rings, or for the node.
      if (isHeld) await bell.wait(backoffMs(failures, RETRY_MS, RETRY_MS_MAX), this.#stop)
    }
  }

  /** The first sends in order: those handed over, then those of this process. */
  async #nextWaiting(room: number): Promise<readonly Waiting[]> {
    const { book, waiting, entry, admit } = this.#parts
    await admit()
    const handed = (await book.unfinished('queued', Math.min(room, HANDED_MAX))).flatMap((stored) =>
      stored.record.status === 'queued' ? [stored as Stored<QueuedRecord>] : [],
    )
    const fromStore = handed.map((before, i): Waiting => {
      const { call, gas } = before.record
      return { call, gas, record: { ...before.record, order: this.#state.order + i }, before, entry: entry(before.record.id) }
    })
    const own = waiting.slice(0, room - fromStore.length).map((found, i): Waiting => {
      const { call, gas } = found
      return { call, gas, record: found.queued(this.#state.order + fromStore.length + i), before: undefined, entry: found }
    })
    return [...fromStore, ...own]
  }

  /** Prepares sends in order, signs and stores them. True if one has to be tried again later; those after it wait for it. */
  async #signSome(items: readonly Waiting[]): Promise<boolean> {
    const ready: { readonly item: Waiting; readonly gas: bigint }[] = []
    const failed: { readonly item: Waiting; readonly failure: Failure; readonly error: unknown }[] = []
    const estimates = items.map((item) => this.#prepare(item))
    let isHeld = false
    for (const [i, item] of items.entries()) {
      const prepared = await estimates[i]!
      if (prepared === 'later') {
        isHeld = true
        break
      }
      if (typeof prepared === 'bigint') ready.push({ item, gas: prepared })
      // What an earlier send does may let it pass: it is judged when nothing is under way.
      else if (prepared.failure.reason === 'refused' && ready.length + this.#flights.size > 0) {
        isHeld = true
        break
      } else failed.push({ item, ...prepared })
    }
    await this.#store(ready, failed)
    return isHeld
  }

  /** The gas limit, or why it cannot be sent. */
  async #prepare({
    call,
    gas,
    record,
    entry,
  }: Waiting): Promise<bigint | 'later' | { readonly failure: Failure; readonly error: unknown }> {
    const { id, createdMs, deadlineMs } = record
    if (Date.now() - createdMs > deadlineMs) {
      return { failure: { reason: 'expired' }, error: new SendExpiredError(entry?.id ?? id, undefined) }
    }
    try {
      return gas ?? (await this.#parts.signer.gas(call))
    } catch (failure) {
      const outcome = outcomeOf(failure)
      if (outcome.kind !== 'refused') return 'later'
      const { refusal, message } = outcome
      const cause = entry === undefined ? failure : await explained(entry, failure)
      return {
        failure: { reason: 'refused', refusal, message },
        error: new SendRefusedError(entry?.id ?? id, refusal, message, cause),
      }
    }
  }

  /** Write-ahead: the records with their signatures and the advanced nonce in one commit, before anything leaves. */
  async #store(
    ready: readonly { readonly item: Waiting; readonly gas: bigint }[],
    failed: readonly { readonly item: Waiting; readonly failure: Failure; readonly error: unknown }[],
  ): Promise<void> {
    if (ready.length + failed.length === 0) return
    const { signer, reader, book } = this.#parts
    const signed: { readonly item: Waiting; readonly record: SignedRecord }[] = []
    if (ready.length > 0) {
      const [fees, headMs] = await this.#tried(() => Promise.all([signer.fees(), reader.headMs()]))
      // From here on they cannot be cancelled.
      const going = ready.filter(({ item }) => item.entry?.hasEnded !== true)
      for (const { item } of going) item.entry?.claim()
      for (const { item, gas } of going) {
        if (this.#stop.aborted) return
        const nonce = this.#next + signed.length
        const { raw, hash } = await signer.sign(item.call, nonce, gas, fees)
        // A chain without traffic makes blocks seldom, so the head may be older than now.
        const deadline = Math.max(headMs, Math.min(Date.now(), headMs + CLOCK_MS_MAX)) + item.record.deadlineMs
        signed.push({ item, record: { ...item.record, ...fees, status: 'signed', nonce, raw, hash, deadline } })
      }
    }
    const updates: Update[] = [
      ...signed.map(({ item, record }) => ({ before: item.before, record })),
      ...failed.map(({ item, failure }) => ({ before: item.before, record: failedRecord(item.record, failure) })),
    ]
    const next = this.#next + signed.length
    const order = Math.max(this.#state.order, ...updates.map(({ record }) => record.order + 1))
    const state = { before: this.#state, next, order }
    if (this.#stop.aborted) return
    if (!(await book.replace(updates, state))) throw new StaleError('another process changed the sends of this key')
    this.#state = { next, order, text: JSON.stringify({ next, order }) }
    this.#next = next
    for (const { item, record } of signed) {
      this.#leaveWaiting(item)
      this.#take(record, recordText(record), false)
      item.entry?.tell({ status: 'signed', hash: record.hash })
    }
    for (const { item, error, failure } of failed) {
      this.#leaveWaiting(item)
      item.entry?.fail(error)
      if (item.entry !== undefined) this.#parts.finish(item.entry, failedRecord(item.record, failure), undefined)
    }
    this.#broadcaster.ring()
    this.#pollBell.ring()
  }

  #leaveWaiting({ entry }: Waiting): void {
    const { waiting } = this.#parts
    const index = entry === undefined ? -1 : waiting.indexOf(entry)
    if (index >= 0) waiting.splice(index, 1)
  }

  #take(record: SignedRecord, text: string, isOut: boolean): void {
    this.#flights.set(record.id, new Flight(live(record, isOut), text))
  }

  // What the chain did with them.

  async #watchChain(): Promise<void> {
    for (let failures = 0; !this.#stop.aborted; ) {
      if (this.#flights.size === 0) {
        await this.#pollBell.wait(undefined, this.#stop)
        continue
      }
      try {
        await this.#look()
        failures = 0
      } catch (failure) {
        if (failure instanceof StaleError || (failure as Error).name === 'StoreError') throw failure
        failures++
      }
      await this.#pollBell.wait(failures === 0 ? this.#pauseMs() : backoffMs(failures, RETRY_MS, RETRY_MS_MAX), this.#stop)
    }
  }

  /** A chain at rest includes a send within some tens of ms, and one under load with its next block: it is looked for more often at first. */
  #pauseMs(): number {
    const ageMs = performance.now() - Math.min(...[...this.#flights.values()].map(({ takenMs }) => takenMs))
    return Math.min(this.#parts.pollingIntervalMs, Math.max(FIRST_LOOK_MS, LOOK_SHARE * ageMs))
  }

  async #look(): Promise<void> {
    const count = await this.#parts.reader.count('latest')
    const flights = [...this.#flights.values()]
    const used = flights.filter(({ live: { record } }) => record.nonce < count)
    for (let i = 0; i < used.length && !this.#stop.aborted; i += RECEIPTS_MAX) {
      const ends = await Promise.all(used.slice(i, i + RECEIPTS_MAX).map((flight) => this.#endOf(flight)))
      await this.#end(ends.filter((end) => end !== undefined))
    }
    await this.#fill(count)
  }

  /** How a send ended whose nonce is used. Undefined if the nodes do not agree yet. */
  async #endOf(flight: Flight): Promise<End | undefined> {
    const { reader } = this.#parts
    const { record } = flight.live
    const receipt = await reader.receipt(record.hash)
    const next = (event: Parameters<typeof transition>[1]) => ({ flight, receipt, next: transition(flight.live, event) })
    if (receipt !== undefined) {
      const { blockNumber, status } = receipt
      return next({ kind: 'consumed', by: { kind: 'send', blockNumber, success: status === 'success' } })
    }
    if (record.filler !== undefined && (await reader.receipt(record.filler.hash)) !== undefined) {
      return next({ kind: 'consumed', by: { kind: 'filler' } })
    }
    if (flight.isSending) return undefined
    if (flight.misses++ === 0) flight.missedMs = performance.now()
    if (flight.misses < MISSES_MAX) return undefined
    const hash = await reader.transactionAt(record.nonce).catch(nothing)
    // A node that has the transaction will have its receipt.
    if (hash === record.hash || (hash !== undefined && hash === record.filler?.hash)) return undefined
    const isLong = flight.misses > MISSES_MANY && performance.now() - flight.missedMs > MISSED_MS_MAX
    if (hash === undefined && !isLong) return undefined
    return next({ kind: 'consumed', by: { kind: 'other', hash } })
  }

  async #end(ends: readonly End[]): Promise<void> {
    if (ends.length === 0) return
    const { book, entry, finish, bell, signer } = this.#parts
    const updates = ends.map(({ flight, next }) => ({
      before: { record: flight.live.record, text: flight.text },
      record: next.record,
    }))
    if (!(await book.replace(updates))) throw new StaleError('another process changed the sends of this key')
    for (const { flight, next, receipt } of ends) {
      const { record } = next
      this.#flights.delete(record.id)
      if (receipt?.status === 'reverted') signer.forget(flight.live.record.call)
      const found = entry(record.id)
      if (record.status === 'queued') found?.tell({ status: 'queued' })
      else if (found !== undefined) finish(found, record, receipt)
    }
    // Other software may have used more nonces than this one.
    if (ends.some(({ next }) => next.record.status === 'queued')) await this.#skipUsed()
    bell.ring()
  }

  async #skipUsed(): Promise<void> {
    const { reader } = this.#parts
    const used = Math.max(await reader.count('latest'), await reader.count('pending'))
    this.#next = Math.max(this.#next, used)
  }

  /** Gives nonces that their sends cannot use any more to transfers of nothing, so that later sends can go. */
  async #fill(count: number): Promise<void> {
    const flights = [...this.#flights.values()].filter(({ live: { record } }) => record.nonce >= count)
    const headMs = await this.#headMs(flights)
    for (const flight of flights) {
      const cause = fillCause(flight.live, headMs)
      if (cause !== undefined && !flight.isSending) await this.#fillOne(flight, cause)
    }
    await this.#fillGap(count, headMs)
  }

  /** Time of a recent block if a deadline may have passed, else 0. Only a block's time decides; the clock of the client only says when to ask. */
  async #headMs(flights: readonly Flight[]): Promise<number> {
    const [now, sinceMs] = [Date.now(), performance.now()]
    const mayBeLate = flights.some(
      ({ live: { record }, takenMs }) => now > record.deadline || sinceMs - takenMs > record.deadlineMs,
    )
    if (flights.length === 0 || sinceMs - this.#askedMs < (mayBeLate ? LATE_HEAD_MS : HEAD_MS)) return 0
    this.#askedMs = sinceMs
    return this.#parts.reader.headMs()
  }

  async #fillOne(flight: Flight, cause: Failure): Promise<void> {
    const { signer, book, entry } = this.#parts
    const { record } = flight.live
    const signed = await signer.signFiller(record.nonce, record)
    const next = transition(flight.live, { kind: 'filled', filler: signed, cause }) as Live
    if (flight.isSending || this.#stop.aborted) return
    if (!(await book.replace([{ before: { record, text: flight.text }, record: next.record }]))) {
      throw new StaleError('another process changed the sends of this key')
    }
    flight.live = { ...flight.live, record: next.record }
    flight.text = recordText(next.record)
    flight.sendNow()
    const failure = certainFailure(flight.live)
    const found = entry(record.id)
    if (failure !== undefined && found !== undefined) this.#parts.finish(found, failedRecord(record, failure), undefined)
    this.#broadcaster.ring()
  }

  /** A nonce before all of ours that nobody uses, for example of other software whose transaction was lost, is filled at half of their time. */
  async #fillGap(count: number, headMs: number): Promise<void> {
    const { signer, book } = this.#parts
    const records = [...this.#flights.values()].map(({ live: { record } }) => record)
    const isBlocked =
      records.length > 0 &&
      records.every(({ nonce, deadline, deadlineMs }) => nonce > count && headMs > deadline - deadlineMs / 2)
    if (!isBlocked) return
    const fees = await signer.fees()
    const signed = await signer.signFiller(count)
    const { address } = this.#parts.reader
    const call: Call = { to: address, data: '0x', value: 0n }
    const { order } = this.#state
    const id = gapId(count, order)
    const record: SignedRecord = {
      ...{
        status: 'signed',
        id,
        order,
        fingerprint: fingerprintOf(call),
        call,
        createdMs: Date.now(),
        deadlineMs: 0,
        resigned: 0,
      },
      ...{ ...fees, ...signed, nonce: count, deadline: Number.MAX_SAFE_INTEGER },
    }
    const state = { before: this.#state, next: this.#next, order: order + 1 }
    if (!(await book.replace([{ before: undefined, record }], state))) throw new StaleError('another process changed the sends')
    this.#state = { next: this.#next, order: order + 1, text: JSON.stringify({ next: this.#next, order: order + 1 }) }
    this.#take(record, recordText(record), false)
    this.#broadcaster.ring()
  }

  /** Until the node answers. */
  async #tried<T>(ask: () => Promise<T>): Promise<T> {
    for (let attempt = 0; ; attempt++) {
      try {
        return await ask()
      } catch (failure) {
        if (this.#stop.aborted) throw failure
        await new Bell().wait(backoffMs(attempt, RETRY_MS, RETRY_MS_MAX), this.#stop)
      }
    }
  }
}

/** How far the client's clock may lead the newest block: it shortens no deadline, and lengthens it by this at most. */
const CLOCK_MS_MAX = 60_000

interface End {
  readonly flight: Flight
  readonly next: Next
  readonly receipt: TransactionReceipt | undefined
}

const failedRecord = ({ id, order, fingerprint }: QueuedRecord | SignedRecord, failure: Failure) =>
  ({ id, order, fingerprint, status: 'failed', failure }) as const

/** A search that fails finds nothing. */
const nothing = (): Hash | undefined => undefined
