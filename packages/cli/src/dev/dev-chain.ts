import type { OverrideRefusal, StateOverrides } from '@quoin/execution'
import type { Feed, Head, PoolRefusal } from '@quoin/node/chain'
import type { ValidatorKey } from '@quoin/node/keys'
import { Sequencer } from '@quoin/node/process'
import { nextNonce, type Rewind } from '@quoin/node/rpc'
import { MemoryKv } from '@quoin/platform'
import { type Address, decodeTransaction, err, type Hash, Height, ok, type Result, type SignedTransaction } from '@quoin/protocol'
import { ChainTime } from './chain-time.ts'
import { createDevFeed, type Epoch } from './dev-feed.ts'
import { impersonatedSender } from './impersonation.ts'
import { type Instance, type InstancePowers, openInstance } from './instance.ts'
import type { Mining } from './mining.ts'
import { type SealedBlock, Sealer } from './sealer.ts'
import { Snapshots } from './snapshot-store.ts'

export interface DevChainOptions extends InstancePowers {
  readonly sealer: ValidatorKey
  readonly mining: Mining
  /** Called after each block, with the instance that contains it. Must not throw. */
  readonly onBlock: (block: SealedBlock, instance: Instance) => void
  /** Called when a submitted transaction waits, because its sender's transaction with the nonce `missing` has not arrived. Must not throw. */
  readonly onGap?: (transaction: SignedTransaction, missing: number) => void
}

type Listener = (transaction: SignedTransaction) => void

/** Why state was not changed. */
export type ChangeRefusal = OverrideRefusal | { readonly code: 'transactions-waiting'; readonly message: string }

/**
 * The chain of a development node. One sequencer replaces consensus: changes run one after the other, in the order of the requests.
 */
export class DevChain {
  readonly time: ChainTime
  /** Stays open when the chain goes back to a snapshot. */
  readonly feed: Feed
  readonly #options: DevChainOptions
  readonly #sealer: Sealer
  readonly #jobs = new Sequencer()
  readonly #snapshots = new Snapshots()
  readonly #listeners = new Set<Listener>()
  #instance: Instance
  #ended = new AbortController()
  #epoch: Epoch
  #mining: Mining
  #cancelTimer: () => void = () => {}
  #closed = false

  static async open(options: DevChainOptions): Promise<DevChain> {
    return new DevChain(options, await openInstance(options, new MemoryKv()))
  }

  private constructor(options: DevChainOptions, instance: Instance) {
    this.#options = options
    this.#sealer = new Sealer(options.crypto, options.sealer)
    this.time = new ChainTime(options.clock)
    this.#instance = instance
    this.#epoch = this.#enter(instance)
    this.feed = createDevFeed(
      () => this.#epoch,
      () => this.#instance.ledger.blocks.head.header.number,
    )
    this.#mining = options.mining
    this.#schedule()
  }

  /** The current instance; `revert` and `reset` replace it. */
  get instance(): Instance {
    return this.#instance
  }

  /** The last block. */
  get head(): Head {
    return this.#instance.ledger.chain.head
  }

  get mining(): Mining {
    return this.#mining
  }

  /** Runs a job while no other change runs. */
  exclusive<T>(job: () => Promise<T>): Promise<T> {
    return this.#jobs.run(job)
  }

  /** Admits a signed transaction. With automatic mining, also makes its block. */
  submit(raw: Uint8Array): Promise<Result<Hash, PoolRefusal>> {
    return this.exclusive(async () => {
      const decoded = decodeTransaction(this.#options.crypto, this.#options.genesis.chainId, raw)
      if (decoded.ok && impersonatedSender(decoded.value.signature) !== undefined)
        return err({ code: 'bad-signature', message: 'no key could have made this signature (invalid sender)' })
      return this.#admit(raw)
    })
  }

  /**
   * Makes a transaction with the sender's next nonce and submits it. The caller must have checked that it may send for this account.
   *
   * @param make builds the signed network encoding for a nonce
   */
  send(sender: Address, make: (nonce: number) => Promise<Uint8Array>): Promise<Result<Hash, PoolRefusal>> {
    return this.exclusive(async () => this.#admit(await make(await nextNonce(this.#instance.backend, sender))))
  }

  async #admit(raw: Uint8Array): Promise<Result<Hash, PoolRefusal>> {
    const submitted = await this.#instance.backend.submit(raw)
    if (!submitted.ok) return submitted
    await this.#tellOfGap(submitted.value)
    if (this.#mining.kind === 'automatic') await this.#sealWaiting()
    return submitted
  }

  async #tellOfGap(hash: Hash): Promise<void> {
    const transaction = this.#instance.ledger.mempool.waiting(hash)
    if (transaction === undefined) return
    const missing = await nextNonce(this.#instance.backend, transaction.sender)
    if (transaction.nonce > missing) this.#options.onGap?.(transaction, missing)
  }

  /** Makes blocks until no transaction in the pool can run. */
  async #sealWaiting(): Promise<void> {
    while (this.#instance.ledger.mempool.executableCount > 0) {
      if (!(await this.#seal(false))) return
    }
  }

  /** Returns false if no block was made. */
  async #seal(isEmptyAllowed: boolean): Promise<boolean> {
    const { chain } = this.#instance.ledger
    const { header, parameters } = chain.head
    const timeMs = this.time.next(header.timeMs)
    const block = await this.#sealer.seal(chain, { timeMs, fillGasMax: parameters.blockGasMax, isEmptyAllowed })
    if (block === undefined) return false
    this.time.used(timeMs)
    this.#options.onBlock(block, this.#instance)
    return true
  }

  /**
   * Makes blocks from the pool, including empty ones.
   *
   * @param intervalSeconds seconds to add to the chain's clock before each block
   * @throws the signal's reason when it is aborted
   */
  mine(count: number, intervalSeconds: number, signal: AbortSignal): Promise<void> {
    return this.exclusive(async () => {
      for (let made = 0; made < count; made++) {
        signal.throwIfAborted()
        if (intervalSeconds > 0) this.time.increase(intervalSeconds)
        await this.#seal(true)
      }
    })
  }

  /** Makes a block without transactions that writes overrides to the state. */
  change(overrides: StateOverrides): Promise<Result<void, ChangeRefusal>> {
    return this.exclusive(async () => {
      const { chain, mempool } = this.#instance.ledger
      const waiting = [...mempool.pending(), ...mempool.queued()].find(({ sender }) => overrides.get(sender)?.nonce !== undefined)
      if (waiting !== undefined)
        return err({
          code: 'transactions-waiting',
          message: `cannot set the nonce of ${waiting.sender}: the pool has transactions of this sender. Mine or drop them first`,
        })
      const changed = this.#instance.change(overrides)
      if (!changed.ok) return changed
      try {
        const timeMs = this.time.least(chain.head.header.timeMs)
        await this.#sealer.seal(chain, { timeMs, fillGasMax: 0, isEmptyAllowed: true })
      } finally {
        this.#instance.settle()
      }
      return ok(undefined)
    })
  }

  /** Removes a transaction from the pool. Returns false if it is not in the pool. */
  drop(hash: Hash): Promise<boolean> {
    return this.exclusive(async () => {
      const { mempool } = this.#instance.ledger
      const waits = [...mempool.pending(), ...mempool.queued()].some((transaction) => transaction.hash === hash)
      if (waits) mempool.drop([hash])
      return waits
    })
  }

  setMining(mining: Mining): Promise<void> {
    return this.exclusive(async () => {
      this.#mining = mining
      this.#schedule()
      if (mining.kind === 'automatic') await this.#sealWaiting()
    })
  }

  snapshot(): Promise<number> {
    return this.exclusive(async () => {
      const { kv, ledger } = this.#instance
      const waiting = [...ledger.mempool.pending(), ...ledger.mempool.queued()].map(({ raw }) => raw)
      return this.#snapshots.add({ kv: kv.clone(), time: this.time.settings, waiting })
    })
  }

  /** Goes back to a snapshot; undefined if there is no snapshot with this number. */
  revert(id: number): Promise<Rewind | undefined> {
    return this.exclusive(async () => {
      const snapshot = this.#snapshots.take(id)
      if (snapshot === undefined) return undefined
      this.time.restore(snapshot.time)
      return this.#replace(snapshot.kv, snapshot.waiting)
    })
  }

  /** Goes back to block 0. */
  reset(): Promise<Rewind> {
    return this.exclusive(async () => {
      this.#snapshots.clear()
      this.time.restore()
      return this.#replace(new MemoryKv(), [])
    })
  }

  async #replace(kv: MemoryKv, waiting: readonly Uint8Array[]): Promise<Rewind> {
    const instance = await openInstance(this.#options, kv)
    for (const raw of waiting) await instance.ledger.mempool.add(raw, 'restored')
    const before = this.#instance
    this.#instance = instance
    this.#epoch = this.#enter(instance)
    await before.close()
    const [from, to] = [before, instance].map(({ ledger }) => ledger.blocks.head.header.number)
    return { from: from!, to: to! }
  }

  #enter({ ledger }: Instance): Epoch {
    this.#ended.abort()
    this.#ended = new AbortController()
    ledger.mempool.onAdmitted((transaction) => {
      for (const listener of this.#listeners) listener(transaction)
    })
    return { feed: ledger.feed, first: Height(ledger.blocks.head.header.number + 1), ended: this.#ended.signal }
  }

  /** Registers a listener for admitted transactions; it stays registered across `revert` and `reset`. Returns a function that removes it. */
  onAdmitted(listener: Listener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Starts the timer for the next block of interval mining. */
  #schedule(): void {
    this.#cancelTimer()
    const mining = this.#mining
    if (mining.kind !== 'interval' || this.#closed) return
    this.#cancelTimer = this.#options.clock.after(mining.blockTimeMs, () => {
      this.exclusive(async () => {
        // The mode may have changed while this job was queued.
        if (this.#mining !== mining || this.#closed) return
        await this.#seal(true)
        this.#schedule()
      }).catch((error: unknown) =>
        this.#options.logger.error({ err: error }, 'interval mining has stopped: making a block failed'),
      )
    })
  }

  /** Stops mining and waits for queued jobs. */
  async close(): Promise<void> {
    this.#closed = true
    this.#cancelTimer()
    await this.#jobs.idle()
    await this.#instance.close()
  }
}
