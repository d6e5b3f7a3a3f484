import { SendError, type SendReason, type Store, streamContractEvents, type TrackedSends } from '@quoin/sdk'
import type { Client, Hex } from 'viem'
import { bytesToName, type Ledger, ledgerAbi } from '../ledger.ts'
import { Book, type Totals } from './book.ts'
import { type Decision, nextStep, type OpenOrder, type OrderEvent, orderEventsAbi, type Step } from './order.ts'

/** A party for which the driver acts. */
export interface Party {
  /** Its number in the ledger. */
  readonly organisation: number
  /** Sends of an account that has the role for its steps. Nothing else may send with its key. */
  readonly sends: TrackedSends
  /**
   * Decides about a step. False leaves the order to its deadline. It may be asked again, after a failure or a restart: it must give the same answer,
   * or one that suits the state of the business then.
   */
  readonly agrees: (order: OpenOrder, step: Decision) => boolean | Promise<boolean>
}

export type Progress =
  /** Events are counted in, and the steps that follow are handed over. Without events it tells that the chain is being watched, every 5 s. */
  | { readonly kind: 'events'; readonly events: readonly OrderEvent[]; readonly totals: Totals }
  | { readonly kind: 'included'; readonly order: OpenOrder; readonly step: Step; readonly hash: Hex }
  | { readonly kind: 'failed'; readonly order: OpenOrder; readonly step: Step; readonly error: unknown }

export interface DriverOptions {
  readonly client: Client
  readonly ledger: Ledger
  /** Block of the ledger's deployment. Read at the first start only. */
  readonly fromBlock: bigint
  readonly store: Store
  /** Names what the driver keeps in the store. Processes with the same store and name take turns: one drives, the next one takes over when it ends. */
  readonly name: string
  readonly parties: readonly Party[]
  /** Compensates orders whose deadline has passed, of anybody. Undefined leaves it to others. */
  readonly compensates: TrackedSends | undefined
  /** Ends the driver. Sends that have left go on with the next start. */
  readonly signal: AbortSignal
  /** Is told what happened. What it throws ends the driver. */
  readonly onProgress?: (progress: Progress) => void
}

/** Well above what each step takes (README.md): so nothing is estimated, and no estimate is made on a state that is about to change. */
const GAS = { accept: 600_000n, ship: 500_000n, confirm: 1_200_000n, compensate: 1_000_000n } as const
/** Seconds of block time until a step that failed for good is tried anew. */
const RETRY_SECONDS = 30
/** After these the transaction of a send can never be included, so that another one may follow. */
const FINAL: ReadonlySet<SendReason> = new Set(['reverted', 'refused', 'expired', 'nonce-taken'])

/** A step that was handed over in this process. */
interface Try {
  readonly step: Step
  readonly attempt: number
  /** In block time; undefined while it is under way, or if its party does not agree. */
  readonly retryAt: number | undefined
}

/**
 * Drives orders to their end: makes the steps of its parties, and compensates at deadlines. Every step is a tracked send whose id names order and step
 * (`order-7:ship`), so that it is made once, however often the process is killed and started. Time is block time only: the clock of this machine
 * does not matter. Resolves when the signal aborts.
 *
 * @throws StoreError, CursorUnknownError (the chain is another one), or what `agrees` and `onProgress` throw
 */
export async function driveOrders(options: DriverOptions): Promise<void> {
  const { store, name, signal } = options
  const prefix = `driver/${name}/`
  try {
    await store.own(
      `${prefix}owner`,
      async (lost) => {
        const stop = new AbortController()
        const abort = (): void => stop.abort(signal.aborted ? signal.reason : lost.reason)
        for (const one of [signal, lost]) one.addEventListener('abort', abort)
        if (signal.aborted || lost.aborted) abort()
        try {
          await new Driver(options, await Book.load(store, prefix), stop).run()
        } finally {
          for (const one of [signal, lost]) one.removeEventListener('abort', abort)
        }
      },
      { signal },
    )
  } catch (error) {
    if (!signal.aborted || error !== signal.reason) throw error
  }
}

class Driver {
  readonly #options: DriverOptions
  readonly #book: Book
  readonly #stop: AbortController
  readonly #tries = new Map<Hex, Try>()
  readonly #running = new Set<Promise<void>>()
  /** Rejects when the driver ends. */
  readonly #stopped: Promise<never>

  constructor(options: DriverOptions, book: Book, stop: AbortController) {
    this.#options = options
    this.#book = book
    this.#stop = stop
    const { signal } = stop
    this.#stopped = new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)))
    this.#stopped.catch(ended)
  }

  async run(): Promise<void> {
    const { client, ledger, fromBlock, onProgress } = this.#options
    const { signal } = this.#stop
    const stream = streamContractEvents(client, {
      ...{ abi: orderEventsAbi, address: ledger.address },
      ...{ from: { block: fromBlock }, after: this.#book.cursor, signal },
    })
    try {
      // Empty batches come too: they tell the time.
      for await (const { items, cursor, head } of stream.batches({ includeEmpty: true })) {
        await this.#book.add(items, cursor)
        this.#act(Math.floor(head.time / 1_000))
        onProgress?.({ kind: 'events', events: items, totals: this.#book.totals })
      }
    } finally {
      this.#stop.abort(new Error('the driver has ended'))
      await Promise.all(this.#running)
    }
  }

  #act(time: number): void {
    const { parties, compensates } = this.#options
    for (const id of this.#tries.keys()) if (!this.#book.has(id)) this.#tries.delete(id)
    for (const order of this.#book.open) {
      const { step, organisation } = nextStep(order, time)
      const party = parties.find((one) => one.organisation === organisation)
      const sends = step === 'compensate' ? compensates : party?.sends
      const known = this.#tries.get(order.id)
      const isKnown = known?.step === step
      if (sends === undefined || (isKnown && (known.retryAt === undefined || time < known.retryAt))) continue
      const attempt = isKnown ? known.attempt : 1
      this.#tries.set(order.id, { step, attempt, retryAt: undefined })
      const running = this.#try({ order, step, attempt, time, sends, party }).catch((error: unknown) => this.#stop.abort(error))
      this.#running.add(running)
      void running.finally(() => this.#running.delete(running))
    }
  }

  async #try({ order, step, attempt, time, sends, party }: Trial): Promise<void> {
    const { ledger, onProgress } = this.#options
    if (step !== 'compensate' && (await party?.agrees(order, step)) !== true) return
    // A decision may take its time.
    if (this.#stop.signal.aborted || !this.#book.isCurrent(order)) return
    const name = `${bytesToName(order.id)}:${step}`
    const id = attempt === 1 ? name : `${name}:${attempt}`
    const call = { address: ledger.address, abi: ledgerAbi, functionName: step, args: [order.id], gas: GAS[step] } as const
    try {
      // Not with the signal: it would take back for good what is not signed yet, and the next start is to go on with it.
      const { receipt } = sends.writeContract({ ...call, id })
      const { transactionHash } = await Promise.race([receipt, this.#stopped])
      onProgress?.({ kind: 'included', order, step, hash: transactionHash })
    } catch (error) {
      if (this.#stop.signal.aborted) return
      if (!(error instanceof SendError)) throw error
      this.#tries.set(order.id, { step, attempt: FINAL.has(error.reason) ? attempt + 1 : attempt, retryAt: time + RETRY_SECONDS })
      onProgress?.({ kind: 'failed', order, step, error })
    }
  }
}

const ended = (): undefined => undefined

interface Trial {
  readonly order: OpenOrder
  readonly step: Step
  readonly attempt: number
  readonly time: number
  readonly sends: TrackedSends
  readonly party: Party | undefined
}
