import type { DriverInput, Effect } from '@quoin/consensus'
import type { Address, ChainParameters, Hash, Round, TimeMs } from '@quoin/protocol'
import type { CandidateBlock, Head } from '../chain/types.ts'
import { ENGINE_LIMITS } from './limits.ts'

type ValueValidated = Extract<DriverInput, { kind: 'valueValidated' }>
type Ask = Extract<Effect, { kind: 'validateValue' | 'needValue' }>

/**
 * What this node says of the values of one height. Validity is found once a value by executing it; freshness once a round and value, from
 * when the proposal arrived: the body may come later.
 */
export class ValueJudge {
  readonly #head: Head
  /** Fee address that a fresh proposal of a round must name. */
  readonly #feeAddress: (round: Round) => Address
  /** By round and value; of the latest rounds, since verdicts are asked for as rounds come. */
  readonly #receivedMs = new Map<Round, Map<Hash, number>>()
  readonly #valid = new Map<Hash, boolean>()
  readonly #asked = new Map<Hash, Ask[]>()

  constructor(head: Head, feeAddress: (round: Round) => Address) {
    this.#head = head
    this.#feeAddress = feeAddress
  }

  /** A proposal arrived; only the first arrival counts, and of a proposer that contradicts itself two proposals. */
  received(round: Round, valueId: Hash, receivedMs: number): void {
    const ofRound = this.#receivedMs.get(round) ?? new Map<Hash, number>()
    if (ofRound.has(valueId) || ofRound.size >= ENGINE_LIMITS.variantsCountMax) return
    this.#receivedMs.set(round, ofRound.set(valueId, receivedMs))
    if (this.#receivedMs.size > ENGINE_LIMITS.receivedRoundsMax)
      this.#receivedMs.delete(Math.min(...this.#receivedMs.keys()) as Round)
  }

  /** The driver's question; the answer if there is one now, else it comes from `judged`. */
  ask(ask: Ask, block: CandidateBlock | undefined): ValueValidated | undefined {
    const valid = this.#valid.get(ask.valueId)
    if (valid !== undefined && (!valid || block !== undefined)) return this.#answer(ask, valid, block)
    const waiting = this.#asked.get(ask.valueId)
    if (waiting === undefined) this.#asked.set(ask.valueId, [ask])
    else waiting.push(ask)
    return undefined
  }

  /** Whether somebody waits for a verdict that is not there. */
  isWanted(valueId: Hash): boolean {
    return this.#asked.has(valueId)
  }

  /** Execution's word on a value; answers every question that waited for it. */
  judged(valueId: Hash, valid: boolean, block: CandidateBlock | undefined): readonly ValueValidated[] {
    this.#valid.set(valueId, valid)
    const waiting = this.#asked.get(valueId) ?? []
    this.#asked.delete(valueId)
    return waiting.map((ask) => this.#answer(ask, valid, block))
  }

  /** A verdict that stands in the log. */
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
 * Proposer-based time: a block's time is timely when it lies at most PRECISION after its arrival here, and at most MSGDELAY + PRECISION
 * before. MSGDELAY covers building and transfer, and grows with the round, so that a chain whose network has become slow finds a round
 * in which it fits.
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
