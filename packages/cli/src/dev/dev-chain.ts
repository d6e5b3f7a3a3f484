import type { OverrideRefusal, StateOverrides } from '@quoin/execution'
import type { Feed, Head, PoolRefusal } from '@quoin/node/chain'
import type { ValidatorKey } from '@quoin/node/keys'
import { Sequencer } from '@quoin/node/process'
import type { Rewind } from '@quoin/node/rpc'
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
  /** Told of each block, with the chain that holds it. Must not throw. */
  readonly onBlock: (block: SealedBlock, instance: Instance) => void
}

type Listener = (transaction: SignedTransaction) => void

/** Why a state was not set. */
export type ChangeRefusal = OverrideRefusal | { readonly code: 'transactions-waiting'; readonly message: string }

/**
 * The chain of a development node: one sequencer in the place of consensus. Whatever changes it happens one after the other, in the order in which it
 * was asked for.
 */
export class DevChain {
  readonly time: ChainTime
  /** Goes on when the chain goes back. */
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

  /** The chain as it is now; another one after `revert` and `reset`. */
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

  /** Runs a job between the changes of others. */
  exclusive<T>(job: () => Promise<T>): Promise<T> {
    return this.#jobs.run(job)
  }

  /** Admits a transaction that somebody signed, and makes its block where mining is automatic. */
  submit(raw: Uint8Array): Promise<Result<Hash, PoolRefusal>> {
    return this.exclusive(async () => {
      const decoded = decodeTransaction(this.#options.crypto, this.#options.genesis.chainId, raw)
      if (decoded.ok && impersonatedSender(decoded.value.signature) !== undefined)
        return err({ code: 'bad-signature', message: 'no key could have made this signature (invalid sender)' })
      return this.#admit(raw)
    })
  }

  /** Makes a transaction of an account with its next nonce, and submits it. The caller vouches for the sender. */
  send(sender: Address, make: (nonce: number) => Promise<Uint8Array>): Promise<Result<Hash, PoolRefusal>> {
    return this.exclusive(async () => {
      const { pool, stateAt } = this.#instance.backend
      const account = await stateAt(this.head.header.number)!.account(sender)
      return this.#admit(await make((await pool.pendingNonce(sender)) ?? account.nonce))
    })
  }

  async #admit(raw: Uint8Array): Promise<Result<Hash, PoolRefusal>> {
    const submitted = await this.#instance.backend.submit(raw)
    if (submitted.ok && this.#mining.kind === 'automatic') await this.#sealWaiting()
    return submitted
  }

  /** A block of what can run, and of what can run then. */
  async #sealWaiting(): Promise<void> {
    while (this.#instance.ledger.mempool.executableCount > 0) {
      if (!(await this.#seal(false))) return
    }
  }

  /** False where no block was made. */
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

  /** Makes blocks of what waits, empty ones too; each comes `intervalSeconds` after the one before. Throws the signal's reason when it is aborted. */
  mine(count: number, intervalSeconds: number, signal: AbortSignal): Promise<void> {
    return this.exclusive(async () => {
      for (let made = 0; made < count; made++) {
        signal.throwIfAborted()
        if (intervalSeconds > 0) this.time.increase(intervalSeconds)
        await this.#seal(true)
      }
    })
  }

  /** Seals a block without transactions that writes to the state. */
  change(overrides: StateOverrides): Promise<Result<void, ChangeRefusal>> {
    return this.exclusive(async () => {
      const { chain, mempool } = this.#instance.ledger
      const waiting = [...mempool.pending(), ...mempool.queued()].find(({ sender }) => overrides.get(sender)?.nonce !== undefined)
      if (waiting !== undefined)
        return err({
          code: 'transactions-waiting',
          message: `transactions of ${waiting.sender} wait with nonces of their own: mine or drop them first`,
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

  /** Takes a transaction out of the pool; false where it does not wait. */
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

  /** Goes back to a snapshot; undefined where there is none of this number. */
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

  /** Calls back for each admitted transaction, whatever the chain is then, until the returned function is called. */
  onAdmitted(listener: Listener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Sets the timer of the next block of interval mining. */
  #schedule(): void {
    this.#cancelTimer()
    const mining = this.#mining
    if (mining.kind !== 'interval' || this.#closed) return
    this.#cancelTimer = this.#options.clock.after(mining.blockTimeMs, () => {
      this.exclusive(async () => {
        // The mode may have changed while this waited for its turn.
        if (this.#mining !== mining || this.#closed) return
        await this.#seal(true)
        this.#schedule()
      }).catch((error: unknown) => this.#options.logger.error({ err: error }, 'a block failed: interval mining has stopped'))
    })
  }

  /** Lets the jobs that were taken end. */
  async close(): Promise<void> {
    this.#closed = true
    this.#cancelTimer()
    await this.#jobs.idle()
    await this.#instance.close()
  }
}
