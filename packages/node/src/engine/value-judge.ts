import type { DriverInput, Effect } from '@quoin/consensus'
import type { Address, ChainParameters, Hash, Round, TimeMs } from '@quoin/protocol'
import type { CandidateBlock, Head } from '../chain/types.ts'
import { ENGINE_LIMITS } from './limits.ts'

type ValueValidated = Extract<DriverInput, { kind: 'valueValidated' }>
type Ask = Extract<Effect, { kind: 'validateValue' | 'needValue' }>

/**
 * This node's verdicts on the values of one height. Validity is found once per value, by executing it. Freshness is found once per round
 * and value, from the arrival of the proposal: the body may arrive later.
 */
export class ValueJudge {
  readonly #head: Head
  /** Fee address that a fresh proposal of a round must name. */
  readonly #feeAddress: (round: Round) => Address
  /** By round and value. Only the latest rounds are kept, because verdicts are requested as rounds come. */
  readonly #receivedMs = new Map<Round, Map<Hash, number>>()
  readonly #valid = new Map<Hash, boolean>()
  readonly #asked = new Map<Hash, Ask[]>()

  constructor(head: Head, feeAddress: (round: Round) => Address) {
    this.#head = head
    this.#feeAddress = feeAddress
  }

  /** Notes the arrival of a proposal. Only the first arrival counts, and at most two proposals of an equivocating proposer. */
  received(round: Round, valueId: Hash, receivedMs: number): void {
    const ofRound = this.#receivedMs.get(round) ?? new Map<Hash, number>()
    if (ofRound.has(valueId) || ofRound.size >= ENGINE_LIMITS.variantsCountMax) return
    this.#receivedMs.set(round, ofRound.set(valueId, receivedMs))
    if (this.#receivedMs.size > ENGINE_LIMITS.receivedRoundsMax)
      this.#receivedMs.delete(Math.min(...this.#receivedMs.keys()) as Round)
  }

  /** Handles the driver's request. Returns the answer if it is known; otherwise `judged` gives it later. */
  ask(ask: Ask, block: CandidateBlock | undefined): ValueValidated | undefined {
    const valid = this.#valid.get(ask.valueId)
    if (valid !== undefined && (!valid || block !== undefined)) return this.#answer(ask, valid, block)
    const waiting = this.#asked.get(ask.valueId)
    if (waiting === undefined) this.#asked.set(ask.valueId, [ask])
    else waiting.push(ask)
    return undefined
  }

  /** Whether a request waits for the verdict on this value. */
  isWanted(valueId: Hash): boolean {
    return this.#asked.has(valueId)
  }

  /** Sets the verdict of execution; answers every request that waited for it. */
  judged(valueId: Hash, valid: boolean, block: CandidateBlock | undefined): readonly ValueValidated[] {
    this.#valid.set(valueId, valid)
    const waiting = this.#asked.get(valueId) ?? []
    this.#asked.delete(valueId)
    return waiting.map((ask) => this.#answer(ask, valid, block))
  }

  /** Sets a verdict that was read from the log. */
  restored({ valueId, valid }: Pick<ValueValidated, 'valueId' | 'valid'>): void {
    this.#valid.set(valueId, valid)
    this.#asked.delete(valueId)
  }

  #answer(ask: Ask, valid: boolean, block: CandidateBlock | undefined): ValueValidated {
    const { height, round, valueId } = ask
    const fresh = valid && block !== undefined && this.#isFresh(round, block)
    return { kind: 'valueValidated', height, round, valueId, valid, fresh }
  }

  #isFresh(round: Round, { header, hash }: CandidateBlock): boolean {
    const receivedMs = this.#receivedMs.get(round)?.get(hash)
    const { parameters } = this.#head
    return (
      receivedMs !== undefined &&
      header.miner === this.#feeAddress(round) &&
      header.timeMs >= this.#head.header.timeMs + parameters.blockIntervalMs &&
      isTimely(header.timeMs, receivedMs, round, parameters)
    )
  }
}

/**
 * Proposer-based timestamps: a block's time is timely if it is at most PRECISION later than its arrival here, and at most MSGDELAY +
 * PRECISION earlier. MSGDELAY covers building and transfer, and grows with the round, so that a chain on a slow network reaches a round in
 * which proposals are timely.
 */
export function isTimely(
  timeMs: TimeMs,
  receivedMs: number,
  round: Round,
  { clockPrecisionMs, messageDelayMs, timeoutDeltaMs }: ChainParameters,
): boolean {
  const delayMs = messageDelayMs + round * timeoutDeltaMs
  return timeMs <= receivedMs + clockPrecisionMs && receivedMs <= timeMs + delayMs + clockPrecisionMs
}
