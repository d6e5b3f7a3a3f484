import { type Crypto, codec, Height, type SigningDomain, unwrap, type ValidatorSet } from '@quoin/protocol'
import { pause } from '../abort.ts'
import { ask } from '../ask.ts'
import { Scope } from '../lifecycle.ts'
import type { Logger } from '../logger.ts'
import type { Mempool } from '../mempool/types.ts'
import type { Clock, PeerId, Transport } from '../powers.ts'
import type { BlockStore } from '../store/block-store.ts'
import type { DamagedError } from '../store/damage.ts'
import { checkAnswer, checkFinal, type FetchedBlock } from './check.ts'
import { SYNC_LIMITS } from './limits.ts'
import { blocksCodecOf, syncRequestCodec } from './messages.ts'

/** Limits of block repair. */
export const REPAIR_LIMITS = {
  /** Damaged blocks that wait for repair. More than this is not a random disk fault: the node stops. */
  blocksMax: 64,
  /** Attempts for one block before the node gives up. */
  attemptsMax: 12,
  /** Wait before the next attempt, for a peer to connect or for the next peer. */
  attemptMs: 5_000,
} as const

export interface RepairPowers {
  readonly store: Pick<BlockStore, 'rebuild'>
  /** Validator set of a height. Throws if the database record is damaged. */
  readonly validatorsAt: (height: Height) => ValidatorSet | undefined
  readonly domain: SigningDomain
  readonly transport: Pick<Transport, 'peers' | 'request' | 'penalise'>
  readonly mempool: Pick<Mempool, 'verify'>
  readonly crypto: Crypto
  readonly clock: Clock
  readonly logger: Logger
  /** Called once, with the damage that could not be repaired. */
  readonly onFailure: (error: unknown) => void
}

/**
 * Fetches final blocks whose records are damaged and rewrites them, one after the other. Peers need not be trusted: a certificate of more
 * than two thirds of the height's voting power proves that a block is right.
 */
export class BlockRepair {
  readonly #powers: RepairPowers
  readonly #scope: Scope
  readonly #waiting = new Map<Height, DamagedError>()
  #isRunning = false
  #repaired = 0

  constructor(powers: RepairPowers) {
    this.#powers = powers
    this.#scope = new Scope(powers.onFailure)
  }

  /** Blocks rewritten since the start. */
  get repaired(): number {
    return this.#repaired
  }

  /** Requests the repair of a block. The node stops with `damage` if the repair fails. */
  request(height: Height, damage: DamagedError): void {
    if (this.#scope.signal.aborted || this.#waiting.has(height)) return
    if (this.#waiting.size >= REPAIR_LIMITS.blocksMax) return this.#powers.onFailure(damage)
    this.#waiting.set(height, damage)
    const { finding } = damage
    this.#powers.logger.error({ height, finding }, 'a block is damaged in the database: fetching it from the peers')
    if (this.#isRunning) return
    this.#isRunning = true
    this.#scope.spawn('repair', (signal) => this.#run(signal))
  }

  close(): Promise<void> {
    return this.#scope.close()
  }

  async #run(signal: AbortSignal): Promise<void> {
    for (const [height, damage] of this.#waiting) {
      if (!(await this.#repair(height, signal))) throw damage
      this.#waiting.delete(height)
    }
    this.#isRunning = false
  }

  async #repair(height: Height, signal: AbortSignal): Promise<boolean> {
    const { transport, store, mempool, clock, logger } = this.#powers
    for (let attempt = 0; attempt < REPAIR_LIMITS.attemptsMax; attempt++) {
      const peers = transport.peers()
      const peer = peers[attempt % Math.max(1, peers.length)]
      const block = peer === undefined ? undefined : await this.#fetch(peer, height, signal)
      const verified = block && (await mempool.verify(block.transactions))
      if (verified?.ok === false && verified.error.code === 'unavailable')
        logger.warn({ height }, `cannot verify the block fetched to repair a damaged one, will retry: ${verified.error.message}`)
      else if (block !== undefined && verified !== undefined) {
        const { header, hash, certificate } = block
        await store.rebuild({ header, hash, certificate, transactions: unwrap(verified) })
        this.#repaired++
        logger.warn({ height, hash, peer }, 'a damaged block was fetched from a peer and rewritten. Check the disk')
        return true
      }
      await pause(clock, REPAIR_LIMITS.attemptMs, signal)
      signal.throwIfAborted()
    }
    return false
  }

  /** The verified final block; undefined if this peer does not have it or sent a different one. */
  async #fetch(peer: PeerId, height: Height, signal: AbortSignal): Promise<FetchedBlock | undefined> {
    const { crypto, domain, validatorsAt, transport, logger } = this.#powers
    const answer = await this.#ask(peer, height, signal)
    if (answer === undefined) return undefined
    const blocks = codec.decode(blocksCodecOf(1), answer)
    const fetched = blocks.ok ? checkAnswer(crypto, blocks.value, { from: height, countMax: 1 }) : blocks
    const block = fetched.ok ? fetched.value[0]! : undefined
    const validators = validatorsAt(height)
    const final = block && validators && checkFinal(crypto, domain, validators, block)
    if (final?.ok === true) return block
    const problem = !fetched.ok ? fetched.error : final?.ok === false ? final.error : undefined
    logger.warn({ peer, height, problem: problem?.message }, 'a peer did not answer with the requested block')
    transport.penalise(peer, 'invalid')
    return undefined
  }

  async #ask(peer: PeerId, from: Height, signal: AbortSignal): Promise<Uint8Array | undefined> {
    const question = { kind: 'blocks', from, countMax: 1, bytesMax: SYNC_LIMITS.answerBytesMax } as const
    const bytes = codec.encode(syncRequestCodec, question)
    const answer = await ask(this.#powers, peer, bytes, SYNC_LIMITS.requestMsMax, signal)
    if (answer.ok) return answer.value
    signal.throwIfAborted()
    return undefined
  }
}
