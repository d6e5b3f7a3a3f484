import type { Account, TransactionReceipt } from 'viem'
import { backoffMs } from '../backoff.ts'
import type { Store } from '../store/store.ts'
import { Bell, pause } from './bell.ts'
import { Book, type Stored } from './book.ts'
import { KeyReader, type SendsClient } from './chain.ts'
import { Limiter } from './closing.ts'
import { Entry } from './entry.ts'
import * as errors from './errors.ts'
import type { IncludedRecord, QueuedRecord, SendRecord } from './record.ts'
import { isFinished, isGap } from './record.ts'
import { revertOf } from './reverts.ts'
import { StaleError } from './stale-error.ts'

export interface TrackerOptions {
  readonly client: SendsClient
  readonly account: Account
  readonly store: Store
  readonly deadlineMs: number
  readonly inFlightMax: number
  readonly queuedMax: number
  readonly pollingIntervalMs: number
}

const RESTART_MS = 250
const RESTART_MS_MAX = 10_000
/** After so many failures of the store in a row, what waits fails. */
const STORE_FAILURES_MAX = 5
const LOOK_MS = 1_000
/** Receipts of sends that another process sent, asked for at the same time. */
const RECEIPTS_MAX = 4
/** With the pauses about a minute. */
const RECEIPT_ATTEMPTS_MAX = 12
/** It is asked for again. */
const unanswered = (): undefined => undefined

/**
 * The sends of one key in this process. The owner of the key signs and sends; everybody else puts sends into the store for the owner, and takes
 * over when it ends.
 */
export class Tracker {
  readonly #options: TrackerOptions
  readonly #closing = new AbortController()
  readonly #reader: KeyReader
  readonly #entries = new Map<string, Entry>()
  readonly #waiting: Entry[] = []
  readonly #bell = new Bell()
  readonly #receipts = new Limiter(RECEIPTS_MAX)
  #isOwner = false
  #isFollowing = false
  #hasNews = false
  #book: Promise<Book> | undefined
  #chainId = 0
  #running: Promise<void> | undefined
  #admitting: Promise<void> | undefined

  constructor(options: TrackerOptions) {
    const { account, client } = options
    this.#options = options
    if (account.type !== 'local') {
      throw new errors.SendError(
        'account',
        '',
        `The account ${account.address} signs in a wallet. Tracked sends sign before they send.`,
        {
          metaMessages: ['Use an account with a private key, such as that of a session, or send with viem.'],
        },
      )
    }
    this.#reader = new KeyReader(client, account.address, this.#closing.signal)
  }

  get defaultDeadlineMs(): number {
    return this.#options.deadlineMs
  }

  /** The unfinished send of this id in this process. */
  entry(id: string): Entry | undefined {
    return this.#entries.get(id)
  }

  add(entry: Entry): void {
    const { queuedMax } = this.#options
    if (this.#closing.signal.aborted) return entry.fail(new errors.SendsClosedError(entry.id))
    if (this.#entries.size >= queuedMax) return entry.fail(new errors.SendQueueFullError(entry.id, queuedMax))
    this.#entries.set(entry.id, entry)
    this.#waiting.push(entry)
    this.#start()
    this.#bell.ring()
  }

  /** Joins a send of the store; undefined if there is none. */
  async find(id: string): Promise<Entry | undefined> {
    const known = this.#entries.get(id)
    if (known !== undefined) return known
    const book = await this.#open()
    const stored = await book.record(encodeURIComponent(id))
    return stored === undefined ? undefined : this.#join(stored)
  }

  /** The unfinished sends of the store, which go on from now on. */
  async resume(): Promise<readonly Entry[]> {
    this.#start()
    const book = await this.#open()
    const stored = [...(await book.unfinished('open')), ...(await book.unfinished('queued'))]
    return stored.filter(({ record }) => !isFinished(record) && !isGap(record)).map((found) => this.#join(found))
  }

  async cancel(entry: Entry): Promise<boolean> {
    // An earlier process may have signed it.
    if (this.#waiting.includes(entry) && !entry.isAdmitted && !entry.isClaimed) await this.#admit(await this.#open())
    const index = this.#waiting.indexOf(entry)
    if (entry.hasEnded || entry.isClaimed) return entry.latest.error instanceof errors.SendCancelledError
    if (index >= 0) {
      this.#waiting.splice(index, 1)
      this.#drop(entry, new errors.SendCancelledError(entry.id))
      return true
    }
    const book = await this.#open()
    const stored = await book.record(encodeURIComponent(entry.id))
    if (stored?.record.status !== 'queued' || !(await book.cancel(stored as Stored<QueuedRecord> & { record: QueuedRecord })))
      return false
    this.#drop(entry, new errors.SendCancelledError(entry.id))
    return true
  }

  async close(): Promise<void> {
    if (!this.#closing.signal.aborted) this.#closing.abort(new errors.SendsClosedError(''))
    await this.#running
    for (const entry of [...this.#entries.values()]) this.#drop(entry, new errors.SendsClosedError(entry.id))
    this.#waiting.splice(0)
  }

  #drop(entry: Entry, error: unknown): void {
    this.#entries.delete(entry.id)
    entry.fail(error)
  }

  #start(): void {
    this.#running ??= this.#run()
  }

  /** Until it is closed. Never rejects: what fails is tried again. */
  async #run(): Promise<void> {
    const stop = this.#closing.signal
    let opened: Book | undefined
    const timer = setInterval(() => void this.#expireWaiting(opened), LOOK_MS)
    let unwatch: (() => void) | undefined
    try {
      const book = await this.#open()
      opened = book
      unwatch = book.watch(() => {
        this.#bell.ring()
        void this.#follow(book)
      })
      for (let failures = 0; !stop.aborted; ) {
        try {
          await this.#ownOrWait(book)
          failures = 0
        } catch (failure) {
          if (stop.aborted) break
          if (!(failure instanceof StaleError)) failures++
          if (failures >= STORE_FAILURES_MAX) this.#failWaiting(failure)
          await pause(backoffMs(failures, RESTART_MS, RESTART_MS_MAX), stop)
        }
      }
    } catch (failure) {
      if (!stop.aborted) this.#failWaiting(failure)
    } finally {
      clearInterval(timer)
      unwatch?.()
    }
  }

  /** Asks which chain this is, until a node answers. */
  #open(): Promise<Book> {
    this.#book ??= (async () => {
      const stop = this.#closing.signal
      for (let attempt = 0; ; attempt++) {
        stop.throwIfAborted()
        try {
          const { chainId, text } = await this.#reader.identity()
          this.#chainId = chainId
          return new Book(this.#options.store, `sends/${text}/${this.#reader.address.toLowerCase()}/`)
        } catch (failure) {
          if (stop.aborted) throw failure
          await pause(backoffMs(attempt, RESTART_MS, RESTART_MS_MAX), stop)
        }
      }
    })()
    this.#book.catch(() => {
      this.#book = undefined
    })
    return this.#book
  }

  async #ownOrWait(book: Book): Promise<void> {
    const { store } = this.#options
    const stop = this.#closing.signal
    const isDone = await store.own(book.prefix, (lost) => this.#work(book, lost), { ifAvailable: true })
    if (isDone === true || stop.aborted) return
    const handing = new AbortController()
    const work = (lost: AbortSignal): Promise<true> => {
      handing.abort()
      return this.#work(book, lost)
    }
    const abort = (): void => handing.abort()
    stop.addEventListener('abort', abort)
    const owning = store.own(book.prefix, work, { signal: stop })
    try {
      await Promise.all([owning, this.#handOver(book, handing.signal)])
    } finally {
      stop.removeEventListener('abort', abort)
      handing.abort()
    }
  }

  /** As the owner. */
  async #work(book: Book, lost: AbortSignal): Promise<true> {
    const { account, client, inFlightMax, pollingIntervalMs } = this.#options
    // A page whose sends another tab signs never loads this. If it cannot be loaded, another tab may own the key.
    const [{ Owner }, { Signer }] = await Promise.all([import('./owner.ts'), import('./signer.ts')])
    const link = new AbortController()
    const abort = (): void => link.abort(lost.aborted ? lost.reason : this.#closing.signal.reason)
    for (const signal of [lost, this.#closing.signal]) {
      signal.addEventListener('abort', abort)
      if (signal.aborted) abort()
    }
    this.#readmit()
    const owner = new Owner({
      ...{ book, reader: this.#reader, inFlightMax, pollingIntervalMs, waiting: this.#waiting, bell: this.#bell },
      signer: new Signer(client, account as never, this.#reader, this.#chainId),
      entry: (id) => this.#entries.get(decodeURIComponent(id)),
      admit: () => this.#admit(book),
      finish: (entry, record, receipt) => void this.#finish(entry, record, receipt),
      ready: () => {
        this.#isOwner = true
      },
    })
    try {
      await owner.run(link.signal)
      return true
    } finally {
      this.#isOwner = false
      this.#readmit()
      for (const signal of [lost, this.#closing.signal]) signal.removeEventListener('abort', abort)
    }
  }

  /** Puts what waits into the store, for the owner. */
  async #handOver(book: Book, stop: AbortSignal): Promise<void> {
    while (!stop.aborted) {
      await this.#admit(book)
      const entries = [...this.#waiting]
      if (entries.length > 0 && !stop.aborted) {
        for (const entry of entries) entry.claim()
        const isDone = await book.handOver(entries.map((entry) => entry.queued(0)))
        for (const entry of entries) entry.readmit()
        if (!isDone) continue
        for (const entry of entries) {
          entry.isAdmitted = true
          this.#waiting.splice(this.#waiting.indexOf(entry), 1)
        }
        await this.#follow(book)
      }
      await this.#bell.wait(LOOK_MS, stop)
    }
  }

  #readmit(): void {
    for (const entry of this.#waiting) entry.readmit()
  }

  /** Takes sends out of `waiting` whose id is in the store. Those of this process come back here after a commit without an answer. */
  async #admit(book: Book): Promise<void> {
    await this.#admitting
    this.#admitting = this.#admitAll(book)
    await this.#admitting
  }

  async #admitAll(book: Book): Promise<void> {
    const entries = this.#waiting.filter(({ isAdmitted }) => !isAdmitted)
    const found = await Promise.all(entries.map(({ id }) => book.record(encodeURIComponent(id))))
    for (const [i, entry] of entries.entries()) {
      const stored = found[i]
      entry.isAdmitted = true
      const index = this.#waiting.indexOf(entry)
      if (stored === undefined || index < 0) continue
      this.#waiting.splice(index, 1)
      // Its receipt may take a while; others need not wait for it.
      if (stored.record.fingerprint === entry.fingerprint) void this.#show(entry, stored.record)
      else this.#drop(entry, new errors.SendIdConflictError(entry.id))
    }
  }

  /** An entry for a send of the store. */
  #join({ record }: Stored): Entry {
    const id = decodeURIComponent(record.id)
    const known = this.#entries.get(id)
    if (known !== undefined) return known
    const call = 'call' in record && record.call !== undefined ? record.call : { to: null, data: '0x' as const, value: 0n }
    const entry = new Entry({
      ...{ id, call, fingerprint: record.fingerprint, deadlineMs: 0, decoder: undefined },
      gas: undefined,
      isAdmitted: true,
    })
    this.#entries.set(id, entry)
    void this.#show(entry, record)
    return entry
  }

  /** Reads how the sends of this process go on that another one owns. A call during a look makes it look once more. */
  async #follow(book: Book): Promise<void> {
    this.#hasNews = true
    if (this.#isFollowing) return
    this.#isFollowing = true
    try {
      while (this.#hasNews && !this.#isOwner) {
        this.#hasNews = false
        const entries = [...this.#entries.values()].filter((entry) => !this.#waiting.includes(entry))
        await Promise.all(entries.map((entry) => this.#read(book, entry)))
      }
    } catch (failure) {
      // The next look, or the close of the store, tells more.
      if ((failure as Error).name !== 'StoreError') throw failure
    } finally {
      this.#isFollowing = false
    }
  }

  async #read(book: Book, entry: Entry): Promise<void> {
    const stored = await book.record(encodeURIComponent(entry.id))
    // Its receipt may take a while; others need not wait for it.
    if (stored !== undefined && !this.#isOwner) void this.#show(entry, stored.record)
  }

  async #show(entry: Entry, record: SendRecord): Promise<void> {
    if (record.status === 'signed') entry.tell({ status: 'signed', hash: record.hash })
    else if (isFinished(record)) await this.#finish(entry, record, undefined)
  }

  /** The end of a send, with its receipt. Never rejects. */
  async #finish(entry: Entry, record: SendRecord, receipt: TransactionReceipt | undefined): Promise<void> {
    if (record.status === 'failed') this.#drop(entry, errors.errorOf(entry.id, record.failure))
    if (record.status !== 'included' || entry.hasEnded) return
    const found = receipt ?? (await this.#receipts.run(() => this.#receiptOf(record)))
    if (found === undefined) {
      if (this.#closing.signal.aborted) return
      return this.#drop(
        entry,
        new errors.SendError(
          'receipt',
          entry.id,
          `Send "${entry.id}" is in block ${record.blockNumber}, but no node has its receipt.`,
        ),
      )
    }
    if (!record.success) {
      const { data, cause } = await revertOf(this.#reader, entry, record)
      return this.#drop(entry, new errors.SendRevertedError(entry.id, found, data, cause))
    }
    this.#entries.delete(entry.id)
    entry.include(found)
  }

  /** The receipt of an included transaction. Undefined if no node has it any more, or once closed. */
  async #receiptOf({ hash }: IncludedRecord): Promise<TransactionReceipt | undefined> {
    const stop = this.#closing.signal
    for (let attempt = 0; !stop.aborted && attempt < RECEIPT_ATTEMPTS_MAX; attempt++) {
      const receipt = await this.#reader.receipt(hash).catch(unanswered)
      if (receipt !== undefined) return receipt
      await pause(backoffMs(attempt, RESTART_MS, RESTART_MS_MAX), stop)
    }
    return undefined
  }

  /** By the clock of this process. What an earlier process may have signed does not expire before the store was asked. */
  async #expireWaiting(book: Book | undefined): Promise<void> {
    const now = Date.now()
    const late = this.#waiting.filter(({ isClaimed, createdMs, deadlineMs }) => !isClaimed && now - createdMs > deadlineMs)
    try {
      if (book !== undefined && late.some(({ isAdmitted }) => !isAdmitted)) await this.#admit(book)
    } catch (failure) {
      // The work with the store fails too, and tells it.
      if ((failure as Error).name !== 'StoreError') throw failure
    }
    for (const entry of late) {
      if (entry.isClaimed || !entry.isAdmitted || !this.#waiting.includes(entry)) continue
      this.#waiting.splice(this.#waiting.indexOf(entry), 1)
      this.#drop(entry, new errors.SendExpiredError(entry.id, undefined))
    }
  }

  #failWaiting(cause: unknown): void {
    for (const entry of this.#waiting.splice(0)) this.#drop(entry, new errors.SendStoreError(entry.id, cause))
  }
}
